"""Everything that rules can say has words for the team."""

from enum import StrEnum

import pytest

from console.words import CATEGORIES, LEVELS, OUTCOMES, REASONS, instruction_title, journal_title, step_title
from dunning.access import Level, Reason
from dunning.account import Outcome
from dunning.declines import Category
from dunning.instructions import Verb


@pytest.mark.parametrize(
    ("words", "meant"),
    [(CATEGORIES, Category), (LEVELS, Level), (REASONS, Reason), (OUTCOMES, Outcome)],
    ids=["categories", "levels", "reasons", "outcomes"],
)
def test_every_value_has_words(words: dict[str, str], meant: type[StrEnum]) -> None:
    """A value added to the rules fails here until somebody says what it means."""
    assert set(words) == set(meant)
    assert all(words.values())


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("payment_failed:in_1:2", "Mail 2 about the open payment"),
        ("payment_failed:in_1:new_reason", "Mail that only the customer can mend it now"),
        ("first_payment:in_1:1", "Mail 1 about the first payment"),
        ("card_expiring:sub_1:2026-03-01:14d", "Mail that the card expires, 14 days before the charge"),
        ("renewal_notice:sub_1:2026-03-01:1d", "Mail that the plan renews, 1 day before the renewal"),
        ("restriction:in_1", "Access limited"),
        ("retry:in_1:2", "Charge 2 of our own"),
        ("end:in_1:cancel", "Subscription cancelled at the provider"),
        ("end:in_1:void", "Old invoices voided at the provider"),
        ("final_warning:in_1:20260313T090000:24h", "Final warning, 24 h before the end"),
        ("escalation:in_1:reminder:2", "Call to the team (nobody has seen the last call, reminder 2)"),
        ("escalation:in_1:promise_broken:2026-03-10", "Call to the team (a promise was broken: 2026-03-10)"),
        ("final_warning:in_1:72h", "Final warning, 72 h before the end"),
        ("access:in_1:revoked", "Access revoked"),
        ("access:in_1:limited", "Access limited"),
        ("access_ended:in_1", "Mail that access has ended"),
        ("recovered:in_1", "Receipt for the late payment"),
        ("escalation:in_1:attempts", "Call to the team (charges keep failing)"),
        ("escalation:in_1:something_new", "Call to the team (something_new)"),
        ("something_new:in_1", "something_new:in_1"),
    ],
)
def test_a_step_s_key_is_readable(key: str, title: str) -> None:
    """Known steps have titles, new ones at least their key."""
    assert step_title(key) == title


def test_an_unknown_journal_entry_stands_for_itself() -> None:
    """Nothing is left out of a timeline because it is new."""
    assert journal_title("case.opened") == "Case opened"
    assert journal_title("moon.eclipsed") == "moon.eclipsed"


@pytest.mark.parametrize("verb", Verb)
def test_every_instruction_has_words(verb: Verb) -> None:
    """In a timeline it stands as something that was done."""
    assert journal_title(f"instruction.{verb}") == instruction_title(verb) != verb
