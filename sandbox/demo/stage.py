"""Everything the demo plays on: real servers, our real processes, and the world outside on loopback."""

import contextlib
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx

from db.migrate import upgrade
from sandbox import merchant
from sandbox.commet import SimulatedCommet, post_to, simulated_commet
from sandbox.commet.delivery import Post
from sandbox.demo.chat import Chat, chat_room
from sandbox.demo.days import DAY_ZERO
from sandbox.errors import SandboxError
from sandbox.inbox import Inbox, mail_inbox
from sandbox.postgres import PostgresServer, embedded_postgres
from sandbox.processes import Processes
from sandbox.programs import PROGRAMS, command_line, free_port
from sandbox.runtime import clean_environment
from sandbox.stripe import DeliveryPolicy, SimulatedStripe, simulated_stripe
from sandbox.stripe.records import Customer
from sandbox.valkey import ValkeyServer, embedded_valkey

WEBHOOK_SECRET = "whsec_test_demo"  # noqa: S105  signs simulated events only
# The billing system of the merchant's own, which speaks the neutral format.
OWN = "own"
OWN_SECRET = "whsec_" + b64encode(b"a test secret of the demo").decode()
_READY_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15
_PROGRAMS: Mapping[str, Sequence[str]] = MappingProxyType({name: command_line(name) for name in PROGRAMS})

_NOTHING: Mapping[str, str] = MappingProxyType({})


class StageError(SandboxError):
    """One of our processes ended, or did not start in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The running stage. `environment` is what each of our processes was given; `told` are the ids of events
    that other billing systems than Stripe have sent, each as often as it was taken.
    """

    postgres: PostgresServer
    valkey: ValkeyServer
    stripe: SimulatedStripe
    commet: SimulatedCommet
    inbox: Inbox
    chat: Chat
    processes: Processes
    environment: dict[str, str]
    receiver_url: str
    api_url: str
    logs: Path
    told: list[str] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    @property
    def api_key(self) -> str:
        return self.environment["DUNNING_API_KEYS"]

    def addresses(self) -> list[str]:
        """Commands to look around with, as lines for a shell."""
        key = f"Authorization: Bearer {self.api_key}"
        customer = self.stripe.engine.ledger.all(Customer)[0].id
        return [
            f"export DATABASE_URL='{self.database_url}' REDIS_URL='{self.environment['REDIS_URL']}'",
            "dunning status",
            "dunning case list",
            f"dunning explain {customer}",
            f"curl -H '{key}' {self.api_url}/v1/access/{customer}",
            f"curl {self.receiver_url}/readyz",
            f"curl -H 'Authorization: Bearer {self.stripe.api_key}' {self.stripe.url}/v1/events",
        ]

    def check(self) -> None:
        """Raise StageError when one of our processes has ended."""
        for exited in self.processes.poll():
            raise StageError(f"{exited.name} ended with exit code {exited.code}\n{self._end_of(exited.name)}")

    def _end_of(self, name: str) -> str:
        log = self.logs / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:] if log.exists() else []
        return "\n  ".join([f"the end of {log}:", *lines])


