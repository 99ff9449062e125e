"""A story lived through: facts come late and in any order, mails fail, Stripe is away, and steps are taken.

What the worker does with a database is done here with plain values: fold, settle, take what is due, send.
Every promise is checked whenever a step is taken and whenever it reaches somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import empty, fold
from dunning.instructions import Instruction
from dunning.plan import plan, verdict
from dunning.policy import Policy
from dunning.reach import recipient
from dunning.refusals import refusal
from dunning.results import CAME_TO_NOTHING, Result
from dunning.steps import Effect, Kind, Plan
from dunning.takeover import take_over
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import Invoice, Subscription
from tests.dunning import promises
from tests.dunning.deeds import SAYINGS, Action, act, instruction
from tests.dunning.promises_of_access import NOT_ARRIVED
from tests.dunning.stories import Story
from worker.usecases.deciding import take_due_steps

# How a mail server answers; "pending" is "try again later".
ANSWERS = ("sent",) * 6 + ("failed", "unknown", "pending")
A_SECOND = timedelta(seconds=1)


@dataclass
class Life:
    """The account as the worker keeps it. The rules are given `policy`; `promised` is what was promised.

    Of the mails a share of `bounces` comes to nothing, whatever the mail server has said.
    """

    story: Story
    policy: Policy
    random: Random
    promised: Policy
    account: Account = field(init=False)
    history: dict[str, Effect] = field(default_factory=dict)
    waiting: list[tuple[datetime, list[CustomerFact]]] = field(default_factory=list)
    done: promises.Done = field(default_factory=promises.Done)
    upcoming: list[datetime] = field(default_factory=list)
    bounces: float = 0.0
    results: list[tuple[datetime, str, Result]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = empty("stripe", self.story.customer.id)

    @property
    def now(self) -> datetime:
        return self.story.now

    # time

    def do(self, action: Action) -> None:
        """What somebody does or says, or time that passes."""
        name, amount = action
        if name == "wait":
            self.wait(amount)
            return
        if name not in SAYINGS:
            act(self.story, action)
        elif (said := instruction(self.account, self.now, action)) and not self._refused(said):
            told = replace(self.account, instructions=(*self.account.instructions, said))
            self.account = settle(told, self.policy)
        self.look()

    def _refused(self, said: Instruction) -> bool:
        """The commands take nothing that changes nothing, so neither do we."""
        return refusal(self.account, self.known(), self.policy, said, self.now) is not None

    def wait(self, days: float) -> None:
        """Look in when something is due, and at times of no meaning."""
        until = self.now + timedelta(days=days)
        while self.now < until:
            idle = self.random.uniform(0.1, 1.5 if any(self.account.open_cases()) else 6)
            by_chance = (self.now + timedelta(days=idle)).replace(microsecond=0)
            due = [at for at in self.upcoming if at > self.now] if self.random.random() < 0.9 else []
            self.story.wait_until(min(until, by_chance, *(at + A_SECOND for at in due[:1])))
            self.look()

    def look(self) -> None:
        """Hear what has arrived and do what is due, if nothing is out of order just now."""
        self.hear()
        self.hear_of_mails()
        found = None
        for _ in range(self.random.choice((0, 1, 1, 1, 2))):
            found = self.enact(stripe_answers=self.random.random() < 0.85)
            found = None if self.carry_out() else found
        found = found or plan(self.account, self.known(), self.policy, self.now)
        promises.nobody_is_forgotten(self.account, found)
        self.upcoming = sorted(step.due_at.replace(microsecond=0) for step in found.steps)

    # facts

    def hear(self) -> None:
        """What Stripe says arrives up to three days late, each event in its own time, some of them twice."""
        for said in self.story.tell():
            delay = self.random.choice((0.0, 0.0, 0.0, 0.5, self.random.uniform(0, 3)))
            self.waiting.append((self.now + timedelta(days=delay), said))
        if self.waiting and self.random.random() < 0.2:
            self.waiting.append((self.now, self.random.choice(self.waiting)[1]))
        ripe = [entry for entry in self.waiting if entry[0] <= self.now]
        self.waiting = [entry for entry in self.waiting if entry[0] > self.now]
        for _, said in sorted(ripe, key=lambda entry: entry[0]):
            self.fold(said)

    def hear_of_mails(self) -> None:
        """What became of mails is told late, in any order, some of it twice."""
        ripe = [entry for entry in self.results if entry[0] <= self.now]
        self.results = [entry for entry in self.results if entry[0] > self.now]
        for _, key, result in ripe:
            self.history[key] = self.history[key].after(result, self.now)
            self.done.told.setdefault(key, set()).add(result)
            if result in NOT_ARRIVED:
                self.done.mails = [each for each in self.done.mails if each[1].key != key]
            if self.random.random() < 0.2:
                self.results.append((self.now + self.random.uniform(0, 9) * promises.A_DAY, key, result))

    def hear_everything(self) -> None:
        self.hear()
        for _, said in self.waiting:
            self.fold(said)
        self.waiting = []

    def fold(self, facts: list[CustomerFact]) -> None:
        """Learn these facts, and drop what they make pointless, as the worker does."""
        before = self.account
        self.account = settle(fold(before, *facts), self.policy)
        for ref, case in self.account.cases.items():
            if not case.is_open and ref in before.cases and before.cases[ref].is_open:
                for key, effect in self.history.items():
                    if effect.case == ref and effect.status == "pending" and effect.kind is Kind.MAIL:
                        self.history[key] = replace(effect, status="suppressed")

    def take_over(self) -> None:
        """Learn all that there is at once, as an import reads it; nobody has told us of anything before."""
        self.story.tell()
        unpaid = [each for each in self.story.invoices() if each.status == "open"]
        facts = [fact for each in unpaid for fact in self.story.ask(each.id)]
        facts += [fact for each in self.story.subscriptions for fact in self.story.ask_subscription(each.id)]
        self.account = take_over(self.account, facts, self.policy, self.now)
        self.look()

    # steps

    def known(self) -> Mapping[str, Effect]:
        """What the rules are told of the history."""
        return self.history

    def enact(self, *, stripe_answers: bool = True) -> Plan:
        """Take what is due, access only after asking Stripe, and say what is left to do."""
        planned = self._take(set())
        unverified = {step.case for step in planned.due(self.now) if step.kind is Kind.ACCESS}
        if unverified and stripe_answers:
            for invoice in sorted(unverified):
                self.fold(self.story.ask(invoice))
            planned = self._take(unverified)
        return planned

    def _take(self, verified: set[str]) -> Plan:
        now = self.now
        self.account, planned, steps = take_due_steps(self.account, self.known(), self.policy, now, verified)
        for step in steps:
            promises.kept_by_step(self, step)
            self.done.steps.append((now, step))
            if step.kind is not Kind.ACCESS:
                self.history[step.key] = Effect(step.key, step.kind, step.name, step.case, "pending", now)
        self._nothing_is_left(planned, verified)
        return planned

    def _nothing_is_left(self, planned: Plan, verified: set[str]) -> None:
        """A case that is still due would be looked at for ever."""
        left = [step for step in planned.due(self.now) if step.kind is not Kind.ACCESS]
        left += [step for step in planned.due(self.now) if step.case in verified]
        assert not left, f"due, and not taken: {left}"

    def carry_out(self, answers: tuple[str, ...] = ANSWERS) -> int:
        """Send and call what waits, unless it is not wanted any more; how many there were."""
        waiting = [effect for effect in self.history.values() if effect.status == "pending"]
        for effect in waiting:
            status = self._carried_out(effect, self.random.choice(answers))
            accepted_at = self.now if status == "sent" else None
            done = self.history[effect.key]
            self.history[effect.key] = replace(done, status=status, accepted_at=accepted_at)
        return len(waiting)

    def _carried_out(self, effect: Effect, answer: str) -> str:
        found = verdict(self.account, self.known(), self.policy, self.now, effect.key)
        if found.excuse or found.put_off:
            return "suppressed" if found.excuse else "pending"
        to = recipient(self.account, self.known(), effect.case, effect.name)
        if effect.kind is Kind.MAIL and to is None:
            return "failed"
        if effect.kind is Kind.MAIL and to and answer in ("sent", "unknown"):
            promises.kept_by_mail(self, effect, to)
            self.history[effect.key] = replace(effect, recipient=to)
            self._travels(effect)
            # Nobody answered when it was sent, so that it counts from its decision.
            self.done.mails.append((self.now if answer == "sent" else effect.created_at, effect))
        if effect.kind is Kind.RETRY:
            promises.kept_by_charge(self, effect)
            before = len(self.story.engine.charges(self.story.customer))
            self._call(effect)
            made = len(self.story.engine.charges(self.story.customer)) - before
            self.done.charges += [self.now] * made
            return "sent"
        if effect.kind is Kind.END:
            self._call(effect)
        return answer

    def _travels(self, effect: Effect) -> None:
        """Decide what its service will say of a mail, and when."""
        if self.random.random() < self.bounces:
            told = self.random.choice((*CAME_TO_NOTHING, Result.HARD_BOUNCE, Result.DELIVERED))
            self.results.append((self.now + self.random.uniform(0, 4) * promises.A_DAY, effect.key, told))

    def _call(self, effect: Effect) -> None:
        """Stripe does it or refuses; what came of it is read at once, if Stripe answers then."""
        try:
            if effect.kind is Kind.RETRY:
                self.story.engine.pay_invoice(self.story.engine.get(Invoice, effect.case))
            else:
                ref = self.account.cases[effect.case].subscription
                self.story.engine.cancel(self.story.engine.get(Subscription, ref))
        except ApiError:
            return
        if self.random.random() < 0.8:
            self.fold(self.story.ask(effect.case))
