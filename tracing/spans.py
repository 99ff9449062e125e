"""Spans, where somebody wants them. Without `start` each of these does nothing, and imports nothing.

Attributes are ids and codes, as in log lines: no address, no amount, no payload.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from tracing.ids import of_event, traceparent

if TYPE_CHECKING:
    from tracing.otel import Tracer

_NOTHING = nullcontext()
_tracer: Tracer | None = None


def start(process: str, url: str | None) -> None:
    """Send spans to this OTLP/HTTP collector from now on; None: nobody wants them. Needs the extra `otel`."""
    global _tracer
    if url is not None:
        from tracing.otel import Tracer

        _tracer = Tracer(process, url)


def stop() -> None:
    """Send what is left, and no more from then on."""
    global _tracer
    if _tracer:
        _tracer.stop()
        _tracer = None


def span(name: str, parent: str | None = None, **ids: str | int) -> AbstractContextManager[None]:
    """The current span while the block runs: below `parent`, or else below the one that is current there."""
    return _tracer.span(name, parent, ids) if _tracer else _NOTHING


def event(source: str, event_id: str) -> str | None:
    """The parent of all that follows from an event."""
    return traceparent(*of_event(source, event_id)) if _tracer else None


def current() -> str | None:
    """What whoever goes on later takes for the parent."""
    return _tracer.current() if _tracer else None


def note(**ids: str | int) -> None:
    """What is known of the current span only now."""
    if _tracer:
        _tracer.note(ids)


def arrived(source: str, event_id: str, began: int, **ids: str | int) -> None:
    """The first span of an event's trace: its webhook, from `began` (unix nanoseconds) until now."""
    if _tracer:
        _tracer.first(*of_event(source, event_id), "webhook", began, {"event": event_id, **ids})
