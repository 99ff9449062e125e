"""What carries the wake-ups: Redis, or RabbitMQ instead."""

from pydantic import SecretStr, ValidationInfo, field_validator

from settings.field import Settings, setting
from settings.rabbitmq import BrokerUrl
from settings.redis import RedisUrl


class PossibleBroker(Settings):
    """Redis or Valkey, or RabbitMQ: what carries wake-ups, and may be lost at any time."""

    broker_url: BrokerUrl | None = setting(
        "BROKER_URL",
        "The RabbitMQ that carries the queues instead of Redis, which is then not needed at all: `amqp://` "
        "or `amqps://`, the nodes of a cluster with commas between them. See docs/brokers.md.",
        default=None,
        example="amqp://dunning:password@127.0.0.1:5672/",
        cure="Give a RabbitMQ URL, or leave it empty: a Redis is named by REDIS_URL.",
    )
    redis_url: RedisUrl | None = setting(
        "REDIS_URL",
        "The Redis or Valkey server that carries the queues: `redis://`, `rediss://` or `unix://`; or the "
        "Sentinels that know it: `redis+sentinel://host:26379,host:26379/name/0`.",
        default=None,
        unless="BROKER_URL",
        example="redis://127.0.0.1:6379/0",
        cure="Give a Redis URL in the environment or in .env.",
    )

    @property
    def known_queue_url(self) -> str | None:
        """The broker that is used; None: none is known. Holds the password: never log it."""
        url = self.broker_url or self.redis_url
        return url.get_secret_value() if url else None


class Broker(PossibleBroker):
    """What the processes cannot do without."""

    @field_validator("redis_url")
    @classmethod
    def _one_of_both(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if url is None and info.data.get("broker_url", ...) is None:
            raise ValueError("is not set, and neither is BROKER_URL: one of both carries the queues")
        return url

    @property
    def queue_url(self) -> str:
        """The broker that is used. Holds the password: never log it."""
        return self.known_queue_url or ""
