"""Row 4: how many events one worker process applies: facts, access and journal committed."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.experiment import Contender, Experiment, Mark
from benchmarks.experiments.workers import FIRST, NoopWorkers, OurWorkers, UsualWorker
from benchmarks.house import House
from benchmarks.scale import Scale
from benchmarks.world.accounts import subscription_updates
from benchmarks.world.outside import simulated_stripe

SLOWER = 3  # by at least as much; so it is given a part of the events, one in so many


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    updates = subscription_updates(scale.worker_messages)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        starting = simulated_stripe(house, stack, directory, scale.failing_customers)
        ours = OurWorkers(house, stack, "worker", 2)
        noop, usual = NoopWorkers(house, stack, 5), UsualWorker(house, stack, 4)
        stripe = starting()
        asking = OurWorkers(house, stack, "worker that asks", 3, STRIPE_API_BASE=stripe.url)
        # The first messages open connections and import what only they need; they do not count.
        ours.apply(updates[:FIRST])
        asking.apply(stripe.failures[:FIRST])
        noop.apply(FIRST)
        usual.apply(updates[:FIRST])
        yield [
            Contender("worker", lambda: ours.apply(updates)),
            Contender("no-op messages", lambda: noop.apply(2 * len(updates))),
            Contender("usual actor", lambda: usual.apply(updates[::SLOWER])),
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
        Mark("PostgreSQL's part of the processor time", "worker", "postgres_percent"),
        Mark(
            "failed payments, Stripe asked, to what the simulated Stripe can answer",
            "worker that asks",
            "rate",
            "simulated Stripe",
        ),
    ),
)
