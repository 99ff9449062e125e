"""Which mail service's events are read by what. Adding one adds a line here and a path in the receiver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from dunning.results import MailResult
from providers.lookup import MalformedEventError
from providers.mail import postmark, resend, ses
from providers.mail.ses_reader import SesReader

Reader = Callable[[Any], Awaitable[list[MailResult]]]
"""From a stored event to its results.

Raises MalformedEventError, NotGenuineError, ProviderUnavailableError.
"""


def readers(ses_topics: Sequence[str] = ()) -> Mapping[str, Reader]:
    """By source; nothing of another topic of Amazon's is believed."""
    return {
        resend.SOURCE: _alone(resend.normalise),
        postmark.SOURCE: _alone(postmark.normalise),
        ses.SOURCE: _verified(SesReader(ses_topics)),
    }


def _alone(normalise: Callable[[Mapping[str, Any]], list[MailResult]]) -> Reader:
    async def read(event: Any) -> list[MailResult]:
        return normalise(_object(event))

    return read


def _verified(reader: SesReader) -> Reader:
    async def read(event: Any) -> list[MailResult]:
        return await reader.read(_object(event))

    return read


def _object(event: Any) -> Mapping[str, Any]:
    if not isinstance(event, Mapping):
        raise MalformedEventError(f"a {type(event).__name__} is not an event")
    return event
