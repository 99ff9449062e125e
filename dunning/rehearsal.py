"""rehearse(account, policies) -> Rehearsal: all that a policy would do about one failure, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dunning.account import Account, Charge
from dunning.case import classify_charge
from dunning.declines import Category
from dunning.hindsight import Hindsight
from dunning.imagined import INVOICE
from dunning.policy import Policy
from dunning.replay import moments
from dunning.segments import PolicySource
from dunning.steps import Step, Withheld
from dunning.zones import zone_of


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`withheld` is what was considered and never done, with the last reason; `zone` is the customer's."""

    policy: Policy
    zone: ZoneInfo
    charges: tuple[Charge, ...]
    paid_at: datetime | None
    steps: tuple[Step, ...]
    withheld: tuple[Withheld, ...]

    @property
    def category(self) -> Category:
        """What the first charge was declined for."""
        return classify_charge(self.charges[0]).category

    @property
    def segment(self) -> str:
        """The name at the end of the policy's key."""
        return self.policy.key.rpartition("/")[2]


def rehearse(account: Account, policies: PolicySource) -> Rehearsal:
    """Live an imagined account (`imagined.imagine`) through the policy that fits it."""
    past = Hindsight(account)
    steps: list[Step] = []
    withheld: dict[str, Withheld] = {}
    for moment in moments(past, policies):
        steps += moment.taken
        for item in moment.look.withheld:
            # What was said last counts, in the order of the last times it was said.
            withheld.pop(item.key, None)
            withheld[item.key] = item
    done = {step.key for step in steps}
    known = past.at(past.moments[0])
    policy = policies.choose(known, known.invoices[INVOICE])
    return Rehearsal(
        policy=policy,
        zone=zone_of(account, policy.time_zone),
        charges=tuple(account.charges_of(INVOICE)),
        paid_at=account.invoices[INVOICE].paid_at,
        steps=tuple(steps),
        withheld=tuple(item for item in withheld.values() if item.key not in done),
    )
