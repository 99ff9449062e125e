"""A customer who is forgotten has no name, however often somebody says it, and is written to by nobody."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from dunning.account import Account
from dunning.fold import fold
from dunning.forgetting import is_forgotten, without_person
from dunning.instructions import Instruction, Verb
from dunning.standing import FORGOTTEN
from tests.dunning.builders import (
    account,
    customer,
    day,
    failures,
    keys,
    paid,
    planned,
    subscription,
    warning,
    why,
)
from tests.dunning.more_builders import after, card, said

NAMED = customer(
    2, email="ada@customer.example", name="Ada", locales=("en",), country="GB", metadata=(("vat", "GB1"),)
)
FORGET, REMEMBER = (said(verb, 1, case=None) for verb in (Verb.FORGET, Verb.REMEMBER))


@pytest.mark.parametrize(
    ("words", "forgotten"),
    [
        ((), False),
        ((FORGET,), True),
        ((FORGET, REMEMBER), False),
        ((FORGET, REMEMBER, FORGET), True),
        ((FORGET, said(Verb.RESUME, 2, case=None)), True),
    ],
)
def test_the_last_word_about_it_counts(words: tuple[Instruction, ...], forgotten: bool) -> None:
    """And no other word ends it."""
    assert is_forgotten(words) is forgotten


def test_a_later_word_changes_everything_but_who_they_are() -> None:
    """In whatever order it comes, and whether they are forgotten before or after."""
    facts = [NAMED, card(2, 12, 2030), *failures(0), paid(3)]
    known = without_person(account(*facts))
    expected = replace(known, instructions=(FORGET,))
    empty = Account("stripe", known.customer.__class__(known.customer.ref), instructions=(FORGET,))
    for order in list(permutations(facts))[::40]:
        found = fold(empty, *order)
        assert replace(found, cases=expected.cases) == expected
    assert (known.customer.email, known.customer.name, known.customer.metadata) == (None, None, ())
    assert known.invoices["in_1"].paid_at == day(3)


def test_nobody_writes_to_them_whatever_happens() -> None:
    """Neither that it failed, nor that it was paid, nor that it will renew; and no access is taken."""
    owing = after(account(customer(), failures(0)), FORGET)
    assert keys(planned(owing, 5, warning(4))) == []
    assert why(planned(owing, 0), "payment_failed:in_1:1") == FORGOTTEN
    recovered = after(account(customer(), failures(0), paid(3)), FORGET)
    assert keys(planned(recovered, 3)) == []
    yearly = subscription(0, "active", interval="year", period_end=day(20), payment_method="pm_1")
    renewing = after(account(customer(), yearly), FORGET)
    assert keys(planned(renewing, 8)) == []
    assert keys(planned(after(account(customer(), yearly), FORGET, REMEMBER), 8)) != []
