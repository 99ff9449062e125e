"""Where a process sends its traces."""

from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator

from settings.checks import split_url
from settings.field import Settings, setting


def _check_collector(value: str) -> str:
    parts = split_url(value, ("https", "http"))
    if not parts.hostname:
        raise ValueError("has no host name")
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise ValueError("needs OpenTelemetry: pip install 'dunning-worker[otel]'")
    return value


class Traces(Settings):
    """One trace from a webhook to the mail that it leads to. See docs/traces.md."""

    traces_url: Annotated[str, AfterValidator(_check_collector)] | None = setting(
        "DUNNING_TRACES_URL",
        "An OpenTelemetry collector that takes OTLP over HTTP. Without it nothing is traced. Needs the extra "
        "`otel`, which the image does not have.",
        default=None,
        example="http://127.0.0.1:4318/v1/traces",
        cure="Give the collector's address for traces, or leave it empty.",
    )
