"""How long and how often: what `--quick` and the tests make smaller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of one round; all contenders of a row get the same."""

    rounds: int
    long_rounds: int
    """Of what takes a minute at full size: a hundred thousand cases compared, or events worked off."""
    load_seconds: float
    """Of one flood of requests, after its warm-up."""
    warm_up_seconds: float
    worker_messages: int
    """Inbox rows, or messages, that a worker is given at once."""
    backlog: int
    """Events that an outage has left, with no message for any."""
    failing_customers: int
    """Subscriptions of the simulated Stripe whose renewal has failed."""
    mails: int
    """Events sent at a fixed rate."""
    mails_alone: int
    """Events sent one after the other, each when the mail of the last one has come."""
    mails_due: int
    """Mails that wait to be rendered and sent."""
    customers: int
    """Whose access is asked for."""
    histories: int
    """Customers with a case, whose lives two policies are compared over: the start must hardly count."""
    subscriptions: int
    """Of the business whose graces end."""
    open_cases: int
    """Among them, at least: each round makes others due."""
    due_at_once: int
    """Whose grace ends in a round."""
    asked_at_once: int
    """The same, of those about whom Stripe is asked before."""
    cases: int
    """Of which nothing is due."""


FULL = Scale(
    rounds=5,
    long_rounds=2,
    load_seconds=0.8,
    warm_up_seconds=0.2,
    worker_messages=1_000,
    backlog=100_000,
    failing_customers=100,
    mails=100,
    mails_alone=20,
    mails_due=600,
    customers=2_000,
    histories=100_000,
    subscriptions=1_000_000,
    open_cases=100_000,
    due_at_once=10_000,
    asked_at_once=100,
    cases=1_000_000,
)
QUICK = Scale(
    rounds=3,
    long_rounds=2,
    load_seconds=0.25,
    warm_up_seconds=0.1,
    worker_messages=300,
    backlog=800,
    failing_customers=30,
    mails=16,
    mails_alone=5,
    mails_due=120,
    customers=300,
    histories=300,
    subscriptions=10_000,
    open_cases=3_600,
    due_at_once=600,
    asked_at_once=20,
    cases=10_000,
)
# Shows that everything fits together; its figures mean nothing.
TINY = Scale(
    rounds=1,
    long_rounds=1,
    load_seconds=0.1,
    # A server that was slow once is sent few requests, all of which may be answered during a warm-up.
    warm_up_seconds=0.0,
    worker_messages=60,
    backlog=60,
    failing_customers=4,
    mails=4,
    mails_alone=2,
    mails_due=6,
    customers=10,
    histories=10,
    subscriptions=100,
    open_cases=40,
    due_at_once=8,
    asked_at_once=8,
    cases=10,
)
