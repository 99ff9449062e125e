"""One settings class per process: each asks for what it uses and nothing else."""

from settings.connections import Database, Mode, Redis, Smtp, StripeApi, StripeWebhooks
from settings.field import Settings, setting
from settings.messages import Brand, Display, Mail, Team, Times
from settings.policy import Policy
from settings.serving import ApiServer, Logs, ReceiverServer, SchedulerProcess, WorkerProcess
from settings.urls import RedisUrl

# Pydantic takes the fields of the last base first, and error messages follow: connections stand last.


class ReceiverSettings(Logs, ReceiverServer, StripeWebhooks, Mode, Redis, Database):
    """`dunning receiver`"""


class WorkerSettings(
    Logs, WorkerProcess, Policy, Team, Display, Times, Brand, Mail, Smtp, StripeApi, Redis, Database
):
    """`dunning worker`"""


class SchedulerSettings(Logs, SchedulerProcess, Redis, Database):
    """`dunning scheduler`"""


class ApiSettings(Logs, ApiServer, Times, Mode, Database):
    """`dunning api`"""


class ToolSettings(Logs, Policy, Mode, Database):
    """`dunning migrate`, `status`, `access`, `case`, `explain`: a database is enough to look at things."""

    redis_url: RedisUrl | None = setting(
        "REDIS_URL",
        "The Redis or Valkey server that carries the queues; without it `dunning status` leaves it out.",
        default=None,
        example="redis://127.0.0.1:6379/0",
        cure="Give a Redis URL in the environment or in .env, or leave it empty.",
    )


PROCESSES: tuple[type[Settings], ...] = (
    ReceiverSettings,
    WorkerSettings,
    SchedulerSettings,
    ApiSettings,
    ToolSettings,
)
