"""What a payment came after: one cause, by a fixed order, and none that is not known."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from dunning.causes import Cause, Evidence, cause_of
from dunning.rules.new_method import new_method
from dunning.rules.paying_now import asked_key
from tests.dunning.builders import account, day, failures, method
from tests.dunning.more_builders import policy, seen

PAID = day(5)
SECOND = timedelta(seconds=1)
# The provider charged on day 0 and day 3; what paid was none of its own.
BY_HAND = {"counted_at": day(3), "last_failed_at": day(3)}


def cause(paid_at: datetime = PAID, **known: Any) -> Cause:
    """The cause of a payment of day 5, of which this is known."""
    return cause_of(Evidence(paid_at=paid_at, **known))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"acted_at": day(4)}, Cause.PERSON),
        ({"charged": "retry:in_1:asked:3f9c"}, Cause.PAGE),
        ({"returned_at": day(5) - SECOND}, Cause.PAGE),
        ({"method_at": day(5)}, Cause.NEW_METHOD),
        ({"charged": "retry:in_1:method:20260306T090000"}, Cause.NEW_METHOD),
        ({"charged": "retry:in_1:2"}, Cause.OWN_RETRY),
        ({"counted_at": day(5) + SECOND, "last_failed_at": day(3)}, Cause.PROVIDER_RETRY),
        ({"mailed_at": day(0)} | BY_HAND, Cause.MAIL),
        (BY_HAND, Cause.UNKNOWN),
        ({}, Cause.UNKNOWN),
    ],
)
def test_each_cause_by_itself(known: dict[str, Any], expected: Cause) -> None:
    """What is known, and what it is called."""
    assert cause(**known) is expected


@pytest.mark.parametrize("moment", ["acted_at", "returned_at", "method_at", "mailed_at"])
def test_what_came_after_the_payment_is_no_cause(moment: str) -> None:
    """A second later is too late."""
    assert cause(**BY_HAND, **{moment: PAID + SECOND}) is Cause.UNKNOWN


STRONGEST_FIRST: list[tuple[Cause, dict[str, Any]]] = [
    (Cause.PERSON, {"acted_at": day(4)}),
    (Cause.PAGE, {"returned_at": day(4)}),
    (Cause.NEW_METHOD, {"method_at": day(4)}),
    (Cause.OWN_RETRY, {"charged": "retry:in_1:2"}),
    (Cause.PROVIDER_RETRY, {"counted_at": PAID, "last_failed_at": day(3)}),
    (Cause.MAIL, {"mailed_at": day(0)}),
]


def test_of_several_the_first_in_the_order_is_named() -> None:
    """Each before the next, whatever else is known; and the order is the enumeration's own."""
    assert [*(name for name, _ in STRONGEST_FIRST), Cause.UNKNOWN] == list(Cause)
    for (name, strong), (_, weak) in pairwise(STRONGEST_FIRST):
        assert cause(**({"mailed_at": day(0)} | weak | strong)) is name


def test_a_retry_that_was_counted_but_never_made_did_not_pay() -> None:
    """Stripe goes on counting retries of a hard decline: one of day 4 is not the payment of day 5."""
    assert cause(counted_at=day(4), last_failed_at=day(0), mailed_at=day(0)) is Cause.MAIL


def test_a_retry_that_failed_did_not_pay() -> None:
    """Its event comes some seconds before or after the failure's."""
    minutes_before = PAID - timedelta(minutes=5)
    known = {"counted_at": minutes_before + SECOND, "last_failed_at": minutes_before, "mailed_at": day(0)}
    assert cause(**known) is Cause.MAIL


def test_a_bank_debit_pays_days_after_it_was_counted() -> None:
    """Presented on day 1, it comes on day 5; a card answers at once."""
    known = {"counted_at": day(1), "last_failed_at": day(0), "mailed_at": day(0)}
    assert cause(debit=True, **known) is Cause.PROVIDER_RETRY
    assert cause(debit=False, **known) is Cause.MAIL


def test_a_mail_gets_no_credit_where_the_provider_was_never_heard_counting() -> None:
    """It may have been the provider's own charge."""
    assert cause(mailed_at=day(0)) is Cause.UNKNOWN


def test_the_keys_of_charges_are_those_that_rules_make() -> None:
    """A control: the rules' own keys are read as what they are."""
    known = account(failures(0), method(1), policy=policy(pay_on_new_method=True))
    assert cause(charged=asked_key(seen(known, 1), "3f9c")) is Cause.PAGE
    [made] = new_method(seen(known, 1))
    assert cause(charged=made.key) is Cause.NEW_METHOD
