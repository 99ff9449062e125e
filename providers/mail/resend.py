"""What Resend says of a mail (resend.com/docs/webhooks/event-types)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dunning.results import MailResult, Result
from providers.mail import RESEND as SOURCE
from providers.mail.fields import details, in_headers, mapping, mark, moment, text, texts

__all__ = ["SOURCE", "normalise"]

_KINDS: Mapping[str, Result] = {
    "email.delivered": Result.DELIVERED,
    "email.delivery_delayed": Result.DELAYED,
    "email.complained": Result.COMPLAINT,
    # The address has bounced or complained before: Resend sends nothing to it.
    "email.suppressed": Result.HARD_BOUNCE,
    "email.failed": Result.UNDELIVERED,
}
# Types of a bounce after which another mail may arrive.
_SOFT = frozenset({"transient", "undetermined", "temporary"})


def normalise(event: Mapping[str, Any]) -> list[MailResult]:
    """One result for each reader; none where the mail's headers lack our mark. Raises MalformedEventError."""
    data, kind = mapping(event.get("data")), text(event.get("type"))
    bounce, failed = mapping(data.get("bounce")), mapping(data.get("failed"))
    if kind == "email.bounced":
        result = Result.SOFT_BOUNCE if text(bounce.get("type")).lower() in _SOFT else Result.HARD_BOUNCE
    elif kind in _KINDS:
        result = _KINDS[kind]
    else:
        return []
    headers, tags = data.get("headers"), mapping(data.get("tags"))
    reference = in_headers(headers) or mark(tags.get("dunning"))
    if headers and not reference:
        return []
    said = details(
        bounce.get("type"), bounce.get("subType"), bounce.get("diagnosticCode") or bounce.get("message"),
        failed.get("reason"),
    )  # fmt: skip
    at = moment(event.get("created_at"))
    return [MailResult(result, at, reference, to or None, said) for to in texts(data.get("to")) or [""]]
