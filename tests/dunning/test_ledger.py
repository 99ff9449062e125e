"""The networks' ceilings: eight attempts at a card in 14 days, fifteen in 30, a day apart."""

from datetime import timedelta

import pytest

from dunning.ledger import CEILINGS, attempts_on_card, ceilings, next_allowed
from tests.dunning.builders import SECOND, account, charge, day, failures

NO_REST = timedelta(0)


@pytest.mark.parametrize(("made", "reached"), [(7, False), (8, True), (9, True)])
def test_eight_in_14_days(made: int, reached: bool) -> None:
    """Stripe's own advice, from which the first ceiling is taken."""
    found = ceilings([day(each) for each in range(made)], day(10))
    assert [(each.made, each.most) for each in found] == [(made, 8), (made, 15)]
    assert [each.reached for each in found] == [reached, False]


@pytest.mark.parametrize(("made", "reached"), [(14, False), (15, True), (16, True)])
def test_fifteen_in_30_days(made: int, reached: bool) -> None:
    """Visa's rule, which is the strictest of the networks'."""
    found = ceilings([day(each * 1.7) for each in range(made)], day(26))
    assert (found[1].made, found[1].reached) == (made, reached)


@pytest.mark.parametrize(("seconds", "counted"), [(-1, 1), (0, 0), (1, 0)])
@pytest.mark.parametrize("place", [0, 1])
def test_a_window_ends_to_the_second(place: int, seconds: int, counted: int) -> None:
    """After exactly fourteen (or thirty) days an attempt is forgotten, and not a second earlier."""
    within, _ = CEILINGS[place]
    assert ceilings([day(0)], day(0) + within + seconds * SECOND)[place].made == counted


def test_an_attempt_counts_in_its_own_second_and_not_before() -> None:
    """What a test clock has not reached yet has not happened."""
    assert [each.made for each in ceilings([day(1)], day(1))] == [1, 1]
    assert [each.made for each in ceilings([day(1)], day(1) - SECOND)] == [0, 0]


@pytest.mark.parametrize(
    ("made", "wanted", "allowed"),
    [
        ([], 3, 3),
        ([0], 3, 3),
        ([0], 1, 1),
        ([0], 0.5, 1),
        ([0, 2.5], 3, 3.5),
        ([3.5], 3, 4.5),
        (range(7), 7, 7),
        (range(8), 8, 14),
        (range(8), 14, 14),
        (range(9), 9, 15),
        ([*range(8), 14], 15, 15),
        ([*range(0, 30, 2)], 30, 30),
        ([*range(1, 31, 2)], 30, 31),
        ([each * 1.8 for each in range(16)], 28, 31.8),
    ],
)
def test_the_next_attempt_breaks_no_ceiling(made: list[float], wanted: float, allowed: float) -> None:
    """As wanted, or as soon after it as the oldest attempt of a full window is forgotten."""
    attempts = [day(each) for each in made]
    found = next_allowed(attempts, day(wanted))
    assert found == day(allowed)
    assert not any(each.reached for each in ceilings(attempts, found))


def test_the_ceilings_are_kept_to_the_second() -> None:
    """One second earlier would be one attempt too many."""
    attempts = [day(each) for each in range(8)]
    assert next_allowed(attempts, day(14) - SECOND) == day(14)
    assert next_allowed([day(0)], day(1) - SECOND) == day(1)
    assert next_allowed([day(0)], day(0.1), apart=NO_REST) == day(0.1)


def test_all_invoices_of_a_card_count_and_other_cards_do_not() -> None:
    """The network counts tries at a card, whatever they are for."""
    visa = {"card_brand": "visa", "card_last4": "4242"}
    known = account(
        failures(0),
        charge(0, **visa),
        charge(1, ref="in_2", **visa),
        charge(2, ref="in_2", card_brand="visa", card_last4="1111"),
        charge(3, ref="in_2", card_brand="mastercard", card_last4="4242"),
    )
    ours = known.charges["ch_in_1_0"]
    assert attempts_on_card(known, ours) == [day(0), day(1)]


def test_a_card_without_digits_may_be_any() -> None:
    """One attempt too few is better than one too many."""
    known = account(failures(0, 1), charge(2, card_brand="visa", card_last4="4242"))
    assert attempts_on_card(known, known.charges["ch_in_1_0"]) == [day(0), day(1), day(2)]
    assert attempts_on_card(known, known.charges["ch_in_1_2"]) == [day(0), day(1), day(2)]
