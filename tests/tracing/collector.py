"""A collector for traces that keeps what it is sent, by OTLP over real HTTP."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """One span as it was sent; `parent` is empty for the first of a trace."""

    process: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    status: dict[str, Any]


@dataclass
class Collector:
    """Listens at `url`."""

    url: str
    spans: list[Span] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """Keep what stands in a request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = _attributes(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Span(
                            process,
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            _attributes(span.attributes),
                            MessageToDict(span.status),
                        )
                    )

    def trace(self, trace: str) -> dict[str, Span]:
        """The spans of a trace by id."""
        return {span.id: span for span in self.spans if span.trace == trace}

    def tree(self, trace: str) -> list[str]:
        """The names of a trace's spans, each below its parents, in order."""
        spans = self.trace(trace)

        def path(span: Span) -> str:
            above = spans.get(span.parent)
            return f"{path(above)} > {span.name}" if above else span.name

        return sorted({path(span) for span in spans.values()})


def _attributes(given: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in given}


@contextmanager
def collecting() -> Iterator[Collector]:
    """One that listens while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Keep still."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
