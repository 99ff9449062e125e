"""What each mail service wants in the head of a mail to give our mark back when it speaks of it."""

from collections.abc import Iterable, Mapping

from emails.reference import reference

# A stream or a configuration set is the merchant's to choose, by further headers.
PRESETS: Mapping[str, Mapping[str, str]] = {
    # The same key within 24 hours is the same mail (resend.com/docs/dashboard/emails/idempotency-keys).
    "resend": {"Resend-Idempotency-Key": "{reference}"},
    # Comes back as `Metadata.dunning` (postmarkapp.com/support/article/1125-custom-metadata-faq).
    "postmark": {"X-PM-Metadata-dunning": "{reference}"},
    # Comes back as `mail.tags.dunning`, if a configuration set publishes events.
    "ses": {"X-SES-MESSAGE-TAGS": "dunning={reference}"},
}


def templates(service: str | None, more: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """The headers of a service, and further ones, which go before them where they have the same name."""
    return {**PRESETS.get(service or "", {}), **dict(more)}


def headers(of: Mapping[str, str], key: str) -> dict[str, str]:
    """Those of the mail with this key."""
    return {name: value.replace("{reference}", reference(key)) for name, value in of.items()}
