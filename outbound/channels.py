"""Messages to the merchant's team by whatever a URL of Apprise reaches: chats, pagers, mail, phones.

The library is imported where the first channel is looked at: it is large, and most do without.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apprise import NotifyBase

# Seconds: what one channel may take, and after which nobody waits for its thread any more.
WITHIN = 15.0
AT_THE_LATEST = 20.0
# Threads of their own: a channel that hangs must not keep wake-ups waiting, which use the loop's.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="team")


@dataclass(frozen=True, slots=True)
class Told:
    """Whether a channel took a message, and why not: in the library's words, which hold no secret."""

    taken: bool
    why: str = ""


def is_known(url: str) -> bool:
    """Whether the library knows such a channel, and the URL has all that it needs. Sends nothing."""
    return _channel(url) is not None


async def tell(url: str, title: str, text: str) -> Told:
    """Send plain text. A channel that cannot hold all of it gets the beginning."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(AT_THE_LATEST):
            return await loop.run_in_executor(_THREADS, _tell, url, title, text)
    except TimeoutError:
        return Told(False, f"no answer within {AT_THE_LATEST:g} s")


def _tell(url: str, title: str, text: str) -> Told:
    from apprise import Apprise, NotifyFormat, OverflowMode

    channel = _channel(url)
    if channel is None:
        return Told(False, "its URL is not one that Apprise knows")
    if "overflow=" not in url:
        channel.overflow_mode = OverflowMode.TRUNCATE
    sender = Apprise(channel, asset=_asset())
    result = sender.notify(body=text, title=title, body_format=NotifyFormat.TEXT, timeout=WITHIN)
    said = [entry.message for entry in result.logs()]
    return Told(True) if result else Told(False, said[-1].rstrip(".") if said else "it was not taken")


def _channel(url: str) -> NotifyBase | None:
    from apprise import Apprise

    channel: NotifyBase | None = Apprise.instantiate(url, asset=_asset())
    return channel


@cache
def _asset() -> Any:
    """Ours for every channel: no pictures from elsewhere, no files, no redirects, nothing in the log."""
    from apprise import AppriseAsset, PersistentStoreMode

    # Both log URLs, and secrets stand in them. The last warning is what we tell ourselves, whatever the level
    # of our own log is.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    return AppriseAsset(
        app_id="Dunning",
        app_desc="Dunning",
        image_url_mask=None,
        image_url_logo=None,
        image_path_mask=False,
        http_redirects=False,
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=WITHIN,
    )
