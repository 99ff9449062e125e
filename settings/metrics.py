"""Where a process tells Prometheus about itself."""

from settings.field import Settings, setting


class Metrics(Settings):
    """What Prometheus may ask each process for. See docs/metrics.md."""

    metrics_host: str = setting(
        "DUNNING_METRICS_HOST",
        "The address `/metrics` is served on. It asks for no password: keep it off public networks.",
        default="127.0.0.1",
        example="0.0.0.0",  # noqa: S104 -- an example for containers, not a default
        min_length=1,
    )
    metrics_port: int | None = setting(
        "DUNNING_METRICS_PORT",
        "The port `/metrics` is served on, one for each process of a machine; 0 takes any free one. Without "
        "it nothing is served. `dunning up` counts on from it.",
        default=None,
        example="9400",
        cure="Give a port from 0 to 65535, or leave it empty.",
        ge=0,
        le=65535,
    )

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port to serve `/metrics` on; None: it is not wanted."""
        return None if self.metrics_port is None else (self.metrics_host, self.metrics_port)
