"""Send one event once, and say what came of it in words for whoever looks at the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from outbound.addresses import ForbiddenError
from outbound.post import Answer, Poster, UnreachableError
from outbound.signing import headers

# What an endpoint asks for beyond this is not believed.
MOST_SECONDS = 10**6
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` is the HTTP status, if there was an answer; `error` is None for an event that was accepted.

    `asked` is how long the endpoint wants to be left alone.
    """

    code: int | None
    error: str | None = None
    asked: timedelta | None = None


async def send(poster: Poster, url: str, secrets: Sequence[str], message: str, body: str) -> Outcome:
    """Sign with all `secrets` and post. `message` is the event's id, the same each time it is sent."""
    text = body.encode()
    # By this machine's clock, whatever time the customer lives in: receivers refuse what is old.
    signed = headers(secrets, message, int(datetime.now(UTC).timestamp()), text)
    try:
        answer = await poster.post(url, signed, text)
    except (ForbiddenError, UnreachableError) as error:
        return Outcome(None, str(error))
    if 200 <= answer.code < 300:
        return Outcome(answer.code)
    return Outcome(answer.code, _words(answer), _asked(answer))


def _words(answer: Answer) -> str:
    redirects = 300 <= answer.code < 400
    return f"it answered {answer.code}" + (": redirects are not followed" if redirects else "")


def _asked(answer: Answer) -> timedelta | None:
    """What `retry-after` asks for, in seconds or as a date (RFC 9110, 10.2.3); None where it asks nothing."""
    text = (answer.retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:12]), MOST_SECONDS))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at - datetime.now(UTC) if at.tzinfo else None
