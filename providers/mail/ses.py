"""What Amazon SES says of a mail, inside a message of SNS that `providers.mail.sns` has checked.

The same objects come under `notificationType` and `eventType` (docs.aws.amazon.com/ses/latest/dg:
notification-contents.html, event-publishing-retrieving-sns-contents.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dunning.results import MailResult, Result
from providers.lookup import MalformedEventError
from providers.mail import SES as SOURCE
from providers.mail.fields import details, in_headers, mapping, mappings, mark, moment, text, texts

__all__ = ["SOURCE", "normalise"]


def normalise(message: Mapping[str, Any]) -> list[MailResult]:
    """One result for each reader; none where the mail's tags or headers lack our mark.

    Raises MalformedEventError for what is no JSON inside.
    """
    try:
        event = mapping(json.loads(text(message.get("Message"))))
    except (ValueError, RecursionError):
        raise MalformedEventError("the message holds no JSON") from None
    mail = mapping(event.get("mail"))
    tags, headers = mapping(mail.get("tags")), mail.get("headers")
    reference = mark(tags.get("dunning")) or in_headers(headers)
    # Without a configuration set and without headers there is no telling by the mail itself.
    if reference is None and (tags or headers):
        return []
    return [
        MailResult(result, at, reference, reader or None, said)
        for result, at, reader, said in _said(
            text(event.get("eventType") or event.get("notificationType")), event
        )
    ]


def _said(kind: str, event: Mapping[str, Any]) -> Iterator[tuple[Result, Any, str, str]]:
    mail = mapping(event.get("mail"))
    sent_to = texts(mail.get("destination"))
    match kind:
        case "Bounce":
            yield from _bounce(mapping(event.get("bounce")))
        case "Complaint":
            yield from _complaint(mapping(event.get("complaint")))
        case "Delivery":
            delivery = mapping(event.get("delivery"))
            for reader in texts(delivery.get("recipients")) or sent_to:
                yield Result.DELIVERED, moment(delivery.get("timestamp")), reader, ""
        case "DeliveryDelay":
            delay = mapping(event.get("deliveryDelay"))
            said = details(delay.get("delayType"))
            for each in mappings(delay.get("delayedRecipients")):
                yield Result.DELAYED, moment(delay.get("timestamp")), text(each.get("emailAddress")), said
        case "Reject" | "Rendering Failure":
            said = details(kind, mapping(event.get("reject")).get("reason"))
            for reader in sent_to:
                yield Result.UNDELIVERED, moment(mail.get("timestamp")), reader, said


def _bounce(bounce: Mapping[str, Any]) -> Iterator[tuple[Result, Any, str, str]]:
    """`Transient` and `Undetermined` say nothing of the address; an answer on holiday is one, too."""
    hard = text(bounce.get("bounceType")) == "Permanent"
    at = moment(bounce.get("timestamp"))
    for each in mappings(bounce.get("bouncedRecipients")):
        said = details(bounce.get("bounceType"), bounce.get("bounceSubType"), each.get("diagnosticCode"))
        yield Result.HARD_BOUNCE if hard else Result.SOFT_BOUNCE, at, text(each.get("emailAddress")), said


def _complaint(complaint: Mapping[str, Any]) -> Iterator[tuple[Result, Any, str, str]]:
    feedback = text(complaint.get("complaintFeedbackType"))
    if feedback == "not-spam":
        return
    at, said = moment(complaint.get("timestamp")), details(feedback, complaint.get("complaintSubType"))
    for each in mappings(complaint.get("complainedRecipients")):
        yield Result.COMPLAINT, at, text(each.get("emailAddress")), said
