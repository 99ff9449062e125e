"""A story lived through: facts come late and in any order, mails fail, Stripe is away, and steps are taken.

What the worker does with a database is done here with plain values: fold, settle, take what is due, send.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dunning.account import Account, Outcome
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import empty, fold
from dunning.plan import plan, why_not
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Step
from sandbox.stripe.records import Invoice
from tests.dunning.stories import Story
from worker.usecases.enact import take_due_steps

GAP = timedelta(hours=48)
WARNED_BEFORE = timedelta(hours=72)


@dataclass
class Life:
    """The account as the worker keeps it, with every promise checked whenever a step is taken."""

    story: Story
    policy: Policy = field(default_factory=Policy)
    account: Account = field(init=False)
    history: dict[str, Effect] = field(default_factory=dict)
    waiting: list[tuple[datetime, list[CustomerFact]]] = field(default_factory=list)
    taken: list[tuple[datetime, Step]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = empty("stripe", self.story.customer.id)

    # facts

    def hear(self, delays: Iterable[float]) -> None:
        """What Stripe says now arrives after so many days, each event in its own time."""
        for said, delay in zip(self.story.tell(), delays, strict=False):
            self.waiting.append((self.story.now + timedelta(days=delay), said))

    def deliver(self, *, everything: bool = False) -> None:
        """Fold what has arrived."""
        ripe = [entry for entry in self.waiting if everything or entry[0] <= self.story.now]
        self.waiting = [entry for entry in self.waiting if entry not in ripe]
        for _, said in sorted(ripe, key=lambda entry: entry[0]):
            self.fold(said)

    def fold(self, facts: list[CustomerFact]) -> None:
        """Learn these facts, and drop what they make pointless, as the worker does."""
        before = self.account
        self.account = settle(fold(before, *facts), self.policy)
        for ref, case in self.account.cases.items():
            if not case.is_open and ref in before.cases and before.cases[ref].is_open:
                for key, effect in self.history.items():
                    if effect.case == ref and effect.status == "pending" and effect.kind is Kind.MAIL:
                        self.history[key] = replace(effect, status="suppressed")

    # steps

    def enact(self, *, stripe_answers: bool = True) -> None:
        """Take what is due; access only after asking Stripe."""
        now = self.story.now
        due = plan(self.account, self.history, self.policy, now).due(now)
        verified = {step.case for step in due if step.kind is Kind.ACCESS} if stripe_answers else set()
        for invoice in sorted(verified):
            self.fold(self.story.ask(invoice))
        self.account, planned, steps = take_due_steps(self.account, self.history, self.policy, now, verified)
        for step in steps:
            self._check(step, now)
            self.taken.append((now, step))
            if step.kind is not Kind.ACCESS:
                self.history[step.key] = Effect(step.key, step.kind, step.name, step.case, "pending", now)
        for ref in self.account.cases:
            next_due = planned.next_due(ref)
            unverified = any(
                step.kind is Kind.ACCESS and step.case == ref and ref not in verified
                for step in planned.due(now)
            )
            assert next_due is None or next_due > now or unverified

    def send(self, answers: Iterable[str]) -> None:
        """Carry out what waits, with these answers of the mail server; "pending" is "try again later"."""
        waiting = [effect for effect in self.history.values() if effect.status == "pending"]
        for effect, answer in zip(waiting, answers, strict=False):
            excuse = why_not(self.account, self.history, self.policy, self.story.now, effect.key)
            status = "suppressed" if excuse else answer
            accepted_at = self.story.now if status == "sent" else None
            self.history[effect.key] = replace(effect, status=status, accepted_at=accepted_at)

    # promises

    def _check(self, step: Step, now: datetime) -> None:
        assert step.key not in [other.key for _, other in self.taken], "a step was taken twice"
        invoice = self.account.invoices[step.case]
        if step.kind is Kind.MAIL and invoice.paid_at:
            assert step.name == "payment_recovered", "a mail other than the receipt after the payment"
        if step.name == "payment_failed":
            self._check_gap(now)
        if step.kind is Kind.ACCESS:
            self._check_access(step, now)

    def _check_gap(self, now: datetime) -> None:
        mails = [each for each in self.history.values() if each.kind is Kind.MAIL and each.reached_somebody]
        for earlier in mails:
            assert now - (earlier.accepted_at or earlier.created_at) >= GAP, "two mails within 48 hours"
        same_time = [each for at, each in self.taken if at == now and each.kind is Kind.MAIL]
        assert not [each for each in same_time if self.history[each.key].reached_somebody]

    def _check_access(self, step: Step, now: datetime) -> None:
        truth = self.story.engine.get(Invoice, step.case)
        assert truth.status not in ("paid", "void"), "access was taken for a settled invoice"
        assert self.policy.revocation_hours.open_at(now, self.policy.zone), "taken outside of working hours"
        if step.key.startswith("restriction:"):
            told = [e.accepted_at for e in self.history.values() if e.case == step.case and e.accepted_at]
            assert told, "limited without a mail"
            assert now - min(told) >= WARNED_BEFORE, "limited too soon after the first mail"
            return
        assert now >= self.story.first_failure(step.case) + self.policy.grace, "taken before grace ended"
        warned = [
            each.accepted_at
            for each in self.history.values()
            if each.case == step.case and each.name == "final_warning" and each.accepted_at
        ]
        assert warned, "taken without an accepted warning"
        assert now - min(warned) >= WARNED_BEFORE, "taken too soon after the warning"
        assert self.account.cases[step.case].outcome is not Outcome.RECOVERED
