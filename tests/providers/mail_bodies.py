"""Events of mail services as their documents show them, with what a test wants to be otherwise."""

from __future__ import annotations

import json
from typing import Any

MARK = "0123456789abcdef0123456789abcdef"
ADA = "ada@customer.example"


def resend(kind: str = "email.bounced", **data: Any) -> dict[str, Any]:
    """A Resend event; `data` replaces what is inside."""
    inside: dict[str, Any] = {
        "created_at": "2026-03-02T09:00:00.000Z",
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "from": "Acme <billing@merchant.example>",
        "to": [ADA],
        "subject": "Your payment did not go through",
        "headers": [{"name": "X-Dunning-Reference", "value": MARK}],
    }
    if kind == "email.bounced":
        inside["bounce"] = {
            "type": "Permanent",
            "subType": "General",
            "message": "The recipient's server says there is no such mailbox.",
            "diagnosticCode": ["smtp; 550 5.1.1 no such user"],
        }
    return {"type": kind, "created_at": "2026-03-02T09:05:00.123Z", "data": inside | data}


def postmark(kind: str = "HardBounce", **changes: Any) -> dict[str, Any]:
    """A Postmark bounce of this type, or with `RecordType` something else."""
    return {
        "RecordType": "Bounce",
        "ID": 42,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Description": "The server was unable to deliver your message.",
        "Details": "smtp;550 5.1.1 no such user",
        "Email": ADA,
        "BouncedAt": "2026-03-02T04:05:00.2735393-05:00",
        "Metadata": {"dunning": MARK},
    } | changes


def ses(
    kind: str = "Bounce", *, name: str = "eventType", mail: dict[str, Any] | None = None, **inside: Any
) -> str:
    """What SES puts into a message of SNS; `inside` replaces what is in the event's own object."""
    own: dict[str, Any] = {
        "Bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": ADA, "diagnosticCode": "smtp; 550 5.1.1 no such user"}],
            "timestamp": "2026-03-02T09:05:00.000Z",
        },
        "Complaint": {
            "complainedRecipients": [{"emailAddress": ADA}],
            "complaintFeedbackType": "abuse",
            "timestamp": "2026-03-02T09:05:00.000Z",
        },
        "Delivery": {"recipients": [ADA], "timestamp": "2026-03-02T09:05:00.000Z"},
        "DeliveryDelay": {
            "delayType": "MailboxFull",
            "delayedRecipients": [{"emailAddress": ADA}],
            "timestamp": "2026-03-02T09:05:00.000Z",
        },
        "Reject": {"reason": "Bad content"},
    }[kind]
    sent = {
        "timestamp": "2026-03-02T09:00:00.000Z",
        "messageId": "0100017a-0000",
        "destination": [ADA],
        "tags": {"dunning": [MARK], "ses:configuration-set": ["dunning"]},
    }
    key = kind[0].lower() + kind[1:]
    return json.dumps({name: kind, "mail": sent if mail is None else mail, key: own | inside})
