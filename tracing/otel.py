"""The same with OpenTelemetry's SDK. Only `tracing.spans.start` imports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracing.ids import traceparent

# Seconds a collector may take. What it does not take is dropped: nobody is dunned by traces.
TIMEOUT = 5

Ids = Mapping[str, str | int]
_PROPAGATOR = TraceContextTextMapPropagator()


class _Ids(RandomIdGenerator):
    """Random, but for a span whose ids are known before it begins."""

    known: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return self.known[0] if self.known else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.known[1] if self.known else super().generate_span_id()


class Tracer:
    """Spans of one process, sent in the background."""

    def __init__(self, process: str, url: str) -> None:
        """`url` is the collector's address for traces, such as http://127.0.0.1:4318/v1/traces."""
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: f"dunning-{process}"}), id_generator=self._ids
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=TIMEOUT)))
        self._tracer = self._provider.get_tracer("dunning")

    def stop(self) -> None:
        self._provider.shutdown()

    @contextmanager
    def span(self, name: str, parent: str | None, ids: Ids) -> Iterator[None]:
        """An exception is told by its class alone: its text may hold what must not be in a trace."""
        context = _PROPAGATOR.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name, context, attributes=_named(ids), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise

    def current(self) -> str | None:
        found = trace.get_current_span().get_span_context()
        return traceparent(found.trace_id, found.span_id) if found.is_valid else None

    def note(self, ids: Ids) -> None:
        trace.get_current_span().set_attributes(_named(ids))

    def first(self, trace_id: int, span_id: int, name: str, began: int, ids: Ids) -> None:
        """A span of a trace that is known before it begins, which has ended now. Call it from one thread."""
        self._ids.known = trace_id, span_id
        try:
            span = self._tracer.start_span(name, Context(), attributes=_named(ids), start_time=began)
        finally:
            self._ids.known = None
        span.end()


def _named(ids: Ids) -> dict[str, str | int]:
    return {f"dunning.{name}": value for name, value in ids.items()}
