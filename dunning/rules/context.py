"""What every rule may look at: one case, what was said and done before, the policy and the time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dunning.account import Account, Case
from dunning.deadline import ends_at, warnings_accepted
from dunning.lazy import altered, lazy
from dunning.policy import WARNED_BEFORE
from dunning.reach import unreachable_since, went_unheard
from dunning.rules.terms import Terms, terms
from dunning.segments import PolicySource
from dunning.steps import (
    AGAIN,
    ASKED,
    ASKED_ANEW,
    FINAL_WARNING,
    ON_REQUEST,
    Effect,
    History,
    Kind,
    Step,
    Withheld,
    first_key,
)

# Why a call that was due when nobody of us was there is not made.
DUE_BEFORE = "it was due before the case was taken over"
# What is said of time is said to this.
RESOLUTION = datetime.resolution
FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Context:
    """The terms of a case, what was done, and the time.

    `holds_until` is the first moment at which a rule that has asked for the time may have another answer,
    if nothing else changes.
    """

    def __init__(self, terms: Terms, history: History, now: datetime) -> None:
        self.terms, self.history, self._now = terms, history, now
        self.s, self.said, self.policy = terms.s, terms.said, terms.policy
        self.ref = terms.s.case.invoice
        self.holds_until = FOR_EVER

    # what time it is

    @property
    def now(self) -> datetime:
        """For an answer that changes with every moment; most only want to know one of these."""
        self.holds_until = min(self.holds_until, self._now + RESOLUTION)
        return self._now

    def has_come(self, moment: datetime) -> bool:
        """Whether it is that late."""
        if moment <= self._now:
            return True
        self.holds_until = min(self.holds_until, moment)
        return False

    def now_or(self, moment: datetime) -> datetime:
        """`moment`, or now when that has passed."""
        if moment < self._now:
            return self.now
        self.holds_until = min(self.holds_until, moment + RESOLUTION)
        return moment

    def at(self, now: datetime) -> Context:
        """The same at another time, with all that does not depend on it."""
        return self if now == self._now else altered(self, _now=now)

    def of(self, terms: Terms) -> Context:
        """The same by the terms of right after access was taken."""
        return altered(self, s=terms.s, terms=terms)

    def once_done(self, effect: Effect, history: History) -> Context:
        """The same after a step, of which nobody knows yet what came of it. `history` has it."""
        other = altered(self, history=history)
        for name in READ_OF_MAILS if effect.kind is Kind.MAIL else READ_OF_OTHERS:
            other.__dict__.pop(name, None)
        return other

    # steps

    def mail(self, key: str, name: str, due_at: datetime, reason: str) -> Step:
        if AGAIN in key:
            reason += "; what was sent before came back"
        return Step(Kind.MAIL, key, name, self.ref, due_at, reason)

    def team(self, name: str, due_at: datetime, reason: str) -> Step:
        return Step(Kind.TEAM, f"escalation:{self.ref}:{name}", name, self.ref, due_at, reason)

    def late_team(self, name: str, due_at: datetime, reason: str) -> Step | Withheld:
        """A call that was due before the case was taken over is none of ours: the import counts those."""
        taken_over_at = self.s.case.taken_over_at
        if taken_over_at and due_at <= taken_over_at:
            return self.withhold(f"escalation:{self.ref}:{name}", DUE_BEFORE)
        return self.team(name, self.from_contact(due_at), reason)

    def from_contact(self, due_at: datetime) -> datetime:
        """No earlier than the customer first hears of us, where the case had begun before us."""
        return max(due_at, self.s.case.first_contact_at or due_at)

    def withhold(self, key: str, reason: str) -> Withheld:
        return Withheld(key, self.ref, reason)

    # what was done

    @lazy
    def mails(self) -> list[Effect]:
        """Every mail that may have reached this person, in any of their cases; none that they asked for."""
        return [
            each
            for each in self.history.values()
            if each.kind is Kind.MAIL and each.name not in ON_REQUEST and each.reached_somebody
        ]

    @lazy
    def done(self) -> dict[str, Effect]:
        """The history of this case."""
        return {key: effect for key, effect in self.history.items() if effect.case == self.ref}

    @lazy
    def mails_of_case(self) -> list[Effect]:
        return [effect for effect in self.mails if effect.case == self.ref]

    @lazy
    def told_at(self) -> datetime | None:
        """When the first mail of the case had come, of those that told somebody."""
        heard = (e.arrived_at for e in self.mails_of_case if e.arrived_at and not self.unheard(e))
        return min(heard, default=None)

    @lazy
    def warned_at(self) -> list[datetime]:
        """When the warnings that speak of the present deadline were accepted, earliest first."""
        warnings = (mail for mail in self.done.values() if mail.name == FINAL_WARNING)
        heard = {mail.key: mail for mail in warnings if not self.unheard(mail)}
        return warnings_accepted(self.s.case, heard, self.terms.moved_at)

    def warned_by(self, key: str) -> Effect | None:
        """The final warning of this key, or one that said the same of the present deadline under another.

        One that came back has said nothing.
        """
        own = self.history.get(key)
        if own and not self._is_void(own):
            return own
        since, suffix = self.terms.moved_at, key[key.rindex(":") :]
        same = (
            effect
            for effect in self.done.values()
            if effect.name == FINAL_WARNING
            and first_key(effect.key).endswith(suffix)
            and effect.status != "suppressed"
            and not self._is_void(effect)
            and (since is None or effect.created_at >= since)
        )
        return next(same, None)

    def anew(self, key: str) -> str:
        """The key of a mail or, where it came back, that under which it is to be said once more."""
        first, number = key, 1
        while (sent := self.history.get(key)) and self._is_void(sent):
            number += 1
            key = f"{first}{AGAIN}{number}"
        return key

    def _is_void(self, mail: Effect) -> bool:
        """Whether it is to be said once more: a warning also where its address turned out to be none."""
        soft = mail.undone and not mail.returned
        return mail.returned or (mail.name == FINAL_WARNING and not soft and self.unheard(mail))

    def unheard(self, mail: Effect) -> bool:
        """Whether a mail told nobody, as far as its service has said."""
        return went_unheard(self.s.account, self._undone, mail)

    @lazy
    def _undone(self) -> History:
        """What came to nothing: mostly none of it."""
        return {key: effect for key, effect in self.history.items() if effect.undone}

    @lazy
    def unreachable_since(self) -> datetime | None:
        """Since when no address of the customer takes our mail; None: one does, or there was never any."""
        return unreachable_since(self.s.account, self._undone, self.ref)

    @lazy
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

    @lazy
    def _own_charges(self) -> int:
        """The customer's own are none of ours: whoever tries again is not to be called for that."""
        ours = (e for e in self.done.values() if e.kind is Kind.RETRY and e.name not in (ASKED, ASKED_ANEW))
        return sum(effect.status == "sent" for effect in ours)

    # when, and for whom

    @property
    def grace_ends_at(self) -> datetime:
        """When access ends if every warning comes in time."""
        return self.terms.grace_ends_at

    @property
    def ends_at(self) -> datetime:
        """When access ends, as it has to be told now."""
        if self._promised_end:
            return self._promised_end
        granted = self.terms.granted_until
        in_time = granted - WARNED_BEFORE
        warned_at = self.now_or(in_time)
        return self.grace_ends_at if warned_at == in_time else ends_at(granted, warned_at, self.policy)

    @lazy
    def _promised_end(self) -> datetime | None:
        """When access ends by the warnings that were accepted; None: none was."""
        warned = self.warned_at
        return ends_at(self.terms.granted_until, warned[0], self.policy) if warned else None

    @property
    def zone(self) -> ZoneInfo:
        """The customer's."""
        return self.terms.zone

    @property
    def high_value(self) -> bool:
        """Whether it is worth a person's attention from the first failure on."""
        return self.terms.high_value


# What a context has worked out of the history that a step of this kind may change.
READ_OF_OTHERS = ("done", "failed_attempts", "_own_charges")
READ_OF_MAILS = ("done", "mails", "mails_of_case", "told_at", "warned_at", "_promised_end")


def context(account: Account, case: Case, history: History, policies: PolicySource, now: datetime) -> Context:
    """The context of one case of a settled account."""
    return Context(terms(account, case, policies), history, now)
