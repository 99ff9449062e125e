"""What the receiver must be told, as plain values: only reading and checking settings needs pydantic."""

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from webhooks.log import Format, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from settings import ReceiverSettings


SECRETS = (
    "stripe_webhook_secrets",
    "resend_webhook_secrets",
    "postmark_webhook_passwords",
    "ses_webhook_passwords",
    "commet_webhook_secrets",
    "event_sources",
)


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """The receiver's settings without the library that read them. Secrets stay out of its repr."""

    database_dsn: str = field(repr=False)
    """As `asyncpg.connect` takes it."""
    queue_url: str = field(repr=False)
    """The Redis or RabbitMQ that carries the queues."""
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
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
    resend_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    postmark_webhook_passwords: tuple[str, ...] = field(default=(), repr=False)
    ses_webhook_passwords: tuple[str, ...] = field(default=(), repr=False)
    """Mail services without any have no path."""
    commet_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    event_sources: tuple[str, ...] = field(default=(), repr=False)
    """As `providers.neutral.webhook.read_source` reads them, secrets included."""

    def __post_init__(self) -> None:
        """Raises ValueError without a signing secret, or with an empty one: anybody could sign then."""
        every = [secret for name in SECRETS for secret in getattr(self, name)]
        if not self.stripe_webhook_secrets or not all(every):
            raise ValueError("the receiver needs a signing secret, and none may be empty")

    @classmethod
    def from_settings(cls, settings: "ReceiverSettings") -> "ReceiverConfig":
        """Take what is needed out of checked settings."""
        return cls(
            database_dsn=settings.database_dsn,
            queue_url=settings.queue_url,
            stripe_webhook_secrets=_plain(settings.stripe_webhook_secrets),
            resend_webhook_secrets=_plain(settings.resend_webhook_secrets),
            postmark_webhook_passwords=_plain(settings.postmark_webhook_passwords),
            ses_webhook_passwords=_plain(settings.ses_webhook_passwords),
            commet_webhook_secrets=_plain(settings.commet_webhook_secrets),
            event_sources=_plain(settings.event_sources),
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
        return cls(**values | {name: tuple(values[name]) for name in SECRETS})


def _plain(secrets: "Sequence[SecretStr] | None") -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in secrets or ())
