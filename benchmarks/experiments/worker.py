"""Row 4: how many events one worker process applies: facts, access and journal committed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments import inbox
from benchmarks.experiments.backlog import Backlog
from benchmarks.house import House
from benchmarks.peers.names import NOOP, USUAL
from benchmarks.programs import Program, dunning, module
from benchmarks.scale import Scale
from benchmarks.world.accounts import subscription_updates
from benchmarks.world.outside import simulated_stripe
from worker.queues import EVENTS, Wakeup

FIRST = 100
THREADS = "8"  # of every worker here; our own default


class _OurWorker:
    """`dunning worker --queues events` on rows that wait in the inbox."""

    def __init__(self, house: House, stack: ExitStack, name: str, redis: int, **settings: str) -> None:
        self._house = house
        self._database, self._redis = house.database(), house.redis(redis)
        environment = house.environment(
            self._database, self._redis, DUNNING_WORKER_THREADS=THREADS, **settings
        )
        program = _start(house, stack, name, dunning("worker", "--queues", "events"), environment)
        self._backlog = _backlog(stack, program, self._redis, EVENTS)

    def apply(self, bodies: Sequence[str]) -> Figures:
        """All of them, from empty tables."""
        self._house.empty(self._database)
        self._house.forget(self._redis)
        ids = inbox.store(self._database, inbox.rows(bodies))
        seconds = self._backlog.work_off(self._backlog.messages(ids))
        inbox.check_applied(self._house, self._database, len(bodies))
        return {"rate": len(bodies) / seconds}


class _UsualWorker:
    """The usual actor on rows of its own table."""

    def __init__(self, house: House, stack: ExitStack) -> None:
        self._house, self._database = house, house.database(migrated=False)
        redis = house.redis(4)
        environment = house.environment(self._database, redis, DUNNING_WORKER_THREADS=THREADS)
        program = _start(house, stack, "usual actor", module("peers.actors", USUAL.queue), environment)
        self._backlog = _backlog(stack, program, redis, USUAL)

    def apply(self, bodies: Sequence[str]) -> Figures:
        """All of them, from empty tables."""
        self._house.query(self._database, "TRUNCATE audit, events, subscriptions RESTART IDENTITY")
        ids = list(range(1, len(bodies) + 1))
        self._house.query(
            self._database,
            "INSERT INTO events (id, payload) SELECT * FROM unnest($1::bigint[], $2::text[])",
            ids,
            bodies,
        )
        seconds = self._backlog.work_off(self._backlog.singles(ids))
        done = self._house.query(self._database, "SELECT count(*) FROM audit")[0][0]
        if done != len(bodies):
            raise BenchmarkError(f"the usual actor processed {done} of {len(bodies)} events")
        return {"rate": len(bodies) / seconds}


class _NoopWorker:
    """Messages that nobody does anything for."""

    def __init__(self, house: House, stack: ExitStack) -> None:
        redis = house.redis(5)
        environment = house.environment(house.database(migrated=False), redis, DUNNING_WORKER_THREADS=THREADS)
        program = _start(house, stack, "no-op messages", module("peers.actors", NOOP.queue), environment)
        self._backlog = _backlog(stack, program, redis, NOOP)

    def apply(self, count: int) -> Figures:
        """So many messages."""
        return {"rate": count / self._backlog.work_off(self._backlog.singles(range(count)))}


def _start(
    house: House, stack: ExitStack, name: str, command: Sequence[str], environment: dict[str, str]
) -> Program:
    program = house.programs.start(name, command, environment)
    stack.callback(program.stop)
    program.wait_for_line("worker.started")
    return program


def _backlog(stack: ExitStack, program: Program, redis_url: str, wakeup: Wakeup) -> Backlog:
    backlog = Backlog(program, redis_url, wakeup)
    stack.callback(backlog.close)
    return backlog


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    updates = subscription_updates(scale.worker_messages)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        stripe = simulated_stripe(house, stack, directory, scale.failing_customers)
        ours = _OurWorker(house, stack, "worker", 2)
        asking = _OurWorker(house, stack, "worker that asks", 3, STRIPE_API_BASE=stripe.url)
        noop, usual = _NoopWorker(house, stack), _UsualWorker(house, stack)
        # The first messages open connections and import what only they need; they do not count.
        ours.apply(updates[:FIRST])
        asking.apply(stripe.failures[:FIRST])
        noop.apply(FIRST)
        usual.apply(updates[:FIRST])
        yield [
            Contender("worker", lambda: ours.apply(updates)),
            Contender("no-op messages", lambda: noop.apply(4 * len(updates))),
            Contender("usual actor", lambda: usual.apply(updates)),
            Contender("worker that asks", lambda: asking.apply(stripe.failures)),
            Contender("simulated Stripe", lambda: stripe.answer(house.generator, scale)),
        ]


WORKER = Experiment(
    "worker",
    "Worker, one process: from the inbox to facts, access and journal committed",
    _set_up,
    (
        Mark("events, to no-op messages", "worker", "rate", "no-op messages", must=0.5, aim=1.5),
        Mark("events, to the usual actor", "worker", "rate", "usual actor", must=3),
        Mark(
            "failed payments, Stripe asked, to what the simulated Stripe can answer",
            "worker that asks",
            "rate",
            "simulated Stripe",
        ),
    ),
)
