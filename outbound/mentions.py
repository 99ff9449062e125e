"""Words by which a message calls everybody in a room: what somebody is named must not do that."""

from __future__ import annotations

import re

# Discord, Mattermost, Rocket.Chat, Slack and Teams, wherever it stands in a text.
_EVERYBODY = re.compile(r"@(?=(?:all|channel|everybody|everyone|group|here|room|team)\b)", re.IGNORECASE)
# Discord, Google Chat and Slack write a mention as <@123>, <users/all>, <!channel>.
_BRACKETS = str.maketrans(
    "<>", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)


def quiet(text: str) -> str:
    """A text of a chat with markup of its own, which has been escaped already: `@ everyone`."""
    return _EVERYBODY.sub("@ ", text)


def quiet_plain(text: str) -> str:
    """A plain text for a room of any kind."""
    return quiet(text).translate(_BRACKETS)
