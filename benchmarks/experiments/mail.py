"""Row 5: from an event that comes in to the mail in the mail server's hands, through all our programs."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.experiment import Contender, Experiment, Mark
from benchmarks.experiments import steps
from benchmarks.experiments.chain import Chain
from benchmarks.house import House
from benchmarks.scale import Scale


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with ExitStack() as stack:
        chain = Chain(house, stack, max(scale.mails, scale.mails_alone))
        chain.one_by_one(2)  # opens every connection, and does not count
        yield [
            Contender("20 events/s", lambda: chain.at_a_rate(scale.mails)),
            Contender("one by one", lambda: chain.one_by_one(scale.mails_alone)),
        ]


MAIL = Experiment(
    "mail",
    "From the event to the mail server, at 20 events/s; beside it: one event at a time",
    _set_up,
    (
        Mark("p50", "20 events/s", "p50_ms", must=150, aim=60, better="less"),
        Mark("p99", "20 events/s", "p99_ms", must=1000, aim=250, better="less"),
        Mark("p50, to an event alone", "20 events/s", "p50_ms", "one by one", better="less"),
        *(
            Mark(f"{number}. {what}", "20 events/s", f"{step}_ms", "one by one", better="less")
            for number, (step, what) in enumerate(steps.STEPS.items(), start=1)
        ),
        Mark("the sum of these steps", "20 events/s", "sum_ms", "one by one", better="less"),
    ),
)