@contextlib.contextmanager
def stage(
    directory: Path,
    seed: int,
    tell: Callable[[str], None] = lambda what: None,
    *,
    programs: Mapping[str, Sequence[str]] = _PROGRAMS,
    settings: Mapping[str, str] = _NOTHING,
    delivery: DeliveryPolicy | None = None,
    durable: bool = False,
) -> Iterator[Stage]:
    """Set the stage while the block runs; mails and logs are kept in `directory`, all else is temporary.

    Args:
        tell: hears what is being started.
        programs: the command line of each of our processes, by name; without any, others take their place.
        settings: what they are given beside the usual.
        delivery: how webhooks come; a fifth of them twice and all in no order if nothing else is said.
        durable: what PostgreSQL has committed outlives a crash of it, which makes it slower.

    Raises:
        StageError: one of our processes did not start; and what `sandbox.errors` lists.
    """
    logs = directory / "logs"
    logs.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        tell("PostgreSQL")
        postgres = stack.enter_context(embedded_postgres(durable=durable))
        tell("Valkey")
        valkey = stack.enter_context(embedded_valkey())
        tell("the schema")
        upgrade(postgres.url)
        tell("the world outside")
        inbox = stack.enter_context(mail_inbox(directory / "mails", clock_header="Date"))
        chat = stack.enter_context(chat_room())
        stripe = stack.enter_context(simulated_stripe(seed=seed, delivery=delivery or _disorder(seed)))
        commet = stack.enter_context(simulated_commet(DAY_ZERO))
        environment = _environment(postgres.url, valkey.url, stripe, inbox, chat) | _at_commet(commet)
        environment |= dict(settings)
        processes = Processes(_writer(logs))
        stack.callback(processes.stop_all)
        for name, command in programs.items():
            tell(name)
            processes.start(name, command, environment, cwd=logs)
        set_up = Stage(
            postgres=postgres,
            valkey=valkey,
            stripe=stripe,
            commet=commet,
            inbox=inbox,
            chat=chat,
            processes=processes,
            environment=environment,
            receiver_url=f"http://127.0.0.1:{environment['DUNNING_RECEIVER_PORT']}",
            api_url=f"http://127.0.0.1:{environment['DUNNING_API_PORT']}",
            logs=logs,
        )
        stripe.add_endpoint(f"{set_up.receiver_url}/webhooks/stripe", WEBHOOK_SECRET)
        commet.send_to(_noted(post_to(f"{set_up.receiver_url}/webhooks/commet"), set_up.told), WEBHOOK_SECRET)
        if programs:
            _wait_until_ready(set_up)
        yield set_up


def _disorder(seed: int) -> DeliveryPolicy:
    """Webhooks come twice now and then and in no order, as they may from Stripe."""
    return DeliveryPolicy(duplicates=0.2, shuffle=True, seed=seed)


def _environment(
    database_url: str, redis_url: str, stripe: SimulatedStripe, inbox: Inbox, chat: Chat
) -> dict[str, str]:
    """The settings of all processes, and nothing of the caller's own."""
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SMTP_URL": inbox.url,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_API_KEY": stripe.api_key,
        "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "DUNNING_EVENT_SOURCES": f"{OWN} standard {OWN_SECRET}",
        "DUNNING_LIVEMODE": "false",
        "DUNNING_RECEIVER_PORT": str(free_port()),
        "DUNNING_API_PORT": str(free_port()),
        "DUNNING_API_KEYS": "test-key-of-the-demo",
        "DUNNING_TEAM_WEBHOOK_URL": chat.url,
        "DUNNING_TICK_SECONDS": "0.5",
        "DUNNING_SWEEP_DELAY_SECONDS": "1",
        "DUNNING_LOG_FORMAT": "json",
    }
    return clean_environment() | dict(merchant.SETTINGS) | settings


def _at_commet(commet: SimulatedCommet) -> dict[str, str]:
    return {
        "COMMET_API_BASE": commet.url,
        "COMMET_API_KEY": commet.api_key,
        "COMMET_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "DUNNING_TEST_CLOCKS": f"{OWN},commet",
    }


def _noted(post: Post, told: list[str]) -> Post:
    """Deliver, and keep the ids of what was taken."""

    def deliver(body: bytes, headers: dict[str, str]) -> int:
        status = post(body, headers)
        if status == httpx.codes.OK:
            told.append(str(json.loads(body)["id"]))
        return status

    return deliver


def _writer(logs: Path) -> Callable[[str, str], None]:
    """Append each line a process writes to its own log."""

    def write(name: str, line: str) -> None:
        with (logs / f"{name}.log").open("a") as log:
            log.write(f"{line}\n")

    return write


def _wait_until_ready(stage: Stage) -> None:
    """The workers need no waiting for: what comes before they have started waits for them."""
    deadline = time.monotonic() + _READY_SECONDS
    for url in (stage.receiver_url, stage.api_url):
        while not _answers(f"{url}/healthz"):
            stage.check()
            if time.monotonic() > deadline:
                raise StageError(
                    f"{url} did not answer within {_READY_SECONDS:.0f} s; the logs are in {stage.logs}"
                )
            time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:  # not listening yet
        return False
