"""What holds for one case whatever the time is and whatever we have done."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dunning.account import Account, Case
from dunning.case import Situation, situation
from dunning.deadline import grace_ends_at, in_working_hours, moved_at
from dunning.declines import Category
from dunning.lazy import altered, lazy
from dunning.policy import Policy
from dunning.segments import PolicySource
from dunning.standing import Standing, standing
from dunning.steps import hours
from dunning.zones import zone_of


class Terms:
    """One case with what is said of it and its policy: all that neither time nor our own deeds change.

    `said` is what people's instructions come to for the case.
    """

    def __init__(self, s: Situation, said: Standing, policy: Policy) -> None:
        self.s, self.said, self.policy = s, said, policy

    def once_taken(self, account: Account) -> Terms:
        """The same in the account of right after access was taken, for this case or another."""
        return altered(self, s=self.s.once_taken(account))

    @lazy
    def granted_until(self) -> datetime:
        """The end of grace, at whatever hour."""
        return grace_ends_at(self.s, self.said, self.policy)

    @lazy
    def grace_ends_at(self) -> datetime:
        """When access ends if every warning comes in time."""
        return in_working_hours(self.granted_until, self.policy)

    @lazy
    def waits(self) -> tuple[timedelta, ...]:
        """How long after the first failure the ladder tells of such a one."""
        return self.policy.ladder.of(self.s.decline.category)

    @lazy
    def rungs(self) -> list[datetime]:
        """When it does."""
        return [self.s.case.opened_at + wait for wait in self.waits]

    @lazy
    def moved_at(self) -> datetime | None:
        """When the end of grace became what it is; None: it has never moved."""
        return moved_at(self.s, self.policy)

    @lazy
    def warnings(self) -> list[tuple[timedelta, str]]:
        """Each final warning, by how long before the end it comes, with its key.

        Each time the deadline moves, whatever moved it, the customer is warned anew.
        """
        moved = f"{self.moved_at:%Y%m%dT%H%M%S}:" if self.moved_at else ""
        prefix = f"final_warning:{self.s.case.invoice}:{moved}"
        return [(before, f"{prefix}{hours(before)}h") for before in self.policy.final_warnings]

    @lazy
    def zone(self) -> ZoneInfo:
        """The customer's."""
        return zone_of(self.s.account, self.policy.time_zone)

    def hold_for(self, other: Terms) -> bool:
        """Whether, of two that differ in charges alone, whoever does not count them need not know.

        A processing error is told by how often it came, and a new way to pay is new until it is charged.
        """
        return (
            self.s.decline == other.s.decline
            and self.s.decline.category is not Category.PROCESSING_ERROR
            and self.s.account.customer.method_changed_at is None
            and self.s.needs_customer_since == other.s.needs_customer_since
            and self.said == other.said
            and self.granted_until == other.granted_until
            and self.moved_at == other.moved_at
            and self.zone == other.zone
        )

    @lazy
    def high_value(self) -> bool:
        """Whether the amount, or an annual plan, is worth a person's attention from the first failure on."""
        invoice, subscription = self.s.invoice, self.s.subscription
        least = self.policy.high_value.get(invoice.currency.lower())
        annual = self.policy.annual_is_high_value and subscription.interval == "year"
        return annual or (least is not None and invoice.amount_remaining >= least)


def terms(account: Account, case: Case, policies: PolicySource) -> Terms:
    """The terms of one case of a settled account."""
    policy = policies.of(case)
    return Terms(situation(account, case), standing(account, case, policy.zone), policy)
