"""The mark of a mail, for whoever decides it as well: it is known before there are words."""

from hashlib import sha256

REFERENCE_HEADER = "X-Dunning-Reference"


def mail_key(source: str, step: str) -> str:
    """The key of the mail of a step, for a customer of this source: two sources may have the same invoices.

    The main Stripe account's are the steps alone.
    """
    return step if source == "stripe" else f"{source}:{step}"


def reference(key: str) -> str:
    """The mark of the mail with this key, by which mail services speak of it; says nothing to others."""
    return sha256(key.encode()).hexdigest()[:32]
