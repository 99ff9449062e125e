"""Our own pages for customers, by the settings.

Apart from `worker.build`: commands make links too, and the access API shows them.
"""

from __future__ import annotations

from portal.links import Links, Pages
from settings import ApiSettings, PortalSettings, ToolSettings, WorkerSettings


def pages(settings: WorkerSettings | PortalSettings | ToolSettings | ApiSettings) -> Pages | None:
    """Where the pages are, and what signs their links; None: there are none."""
    if not settings.portal_url or not settings.link_secrets:
        return None
    return Pages(settings.portal_url, Links([each.get_secret_value() for each in settings.link_secrets]))
