"""Send the team a message that says nothing, by every channel, to see which of them take it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from emails.alarm import trial
from emails.delivery import Delivery
from worker.courier import Courier
from worker.notices import stored


async def try_channels(courier: Courier, channels: Sequence[str], now: datetime) -> dict[str, Delivery]:
    """What each of these channels answered, one after the other."""
    notice = trial(brand=courier.sender.brand.name)
    key = f"trial:{uuid.uuid4().hex}"
    return {
        channel: await courier.send(channel, key, courier.sender.team_address, stored(notice, channel, now))
        for channel in channels
    }
