"""The story of a customer in sentences, for a support person: what happened, was done, and comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.cases import CaseFacts, coming, facts, ledger, shown
from console.changes import changes
from console.story import Explanation, Line, Story
from console.told import near_ceilings, of_all, promises_broken, said
from console.upcoming import upcoming_renewals
from console.view import Sending, View
from console.words import CATEGORIES, CHANNELS, LEVELS, OUTCOMES, REASONS, RESULTS, STATUSES, step_title
from db.journal import Entry
from dunning.access import Level
from dunning.account import Case
from dunning.money import Money, format_money
from dunning.rules.context import context


def explain(view: View) -> Explanation:
    """Everything in words: the open cases in full, or else the one closed last; the others in a line each."""
    told = shown(view)
    customer = view.account.customer
    rest = [case for case in view.account.cases.values() if case not in told]
    return Explanation(
        customer=customer.ref,
        name=customer.name,
        email=customer.email,
        source=view.account.source,
        at=view.at,
        test_clock=customer.test_clock,
        access=view.planned.access,
        summary=_summary(view),
        stories=tuple(_story(view, case) for case in told),
        earlier=tuple(_in_order(_earlier(rest))),
        upcoming=tuple(_in_order(upcoming_renewals(view))),
    )


def _summary(view: View) -> str:
    access = view.planned.access
    text = f"{LEVELS[access.level].capitalize()}: {REASONS[access.reason]}."
    if not view.account.cases:
        text += " No renewal has ever failed."
    for more in (of_all(view), promises_broken(view)):
        if more:
            text += f" {more}"
    if access.level is Level.WARNED and access.until and access.until <= view.at:
        text += " The date has passed; access is kept until it can be taken rightly."
    return text


def _earlier(cases: Iterable[Case]) -> Iterator[Line]:
    for case in cases:
        if case.outcome:
            yield Line(f"Invoice {case.invoice}: {OUTCOMES[case.outcome]}.", case.closed_at)


def _story(view: View, case: Case) -> Story:
    about = facts(view, case)
    return Story(
        case=about,
        headline=_headline(about),
        happened=tuple(_in_order(_happened(view, case, about))),
        done=tuple(_in_order(_done(view, case))),
        withheld=tuple(_withheld(view, case)),
        coming=tuple(_coming(view, case, about)),
        changes=tuple(Line(text) for text in changes(view, case)),
    )


def _headline(about: CaseFacts) -> str:
    plan = f" for {about.plan}" if about.plan else ""
    amount = format_money(Money(about.amount, about.currency), "en")
    if about.is_open:
        return f"{amount}{plan} is unpaid: {CATEGORIES[about.category]}."
    how = OUTCOMES[about.outcome] if about.outcome else "unknown"
    return f"{amount}{plan}, closed: {how}."


def _happened(view: View, case: Case, about: CaseFacts) -> Iterator[Line]:
    made = ledger(view, case)
    for number, attempt in enumerate(made, 1):
        card = f" to {attempt.card}" if attempt.card else ""
        code = f" ({attempt.decline_code})" if attempt.decline_code else ""
        yield Line(f"Charge {number}{card} failed: {CATEGORIES[attempt.category]}{code}.", attempt.at)
    if not made:
        yield Line(f"The payment failed: {CATEGORIES[about.category]}.", case.opened_at)
    changed_at = view.account.customer.method_changed_at
    if changed_at and changed_at > case.opened_at:
        yield Line("The customer gave a new payment method.", changed_at)
    subscription = view.account.subscriptions.get(case.subscription)
    if subscription and subscription.nonpayment_at and subscription.nonpayment_at >= case.opened_at:
        yield Line(f"{_provider(view)} stopped the subscription for non-payment.", subscription.nonpayment_at)
    if subscription and subscription.cancel_at_period_end:
        end = f" on {subscription.period_end:%Y-%m-%d}" if subscription.period_end else ""
        yield Line(f"The customer has cancelled: the subscription ends with its period{end}.")
    if case.taken_over_at:
        yield Line(_taken_over(view, case), case.taken_over_at)
    yield from said(view, case)
    yield from near_ceilings(view, case)
    if case.outcome:
        yield Line(f"The case was closed: {OUTCOMES[case.outcome]}.", case.closed_at)
    if case.is_open and about.attempts_counted > about.attempts:
        counted, made_really = about.attempts_counted, about.attempts or "none"
        yield Line(f"Attempts as {_provider(view)} counts them: {counted}; really made: {made_really}.")


def _taken_over(view: View, case: Case) -> str:
    if case.first_contact_at is None:
        return f"It was taken over. {_provider(view)} had ended it before: nobody is told of that again."
    day = case.first_contact_at.astimezone(view.policy.of(case).zone)
    return f"It was taken over: the customer first hears of us on {day:%Y-%m-%d} at {day:%H:%M}."


def _done(view: View, case: Case) -> Iterator[Line]:
    for sending in view.sendings:
        if sending.case == case.invoice and sending.status in ("sent", "failed", "unknown"):
            yield Line(
                f"{step_title(sending.step)}: {_outcome(sending)}. Why: {sending.reason}.",
                sending.settled_at,
            )
    for entry in view.journal:
        if entry.kind == "access.taken" and entry.case == case.invoice:
            yield Line(f"Access was taken. Why: {entry.reason}.", entry.at)
        if entry.kind == "access.returned" and entry.case == case.invoice:
            yield Line("Access was given back, exactly as it had been taken.", entry.at)
        if entry.kind == "access.kept" and entry.case == case.invoice:
            yield Line(f"Access was kept. Why: {entry.reason}.", entry.at)
    for entry in _access_changes(view, case):
        yield Line(_access_changed(entry.data, entry.reason), entry.at)


def _outcome(sending: Sending) -> str:
    text = STATUSES.get(sending.status, sending.status)
    if sending.status == "sent":
        text += f" by {CHANNELS.get(sending.channel, sending.channel)}"
    if sending.status == "failed" and sending.last_error:
        text += f" ({sending.last_error})"
    weightiest = next((each for each in RESULTS if each in sending.results), None)
    if weightiest:
        details = sending.results[weightiest]
        text += f", {RESULTS[weightiest]}" + (f" ({details})" if details else "")
    return text


def _access_changes(view: View, case: Case) -> Iterator[Entry]:
    """What became of access from the case's opening to what its closing led to.

    Often the subscription is heard of only after its invoice: the first change after the closing belongs
    to it too, unless another case has opened before.
    """
    during = closed = later = False
    for entry in view.journal:
        if entry.case == case.invoice and entry.kind in ("case.opened", "case.reopened"):
            during, closed, later = True, False, False
        elif entry.case == case.invoice and entry.kind == "case.closed":
            closed = True
        elif closed and entry.kind == "event.applied":
            later = True
        elif closed and entry.kind == "case.opened":
            during = False
        elif during and entry.kind == "access.changed":
            yield entry
            during = not later


def _provider(view: View) -> str:
    return view.account.source.capitalize()


def _access_changed(data: dict[str, object], reason: str | None) -> str:
    level = str(data["to"])
    why = REASONS.get(reason or "", reason)
    return f"Access became: {LEVELS.get(level, level)}. Why: {why}."


def _withheld(view: View, case: Case) -> Iterator[Line]:
    for sending in view.sendings:
        if sending.case == case.invoice and sending.status == "suppressed":
            why = sending.last_error or "it was no longer wanted"
            yield Line(f"{step_title(sending.step)}: dropped, because {why}.")
    for item in view.planned.withheld:
        if item.case == case.invoice:
            yield Line(f"{step_title(item.key)}: held back, because {item.reason}.")


def _coming(view: View, case: Case, about: CaseFacts) -> Iterator[Line]:
    for sending in view.sendings:
        if sending.case == case.invoice and sending.status in ("pending", "sending"):
            yield Line(f"{step_title(sending.step)}: {STATUSES[sending.status]}.", sending.created_at)
    lines = [Line(f"{step.title}. Why: {step.reason}.", step.at) for step in coming(view, case)]
    if about.owner:
        lines.append(Line(f"{about.owner} has taken it over: what comes next is theirs to say."))
    elif about.hold and not lines:
        lines.append(Line(f"Nothing, because {about.hold}."))
    again, provider = about.provider_tries_again_at, _provider(view)
    if again and about.retried_by_provider:
        lines.append(Line(f"{provider} charges again.", again))
    elif again:
        lines.append(Line(f"{provider} has an attempt scheduled that it will not make on this card.", again))
    yield from _in_order(lines)
    if about.access_until and not context(view.account, case, view.history, view.policy, view.at).warned_at:
        yield Line("Access ends only 72 hours after a final warning has been accepted.")


def _in_order(lines: Iterable[Line]) -> list[Line]:
    """By time; what has none comes last."""
    every = list(lines)
    dated = [(line.at, place, line) for place, line in enumerate(every) if line.at]
    return [line for _, _, line in sorted(dated)] + [line for line in every if line.at is None]
