"""The trace of an event, worked out from its id: whoever meets the event joins it."""

from hashlib import blake2b


def of_event(source: str, event_id: str) -> tuple[int, int]:
    """The trace's id, and that of its first span, which is the webhook that brought the event."""
    digest = blake2b(f"{source}:{event_id}".encode(), digest_size=24, person=b"dunning").digest()
    return int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:], "big")


def traceparent(trace: int, span: int) -> str:
    """As W3C Trace Context writes it, level 1, and sampled."""
    return f"00-{trace:032x}-{span:016x}-01"
