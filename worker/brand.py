"""The merchant's brand as the settings have it, for mails and pages alike."""

from __future__ import annotations

from emails.brand import Brand
from settings import PortalSettings, PreviewSettings, WorkerSettings


def brand(settings: WorkerSettings | PortalSettings | PreviewSettings) -> Brand:
    """Whose mails and pages they are."""
    return Brand(
        name=settings.brand_name,
        support_email=settings.brand_support_email,
        website=settings.brand_website,
        logo_url=settings.brand_logo_url,
        color=settings.brand_color,
        postal_address=settings.brand_postal_address,
    )
