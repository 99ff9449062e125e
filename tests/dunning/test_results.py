"""What is known of a mail once its service has spoken: the same, in whatever order and how often it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.results import CAME_TO_NOTHING, Result
from dunning.steps import Effect
from tests.dunning.builders import day, effect, notice_sent, warning
from tests.dunning.strategies import examples

told = st.tuples(st.sampled_from(Result), st.sampled_from([0.0, 1.0, 2.0, 400.0]))


def after(mail: Effect, *results: tuple[Result, float]) -> Effect:
    for result, at in results:
        mail = mail.after(result, day(at))
    return mail


@examples(200)
@given(results=st.lists(told, max_size=6), shuffled=st.randoms(use_true_random=False), twice=st.booleans())
def test_results_commute(results: list[tuple[Result, float]], shuffled: st.DataObject, twice: bool) -> None:
    """Any order, any of them twice, and whether the mail server's own word came before or after them."""
    other = results * (2 if twice else 1)
    shuffled.shuffle(other)  # type: ignore[attr-defined]  # a Random, which the strategy does not say
    assert after(notice_sent(0), *results) == after(notice_sent(0), *other)
    sending = effect("payment_failed:in_1:1", 0, "sending")
    late = replace(after(sending, *other), status="sent", accepted_at=day(0))
    assert late == after(notice_sent(0), *results)


def test_a_bounce_outweighs_what_was_said_before() -> None:
    """Delivered and returned all the same, which Amazon's documents say happens."""
    for result in CAME_TO_NOTHING:
        mail = after(warning(11), (result, 12), (Result.DELIVERED, 11.5))
        assert (mail.arrived_at, mail.delivered_at) == (None, day(11.5))


@pytest.mark.parametrize(
    ("result", "reached", "returned"),
    [
        (Result.DELIVERED, True, False),
        (Result.DELAYED, True, False),
        (Result.SOFT_BOUNCE, False, False),
        (Result.UNDELIVERED, False, False),
        (Result.COMPLAINT, True, True),
        (Result.HARD_BOUNCE, False, True),
    ],
)
def test_what_each_result_comes_to(result: Result, reached: bool, returned: bool) -> None:
    """Who complains has read it; what came to nothing never tells anybody anything."""
    mail = after(notice_sent(0), (result, 1))
    assert (mail.reached_somebody, mail.returned) == (reached, returned)


def test_a_delivery_settles_what_nobody_had_answered() -> None:
    """A mail of which the server never spoke has arrived, if its service says so."""
    mail = replace(warning(11), status="unknown", accepted_at=None)
    assert mail.arrived_at is None
    assert after(mail, (Result.DELIVERED, 11.2)).arrived_at == day(11) + timedelta(days=0.2)
