"""foretell(account, ...) -> Foretold: what a customer would hear and lose from now on, if nobody pays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dunning.account import Account
from dunning.segments import PolicySource
from dunning.steps import Effect, Kind, Step
from dunning.taking import live

# Longer than it takes from a takeover to the end of access, by most policies.
HORIZON = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Foretold:
    """`steps` in order, `due_at` being when each is taken. `owed` is by currency, in its minor unit."""

    account: Account
    owed: Mapping[str, int]
    failed_at: datetime | None
    steps: tuple[Step, ...]

    @property
    def mails(self) -> list[Step]:
        """To the customer."""
        return [step for step in self.steps if step.kind is Kind.MAIL]

    @property
    def calls(self) -> list[Step]:
        """To the team."""
        return [step for step in self.steps if step.kind is Kind.TEAM]

    def access_at(self, *levels: str) -> datetime | None:
        """When access first becomes one of these."""
        taken = (step.due_at for step in self.steps if step.kind is Kind.ACCESS and step.name in levels)
        return next(taken, None)


def foretell(
    account: Account, history: Mapping[str, Effect], policies: PolicySource, now: datetime
) -> Foretold:
    """The life of a settled account from `now` on, with every step arriving as it is taken.

    Of the calls that are repeated until somebody answers, the first tells the story.
    """
    until = now + HORIZON

    def in_time(_: Account, step: Step) -> bool:
        again = step.name.startswith("reminder:") and step.name != "reminder:1"
        return step.due_at <= until and not again

    lived = live(account, dict(history), policies, now, allowed=in_time)
    cases = list(account.open_cases())
    owed: Counter[str] = Counter()
    for case in cases:
        invoice = account.invoices[case.invoice]
        owed[invoice.currency] += invoice.amount_remaining
    return Foretold(
        account,
        dict(owed),
        min((case.opened_at for case in cases), default=None),
        tuple(step for moment in lived for step in moment.taken),
    )
