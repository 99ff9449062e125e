"""What every rule may look at: one case, what was said and done before, the policy and the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from dunning.account import Account, Case
from dunning.case import Situation, situation
from dunning.deadline import access_ends_at, grace_ends_at, in_working_hours, warnings_accepted
from dunning.policy import Policy
from dunning.segments import PolicySource
from dunning.standing import Standing, standing
from dunning.steps import FRESH_LINK, Effect, History, Kind, Step, Withheld, hours
from dunning.zones import zone_of


@dataclass(frozen=True)
class Context:
    """`said` is what people's instructions come to for the case."""

    s: Situation
    said: Standing
    history: History
    policy: Policy
    now: datetime

    @property
    def ref(self) -> str:
        return self.s.case.invoice

    # steps

    def mail(self, key: str, name: str, due_at: datetime, reason: str) -> Step:
        return Step(Kind.MAIL, key, name, self.ref, due_at, reason)

    def team(self, name: str, due_at: datetime, reason: str) -> Step:
        return Step(Kind.TEAM, f"escalation:{self.ref}:{name}", name, self.ref, due_at, reason)

    def withhold(self, key: str, reason: str) -> Withheld:
        return Withheld(key, self.ref, reason)

    # what was done

    @cached_property
    def mails(self) -> list[Effect]:
        """Every mail that may have reached this person, in any of their cases; none that they asked for."""
        every = (e for e in self.history.values() if e.kind is Kind.MAIL and e.name != FRESH_LINK)
        return [e for e in every if e.reached_somebody]

    @cached_property
    def mails_of_case(self) -> list[Effect]:
        return [effect for effect in self.mails if effect.case == self.ref]

    @cached_property
    def warned_at(self) -> list[datetime]:
        """When the warnings that speak of the present deadline were accepted, earliest first."""
        return warnings_accepted(self.s.case, self.history, self.said.moved_at)

    def warning_key(self, before: timedelta) -> str:
        """Each time somebody moves the deadline, the customer is warned anew."""
        moved = f"{self.said.moves}:" if self.said.moves else ""
        return f"final_warning:{self.ref}:{moved}{hours(before)}h"

    @cached_property
    def failed_attempts(self) -> int:
        """How many charges really failed, those we made ourselves included.

        Stripe counts a charge that is asked for by hand, as ours are, in no position of its schedule.
        """
        scheduled = self.s.executed_attempts
        return max(scheduled, min(scheduled + self._own_charges, len(self.s.charges)))

    @property
    def failed_at(self) -> datetime:
        """When the last of them failed."""
        return self.s.last_failed_at if self._own_charges else self.s.failed_at

    @cached_property
    def _own_charges(self) -> int:
        made = [e for e in self.history.values() if e.kind is Kind.RETRY and e.case == self.ref]
        return sum(effect.status == "sent" for effect in made)

    # when, and for whom

    @cached_property
    def grace_ends_at(self) -> datetime:
        """When access ends if every warning comes in time."""
        return in_working_hours(grace_ends_at(self.s, self.said, self.policy), self.policy)

    @cached_property
    def ends_at(self) -> datetime:
        """When access ends, as it has to be told now."""
        return access_ends_at(self.s, self.said, self.history, self.policy, self.now)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The customer's."""
        return zone_of(self.s.account, self.policy.time_zone)

    @cached_property
    def high_value(self) -> bool:
        """Whether the amount, or an annual plan, is worth a person's attention from the first failure on."""
        invoice, subscription = self.s.invoice, self.s.subscription
        least = self.policy.high_value.get(invoice.currency.lower())
        annual = self.policy.annual_is_high_value and subscription.interval == "year"
        return annual or (least is not None and invoice.amount_remaining >= least)


Rule = Callable[[Context], Iterator[Step | Withheld]]


def context(account: Account, case: Case, history: History, policies: PolicySource, now: datetime) -> Context:
    """The context of one case of a settled account."""
    policy = policies.of(case)
    return Context(situation(account, case), standing(account, case, policy.zone), history, policy, now)
