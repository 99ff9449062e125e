"""The mark of a mail, for whoever decides it as well: it is known before there are words."""

from hashlib import sha256

REFERENCE_HEADER = "X-Dunning-Reference"


def reference(key: str) -> str:
    """The mark of the mail with this key, by which mail services speak of it; says nothing to others."""
    return sha256(key.encode()).hexdigest()[:32]
