"""Serve `/metrics` beside whatever else a process does: a port of its own, in a thread of its own."""

from __future__ import annotations

import structlog
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.registry import Collector

from metrics import instruments

log = structlog.get_logger()


def listen(kind: str, address: tuple[str, int] | None, *whole: Collector) -> None:
    """Begin, and log `metrics.started` with the port; nothing is listened on without an address.

    `kind` of process is told by `dunning_process_info`, and `whole` is collected beside what it measures. A
    port that cannot be had is an error in the log and no more: dunning goes on without being looked at.
    """
    if address is None:
        return
    host, port = address
    instruments.process.labels(kind).set(1)
    for collector in whole:
        REGISTRY.register(collector)
    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        log.error("metrics.cannot_listen", host=host, port=port, reason=error.strerror)
        return
    log.info("metrics.started", host=host, port=server.server_port)
