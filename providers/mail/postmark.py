"""What Postmark says of a mail (postmarkapp.com/developer/webhooks/webhooks-overview)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dunning.results import MailResult, Result
from providers.mail import POSTMARK as SOURCE
from providers.mail.fields import details, mapping, mark, moment, text

__all__ = ["SOURCE", "normalise"]

# Types of a bounce (postmarkapp.com/developer/api/bounce-api#bounce-types); any other is a soft one.
_BOUNCES: Mapping[str, Result] = {
    "HardBounce": Result.HARD_BOUNCE,
    "BadEmailAddress": Result.HARD_BOUNCE,
    # Postmark sends nothing to that address any more.
    "ManuallyDeactivated": Result.HARD_BOUNCE,
    "SpamComplaint": Result.COMPLAINT,
    "Unsubscribe": Result.COMPLAINT,
    "Blocked": Result.UNDELIVERED,
    "DMARCPolicy": Result.UNDELIVERED,
    "SMTPApiError": Result.UNDELIVERED,
    "SpamNotification": Result.UNDELIVERED,
    "TemplateRenderingFailed": Result.UNDELIVERED,
    "VirusNotification": Result.UNDELIVERED,
    # Answered by a machine: the mail itself has arrived.
    "AutoResponder": Result.DELIVERED,
}


def normalise(event: Mapping[str, Any]) -> list[MailResult]:
    """One result, or none where the mail does not bear our mark. Raises MalformedEventError."""
    # Whatever goes through Postmark comes back with its metadata: a mail without our mark is not ours.
    reference = mark(mapping(event.get("Metadata")).get("dunning"))
    if reference is None:
        return []
    match text(event.get("RecordType")):
        case "Delivery":
            result, at = Result.DELIVERED, moment(event.get("DeliveredAt"))
        case "SpamComplaint":
            result, at = Result.COMPLAINT, moment(event.get("BouncedAt"))
        case "Bounce":
            result = _BOUNCES.get(text(event.get("Type")), Result.SOFT_BOUNCE)
            at = moment(event.get("BouncedAt"))
        case _:
            return []
    reader = text(event.get("Email")) or text(event.get("Recipient"))
    said = details(event.get("Type"), event.get("Details") or event.get("Description"))
    return [MailResult(result, at, reference, reader or None, said)]
