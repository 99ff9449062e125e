"""Of several looks at one thing the newest is kept, whatever order they come in."""

from __future__ import annotations

import pytest

from tests.dunning.builders import (
    SECOND,
    SUBSCRIPTION,
    customer,
    day,
    method,
    subscription,
)
from tests.dunning.test_fold import in_every_order


def test_class_5_the_newest_snapshot_wins() -> None:
    """An older subscription state never overwrites a newer one."""
    seen = [
        subscription(1, "active", plan="Team"),
        subscription(3, "past_due", period_end=day(30)),
        subscription(2, "unpaid"),
    ]
    known = in_every_order(*seen).subscriptions[SUBSCRIPTION]
    assert (known.status, known.plan, known.period_end, known.as_of) == (
        "past_due",
        None,
        day(30),
        seen[1].as_of,
    )


def test_a_tie_is_broken_the_same_way_for_everybody() -> None:
    """Two events of one second give one state in every order."""
    in_every_order(
        subscription(1, "active"), subscription(1, "past_due"), subscription(1, "past_due", plan="Team")
    )


def test_an_ended_subscription_wins_a_tie() -> None:
    """`canceled` is final, so another state of the same second is older."""
    known = in_every_order(subscription(1, "past_due"), subscription(1, "canceled"))
    assert known.subscriptions[SUBSCRIPTION].ended


def test_what_was_read_back_outranks_an_event_of_its_second() -> None:
    """An object read because of an event is at least as new as the event."""
    known = in_every_order(
        subscription(1, "past_due"), subscription(1, "active", read_at=day(1)), subscription(1, "unpaid")
    )
    assert known.subscriptions[SUBSCRIPTION].status == "active"


def test_a_newer_event_outranks_what_was_read_back() -> None:
    """A read-back speaks for its moment only."""
    known = in_every_order(subscription(1, "active", read_at=day(2)), subscription(1.5, "past_due"))
    assert known.subscriptions[SUBSCRIPTION].status == "past_due"


@pytest.mark.parametrize(("first", "then"), [("past_due", "active"), ("active", "past_due")])
def test_of_two_read_back_in_one_second_the_later_reading_wins(first: str, then: str) -> None:
    """Read back twice for events of one second (or of a test clock that stands): the second look is newer."""
    known = in_every_order(
        subscription(1, first, read_at=day(1)), subscription(1, then, read_at=day(1) + SECOND / 1000)
    )
    assert known.subscriptions[SUBSCRIPTION].status == then


def test_a_customer_is_mirrored_whole() -> None:
    """The newest address, name and languages are those that are used (class 28)."""
    old = customer(1, email="old@customer.example", name="Ada", locales=("en",), country="GB")
    new = customer(2, email="new@customer.example", locales=("de", "en"))
    known = in_every_order(new, old).customer
    assert (known.email, known.name, known.locales, known.country) == (
        "new@customer.example",
        None,
        ("de", "en"),
        None,
    )


def test_a_deleted_customer_stays_deleted() -> None:
    """Another event of the second in which the customer was deleted does not bring them back (class 15)."""
    known = in_every_order(
        customer(1, email="ada@customer.example", deleted=True),
        customer(1, email="zoe@customer.example"),
        customer(2, email="zoe@customer.example"),
    )
    assert known.customer.deleted


def test_the_test_clock_is_never_forgotten() -> None:
    """What is left of a deleted customer names no clock, yet their cases still live by it."""
    known = in_every_order(
        customer(1, test_clock="clock_1"),
        customer(2, deleted=True),
        customer(3, deleted=True, read_at=day(3)),
    )
    assert known.customer.test_clock == "clock_1"


def test_the_latest_new_method_counts() -> None:
    """Events about cards arrive in any order too."""
    assert in_every_order(method(3), method(1)).customer.method_changed_at == day(3)
