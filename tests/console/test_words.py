"""Everything that rules can say has words for the team."""

from enum import StrEnum

import pytest

from console.words import CATEGORIES, LEVELS, OUTCOMES, REASONS, journal_title, step_title
from dunning.access import Level, Reason
from dunning.account import Outcome
from dunning.declines import Category


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
        ("payment_failed:in_1:attempt:2", "Mail about failure 2"),
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
