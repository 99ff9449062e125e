"""All our programs between a simulated Stripe and a mail server, and events sent to them in some ways."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from benchmarks.experiment import Figures
from benchmarks.experiments import receivers, steps
from benchmarks.generator.flood import percentile
from benchmarks.house import SECRET, House
from benchmarks.programs import dunning, module
from benchmarks.waiting import wait_until
from benchmarks.world.outside import simulated_stripe
from worker import queues
from worker.queues import Wakeup

PER_SECOND = 20.0
LIMIT = 60.0  # seconds for a flood
PROGRAMS = ("worker", "mailer", "scheduler")

_UNFINISHED = """
SELECT EXISTS (SELECT FROM inbox WHERE status = 'pending')
    OR EXISTS (SELECT FROM outbox WHERE status IN ('pending', 'sending'))
"""


class _Post:
    """When the mail for each recipient was handed over, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}

    def hear(self, line: str) -> None:
        """A line of the mail server's."""
        word, _, rest = line.partition(" ")
        if word == "mail":
            at, _, recipient = rest.partition(" ")
            self.arrived.setdefault(recipient, float(at))


class Chain:
    """All our programs, between a simulated Stripe and a mail server."""

    def __init__(self, house: House, stack: ExitStack, failing: int) -> None:
        self._house, self._post = house, _Post()
        self._database, self._redis = house.database(), house.redis(6)
        house.execute(self._database, steps.NOTE_CLAIMS)
        directory = Path(stack.enter_context(TemporaryDirectory()))
        starting = simulated_stripe(house, stack, directory, failing)
        smtp = house.programs.start_listening(
            stack, "mail server", module("world.mail"), house.environment("", ""), self._post.hear
        )
        stripe = starting()
        environment = house.environment(
            self._database, self._redis, STRIPE_API_BASE=stripe.url, SMTP_URL=smtp()
        )
        receiver = house.launch_server("receiver", dunning("receiver"), environment, "DUNNING_RECEIVER_PORT")
        stack.callback(receiver.stop)
        started = []
        for name in PROGRAMS:
            program = house.programs.start(name, dunning(name), environment)
            stack.callback(program.stop)
            started.append(program)
        receiver.wait_for_health()
        for program in started:
            program.wait_for_line(".started")
        self._port = receiver.port
        self._bodies = stripe.failures
        self._customers = [json.loads(body)["data"]["object"]["customer_email"] for body in self._bodies]

    def at_a_rate(self, count: int, per_second: float = PER_SECOND) -> Figures:
        """So many events, at a rate they do not choose."""
        self._begin_anew()
        due = self._send(self._bodies[:count], per_second)
        return self._figures(self._customers[:count], due)

    def without_mails(self, bodies: Sequence[str], per_second: float) -> None:
        """Events that nobody is told of, until all of them are applied."""
        self._begin_anew()
        self._send(bodies, per_second)
        self.wait_for_rest()

    @contextmanager
    def nobody_applies(self) -> Iterator[None]:
        """Events are stored, from empty tables, and left lying while the block runs."""
        self._begin_anew()
        latest = self._house.programs.latest
        with latest["worker"].frozen(), latest["scheduler"].frozen():
            yield

    def store(self, bodies: Sequence[str], per_second: float) -> None:
        """Events, while nobody applies them."""
        self._send(bodies, per_second)

    def store_at_once(self, bodies: Sequence[str]) -> int:
        """Events as fast as they are answered, while nobody applies them; the messages that they come to."""
        requests = self._requests(bodies)
        self._house.generator.flood(self._port, requests, warm_up=0.0, seconds=LIMIT)
        with redis.Redis.from_url(self._redis) as client:
            return int(client.hlen(_messages(queues.EVENTS)))

    def wait_for_rest(self) -> None:
        """Until nothing is left to do for anybody."""
        wait_until(self._at_rest, "the end of what was sent", every=0.05)

    def one_by_one(self, count: int) -> Figures:
        """Each event when the mail of the last one has come: nobody waits for anybody else."""
        self._begin_anew()
        due = []
        for body, customer in zip(self._bodies[:count], self._customers, strict=False):
            due += self._send([body], PER_SECOND)
            self._wait_for([customer])
        return self._figures(self._customers[:count], due)

    def _send(self, bodies: Sequence[str], per_second: float) -> list[float]:
        return self._house.generator.pace(self._port, self._requests(bodies), per_second)

    def _requests(self, bodies: Sequence[str]) -> dict[str, Any]:
        return {"kind": "bodies", "path": receivers.PATH, "secret": SECRET, "bodies": list(bodies)}

    def _figures(self, customers: Sequence[str], due: Sequence[float]) -> Figures:
        self._wait_for(customers)
        sent, arrived = dict(zip(customers, due, strict=True)), self._post.arrived
        took = sorted(arrived[customer] - sent[customer] for customer in customers)
        ways = steps.ways(self._house, self._database, sent, arrived)
        whole = {"p50_ms": 1000 * percentile(took, 50), "p99_ms": 1000 * percentile(took, 99)}
        return {**whole, **steps.figures(ways)}

    def _wait_for(self, customers: Sequence[str]) -> None:
        wanted = set(customers)
        wait_until(lambda: wanted <= self._post.arrived.keys(), f"the mails of {len(wanted)} events")

    def _begin_anew(self) -> None:
        """When everything of the last round is done: the same failures are news again."""
        self.wait_for_rest()
        self._house.empty(self._database)
        self._house.query(self._database, "TRUNCATE claims")
        self._post.arrived.clear()

    def _at_rest(self) -> bool:
        with redis.Redis.from_url(self._redis) as client:
            if client.exists(*map(_messages, queues.WAKEUPS)):
                return False
        return not self._house.query(self._database, _UNFINISHED)[0][0]


def _messages(wakeup: Wakeup) -> str:
    """Where Dramatiq keeps those that are not acknowledged yet."""
    return f"{queues.NAMESPACE}:{wakeup.queue}.msgs"
