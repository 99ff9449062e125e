"""From a called-for escalation to what a person needs to take over."""

from __future__ import annotations

from collections.abc import Mapping

from dunning.money import Money
from dunning.rules.context import Context
from dunning.rules.expiry import awaits_acknowledgement
from dunning.standing import broken_promises
from dunning.steps import Kind, Plan, Step
from emails.catalogue import TeamEscalation
from providers.systems import system_of

# What the team reads instead of our step names.
TITLES: Mapping[str, str] = {
    "payment_failed": "Mail: payment failed",
    "final_warning": "Mail: access is about to end",
    "access_ended": "Mail: access has ended",
    "payment_recovered": "Mail: receipt",
    "first_payment": "Mail: first payment not complete",
    "revoked": "Access is revoked",
    "limited": "Access is limited",
    "retry": "We charge again",
    "cancel": "The subscription is cancelled at the provider",
    "unpaid": "The subscription is charged no more at the provider",
    "pause": "The subscription is paused at the provider",
}


def compose_escalation(
    c: Context, planned: Plan, *, reason: str, livemode: bool, plan_name: str | None
) -> TeamEscalation:
    """What a person needs to take over: who, how much, why, since when, what was done, what comes."""
    customer, invoice = c.s.account.customer, c.s.invoice
    return TeamEscalation(
        reasons=_reasons(c, reason),
        customer_ref=customer.ref,
        customer_name=customer.name,
        customer_email=customer.email,
        plan=plan_name,
        amount=Money(invoice.amount_remaining, invoice.currency),
        category=c.s.decline.category,
        decline_code=c.s.decline.code,
        failing_since=c.s.case.opened_at,
        access_until=c.ends_at if _will_be_taken(c.ref, planned) else None,
        sent=tuple(
            (effect.created_at, TITLES[effect.name])
            for effect in sorted(c.mails_of_case, key=lambda effect: effect.created_at)
        ),
        upcoming=tuple(
            (step.due_at, TITLES.get(step.name) or step.reason)
            for step in planned.steps
            if step.case == c.ref and step.kind is not Kind.TEAM and step.due_at > c.now
        ),
        links=tuple(system_of(c.s.account.source).dashboard(customer.ref, c.ref, livemode=livemode)),
    )


def _reasons(c: Context, reason: str) -> tuple[str, ...]:
    reasons = [reason]
    broken = len(broken_promises(c.s.account, c.now))
    if broken:
        promises = "a promise" if broken == 1 else f"{broken} promises"
        reasons.append(f"the customer has broken {promises} to pay")
    if awaits_acknowledgement(c):
        reasons.append(f"access is not taken before somebody runs: dunning case acknowledge {c.ref}")
    return tuple(reasons)


def _will_be_taken(ref: str, planned: Plan) -> bool:
    """Whether access ends by our own hand: a warning, or the end itself, is still to come."""
    return any(step.case == ref and _ends_access(step) for step in planned.steps)


def _ends_access(step: Step) -> bool:
    return step.name == "final_warning" or step.key.startswith("access:")
