"""Row 1 once more: the receiver beside dj-stripe, which teams with Django have."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Experiment, Mark
from benchmarks.experiments import receivers
from benchmarks.experiments.receivers import Recipe
from benchmarks.house import SECRET, House
from benchmarks.peers.djstripe.environment import HERE, environment
from benchmarks.scale import Scale
from benchmarks.world.accounts import event_template
from benchmarks.world.outside import Stripe, simulated_stripe

# Of the project's endpoint (`benchmarks.peers.djstripe.project`, which our own Python cannot import).
PATH = "/stripe/webhook/0b7c1d2e-5f64-4a83-9b0e-3c8d5a7f1e29/"
# More threads of one process, 4, 8 and 16 of which were tried, brought it no more events.
THREADS = 8
# Enough to keep its threads busy: over 64, as our receiver has, as many events wait three times as long.
CONNECTIONS = 2 * THREADS


def _tables(house: House, programs: Path) -> str:
    """The url of a database with its tables; Stripe is asked nothing meanwhile."""
    database = house.database(migrated=False)
    environment = house.environment(database, "", PROCESSING="itself", STRIPE_API_BASE="http://127.0.0.1:1")
    made = subprocess.run(  # noqa: S603 -- a file of ours
        [str(programs / "python"), "project.py", SECRET],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise BenchmarkError(f"dj-stripe's tables could not be made:\n{made.stderr}")
    return database


def _recipe(
    house: House, programs: Path, stripe: Stripe, database: str, name: str, processing: str
) -> Recipe:
    """dj-stripe with a database of its own on the same server."""
    environment = house.environment(database, "", PROCESSING=processing, STRIPE_API_BASE=stripe.url)
    command = [str(programs / "gunicorn"), "--chdir", str(HERE), "--workers", "1", "--threads", f"{THREADS}"]
    command += ["--keep-alive", "75", "--no-control-socket", "--log-level", "warning", "project:application"]
    table = "djstripe_webhookeventtrigger"
    return Recipe(name, command, environment, "PORT", database, "", table, PATH, CONNECTIONS)


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    programs = environment()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        starting = simulated_stripe(house, stack, directory, 1)
        database = _tables(house, programs)
        another = house.copy(database)
        stripe = starting()
        template = event_template(stripe.failures[0])  # of an invoice that this Stripe has
        recipes = (
            receivers.receiver(house),
            _recipe(house, programs, stripe, database, "dj-stripe", "itself"),
            _recipe(house, programs, stripe, another, "dj-stripe with a queue", "queue"),
        )
        yield receivers.contenders(house, scale, stack, recipes, template)


DJSTRIPE = Experiment(
    "djstripe",
    "Receiver (64 connections) beside dj-stripe (16): signed events of 4 KB, answered when committed",
    _set_up,
    (
        Mark("events, to dj-stripe as it comes", "receiver", "rate", "dj-stripe", must=20),
        Mark(
            "events, to one that leaves processing to a queue", "receiver", "rate", "dj-stripe with a queue"
        ),
    ),
    fetch=environment,
)
