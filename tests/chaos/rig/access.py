"""The checker's part on access: was every answer, and is the last one, what Stripe's facts come to?"""

from __future__ import annotations

from tests.chaos.rig.history import History, Looked, Said

# What an application must see at the end, by what Stripe says of the subscription. Nobody in the crowd owes
# as long as our own grace lasts: access ends where Stripe ends the subscription, and only there.
LEVELS = {"active": "full", "past_due": "warned", "unpaid": "revoked", "canceled": "revoked"}
ENDED = frozenset({"unpaid", "canceled"})
TAKEN = frozenset({"limited", "revoked"})
BEGINNING = frozenset({"no_subscription", "first_payment_incomplete"})


def statuses(history: History) -> dict[str, str]:
    """What Stripe has said last of each customer's subscription."""
    return {said.customer: said.status for said in history.all(Said) if said.customer and said.status}


def too_early(history: History) -> list[str]:
    """No answer was ahead of Stripe: warned before a failure, or without what one had before the end.

    A customer is known before their subscription, and that before its first payment, which takes nothing.
    """
    failed: dict[str | None, float] = {}
    ended: dict[str | None, float] = {}
    for said in history.all(Said):
        if said.type == "invoice.payment_failed":
            failed.setdefault(said.customer, said.at)
        if said.status in ENDED:
            ended.setdefault(said.customer, said.at)
    wrong = []
    for each in history.all(Looked):
        judged = each.level == "warned" or (each.level in TAKEN and each.reason not in BEGINNING)
        since = (ended if each.level in TAKEN else failed).get(each.customer, float("inf"))
        if judged and each.at < since:
            wrong.append(f"{each.customer} was {each.level} at {each.at:.3f}, too early")
    return wrong


def wrong_at_the_end(history: History) -> list[str]:
    """The last answer for each customer is what Stripe's facts come to: paid and locked out is the worst."""
    last = {each.customer: each.level for each in history.all(Looked) if each.status in (200, 404)}
    wanted = {who: LEVELS[status] for who, status in statuses(history).items() if status in LEVELS}
    return [
        f"{who} is {last.get(who)} at the end, and should be {level}"
        for who, level in wanted.items()
        if last.get(who) != level
    ]
