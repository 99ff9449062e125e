"""What whoever queues has to reckon with."""

from __future__ import annotations

from dramatiq.errors import ConnectionClosed


class AwayError(ConnectionClosed):
    """The broker is away, full, refuses or says nothing: its cause says which. Dramatiq tries again later."""

    def __init__(self) -> None:
        super().__init__("the broker is away")  # type: ignore[no-untyped-call]  # Dramatiq does not annotate it
