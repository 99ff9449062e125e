"""How each process runs: where it listens, what it works on, how it logs."""

from typing import Annotated, Literal

from pydantic import Field

from settings.checks import BearerKey
from settings.field import Commas, Settings, setting

Queue = Literal["events", "cases", "mail", "team", "billing", "webhooks"]


class Logs(Settings):
    """Log lines, for machines or for people."""

    log_format: Literal["auto", "json", "console"] = setting(
        "DUNNING_LOG_FORMAT",
        "`json`: one object per line. `console`: for people. `auto`: console in a terminal, else json.",
        default="auto",
        example="json",
        cure="Write auto, json or console.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "DUNNING_LOG_LEVEL",
        "The least severe level that is written.",
        default="info",
        example="debug",
        cure="Write debug, info, warning or error.",
    )


class ReceiverServer(Settings):
    """Where the webhook receiver listens."""

    receiver_host: str = setting(
        "DUNNING_RECEIVER_HOST",
        "The address the webhook receiver listens on. Put a TLS proxy in front of it.",
        default="127.0.0.1",
        example="0.0.0.0",  # noqa: S104 -- an example for containers, not a default
        min_length=1,
    )
    receiver_port: int = setting(
        "DUNNING_RECEIVER_PORT",
        "The port the webhook receiver listens on; 0 takes any free one.",
        default=8080,
        example="8080",
        cure="Give a port from 0 to 65535.",
        ge=0,
        le=65535,
    )


class ApiServer(Settings):
    """Where the API listens, and who may ask."""

    api_host: str = setting(
        "DUNNING_API_HOST",
        "The address the API listens on. Put a TLS proxy in front of it for whoever asks from elsewhere.",
        default="127.0.0.1",
        example="0.0.0.0",  # noqa: S104 -- an example for containers, not a default
        min_length=1,
    )
    api_port: int = setting(
        "DUNNING_API_PORT",
        "The port the API listens on; 0 takes any free one.",
        default=8081,
        example="8081",
        cure="Give a port from 0 to 65535.",
        ge=0,
        le=65535,
    )
    api_pool_size: int = setting(
        "DUNNING_API_POOL_SIZE",
        "The most connections to PostgreSQL that one such process has for questions about access.",
        default=10,
        example="10",
        cure="Give a number from 1 to 100.",
        ge=1,
        le=100,
    )
    api_team_pool_size: int = setting(
        "DUNNING_API_TEAM_POOL_SIZE",
        "Connections that it keeps for the team's part of the API; two more for moments.",
        default=5,
        example="5",
        cure="Give a number from 1 to 100.",
        ge=1,
        le=100,
    )
    api_keys: Annotated[tuple[BearerKey, ...], Field(min_length=1), Commas] | None = setting(
        "DUNNING_API_KEYS",
        "Bearer keys that may ask for access and banners, with commas between them: two while one is "
        "replaced. They need no look-up in the database. Other keys, with scopes, are made by "
        "`dunning keys create`; without any key nobody is let in.",
        default=None,
        example="test-key-0123456789abcdef",
        cure="Give keys of 16 characters or more, such as `openssl rand -hex 24` prints, or leave it empty.",
    )


class WorkerProcess(Settings):
    """What one worker process takes on."""

    worker_queues: Annotated[tuple[Queue, ...], Field(min_length=1), Commas] = setting(
        "DUNNING_WORKER_QUEUES",
        "The queues this worker serves. Give mail a worker of its own, so that a slow mail server "
        "does not hold up events.",
        default="events,cases,mail,team,billing,webhooks",
        example="mail,team,billing,webhooks",
        cure="Name one or more of events, cases, mail, team, billing and webhooks, with commas between them.",
    )
    smtp_connections: int = setting(
        "DUNNING_SMTP_CONNECTIONS",
        "How many connections to the mail server one worker process keeps while it has many mails to "
        "send. As many mails are at the server at the same time, and `unknown` if the process is killed. "
        "Some servers take few from one sender: Microsoft 365 takes three, of all workers together.",
        default=3,
        example="8",
        cure="Give a number from 1 to 20, and no more than the mail server allows from one address.",
        ge=1,
        le=20,
    )
    worker_threads: int = setting(
        "DUNNING_WORKER_THREADS",
        "How many messages one worker process handles at the same time, and how many connections to "
        "PostgreSQL it keeps for them; two more for moments.",
        default=8,
        example="8",
        cure="Give a number from 1 to 64.",
        ge=1,
        le=64,
    )
    worker_memory_mb: int = setting(
        "DUNNING_WORKER_MEMORY_MB",
        "MiB of memory beyond which a worker finishes what it holds and exits with code 75, for whoever "
        "started it to start it again; 0 for never. One that is well takes about 150.",
        default=1024,
        example="1024",
        cure="Give a number of MiB, or 0.",
        ge=0,
        le=1_048_576,
    )


class SchedulerProcess(Settings):
    """How often the scheduler looks, and how long it leaves fresh rows alone."""

    tick_seconds: float = setting(
        "DUNNING_TICK_SECONDS",
        "Seconds between two looks for due work.",
        default=1.0,
        example="1",
        cure="Give seconds from 0.05 to 60.",
        ge=0.05,
        le=60,
    )
    sweep_delay_seconds: float = setting(
        "DUNNING_SWEEP_DELAY_SECONDS",
        "Seconds after which a row that nobody has taken up is sent to the queue again.",
        default=10.0,
        example="10",
        cure="Give seconds from 0.1 to 3600.",
        ge=0.1,
        le=3600,
    )
