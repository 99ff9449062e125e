"""What customers ask for themselves: a fresh link, to what is still to be done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.account import Account
from dunning.breaker import holds
from dunning.events import CustomerFact
from dunning.plan import Verdict, verdict
from dunning.rules.context import context
from dunning.rules.requested import case_to_show, fresh_link, why_not_requested
from dunning.steps import FRESH_LINK, Effect, Kind
from tests.dunning import builders
from tests.dunning.builders import POLICY, day, history

HOUR = timedelta(hours=1)


def asked(number: int, at: float, status: str = "sent") -> Effect:
    key = f"{FRESH_LINK}:{builders.INVOICE}:{number}"
    return Effect(key, Kind.MAIL, FRESH_LINK, builders.INVOICE, status, day(at), day(at))


def failing(*more: CustomerFact) -> Account:
    return builders.account(builders.failures(0), *more)


def test_three_a_day_and_each_has_a_key_of_its_own() -> None:
    """Whatever became of them; older ones count for the number only."""
    account = failing()
    case = account.cases[builders.INVOICE]
    assert fresh_link(account, {}, case, day(1)) == f"{FRESH_LINK}:{builders.INVOICE}:1"
    told = history(asked(1, 0.1), asked(2, 0.5, "failed"), asked(3, 0.9, "suppressed"))
    assert fresh_link(account, told, case, day(1)) is None
    assert fresh_link(account, told, case, day(1.1)) == f"{FRESH_LINK}:{builders.INVOICE}:4"


def test_it_leads_to_what_can_be_done() -> None:
    """The case itself while it is open; nothing once it is paid; the way back when all has ended."""
    account = failing()
    case = account.cases[builders.INVOICE]
    assert case_to_show(account, case) == case
    assert why_not_requested(account, {}, asked(1, 1)) is None
    assert why_not_requested(account, {}, replace(asked(1, 1), case="in_other"))
    ended = failing(builders.subscription(5, "canceled", ended_at=day(5), ended_for="payment_failed"))
    assert case_to_show(ended, ended.cases[builders.INVOICE]) == ended.cases[builders.INVOICE]
    paid = failing(builders.invoice(5, status="paid", paid_at=day(5), amount_paid=1900, amount_remaining=0))
    assert case_to_show(paid, paid.cases[builders.INVOICE]) is None
    assert why_not_requested(paid, {}, asked(1, 1))


@pytest.mark.parametrize("hour", [0, 3, 12, 23])
def test_no_plan_and_no_hour_bars_it(hour: int) -> None:
    """It was asked for: it goes out at night, and while the breaker is tripped."""
    told = history(asked(1, 1, "pending"))
    assert verdict(failing(), told, POLICY, day(1) + hour * HOUR, asked(1, 1).key) == Verdict()
    assert not holds(Kind.MAIL, FRESH_LINK)


def test_it_is_no_reminder() -> None:
    """No gap between mails, and no number of them, counts it."""
    account = failing()
    case = account.cases[builders.INVOICE]
    assert context(account, case, history(asked(1, 1)), POLICY, day(2)).mails == []
