"""What the receiver must be told, as plain values: only reading and checking settings needs pydantic."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from webhooks.log import Format, Level

if TYPE_CHECKING:
    from settings import ReceiverSettings


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """The receiver's settings without the library that read them. Secrets stay out of its repr."""

    database_dsn: str = field(repr=False)
    """As `asyncpg.connect` takes it."""
    queue_url: str = field(repr=False)
    """The Redis or RabbitMQ that carries the queues."""
    secrets: Mapping[str, Sequence[str]] = field(repr=False)
    """What senders are known by, under the names of the settings; those without any have no path."""
    livemode: bool
    host: str
    port: int
    """0 takes any free one."""
    read_limit: float = 10.0
    """Seconds a client may take for a request's headers, and again for its body."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    """0 takes any free one; None: nothing is told."""
    traces_url: str | None = None
    log_format: Format = "auto"
    log_level: Level = "info"

    def __post_init__(self) -> None:
        """Raises ValueError without a signing secret, or with an empty one: anybody could sign then."""
        every = [secret for known in self.secrets.values() for secret in known]
        if not every or not all(every):
            raise ValueError("the receiver needs a signing secret, and none may be empty")

    @classmethod
    def from_settings(cls, settings: "ReceiverSettings") -> "ReceiverConfig":
        """Take what is needed out of checked settings."""
        from settings.systems import secrets

        return cls(
            database_dsn=settings.database_dsn,
            queue_url=settings.queue_url,
            secrets=secrets(settings),
            livemode=settings.livemode,
            host=settings.receiver_host,
            port=settings.receiver_port,
            metrics_host=settings.metrics_host,
            metrics_port=settings.metrics_port,
            traces_url=settings.traces_url,
            log_format=settings.log_format,
            log_level=settings.log_level,
        )

    def to_json(self) -> str:
        """For the hand-over to the serving process. Holds secrets."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ReceiverConfig":
        """The inverse of `to_json`."""
        values = json.loads(text)
        return cls(**values | {"secrets": {name: tuple(known) for name, known in values["secrets"].items()}})
