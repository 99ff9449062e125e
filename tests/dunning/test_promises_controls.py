"""Negative controls: rules that break a promise are found out by the lives that check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dunning.hours import parse_hours
from dunning.ladders import Ladder
from dunning.policy import WARNED_BEFORE, Policy
from dunning.steps import Effect
from tests.dunning.life import Life
from tests.dunning.stories import Setting, Story
from tests.dunning.strategies import examples

NEVER_PAYS = Setting(delays=(2,), answers=("ok", "do_not_honor"), zone="America/Los_Angeles", amount=90_000)
OFTEN = Ladder(bank_declined=tuple(timedelta(days=day) for day in range(7)))
SILENT = Ladder(bank_declined=())
PROMISED = Policy(
    ladder=OFTEN,
    grace=timedelta(days=10),
    limited_after=None,
    revocation_hours=parse_hours("mon-fri 09:00-17:00"),
    acknowledge_high_value=False,
    most_mails=8,
)


class Gullible(Life):
    """Rules that take every final warning for one of three days ago."""

    def known(self) -> Mapping[str, Effect]:
        return {
            key: replace(effect, accepted_at=effect.accepted_at - WARNED_BEFORE)
            if effect.name == "final_warning" and effect.accepted_at
            else effect
            for key, effect in self.history.items()
        }


class Deaf(Life):
    """Rules that never hear what became of a mail."""

    def known(self) -> Mapping[str, Effect]:
        return {key: replace(effect, undone=None) for key, effect in self.history.items()}


def first_broken(kind: type[Life], given_to_rules: Policy, promised: Policy, bounces: float = 0.0) -> str:
    """Which promise is broken first in some life of somebody who never pays; none is an error."""

    @settings(examples(30), phases=[Phase.generate], report_multiple_bugs=False)
    @given(seed=st.integers(0, 2**32))
    def holds(seed: int) -> None:
        life = kind(Story(NEVER_PAYS), given_to_rules, Random(seed), promised, bounces=bounces)  # noqa: S311  # no secret
        life.wait(31.5)
        life.wait(20)

    with pytest.raises(AssertionError) as broken:
        holds()
    return str(broken.value)


@pytest.mark.parametrize(
    ("without", "found"),
    [
        ({"mail_gap": timedelta(0)}, "two mails in"),
        ({"most_mails": 20}, "ordinary mail 6 of at most 5"),
        ({"mail_hours": parse_hours("always")}, "an ordinary mail outside of waking hours"),
        ({"revocation_hours": parse_hours("always")}, "taken outside of office hours"),
        ({"grace": timedelta(days=5)}, "taken before grace ended"),
        ({"limited_after": timedelta(days=2)}, "limited, which the policy does not know"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_guard_that_the_rules_were_not_given_is_missed(without: dict[str, Any], found: str) -> None:
    """The rules have another policy than the one that was promised."""
    hasty = {"mail_gap": timedelta(0)} if "most_mails" in without else {}
    promised = PROMISED.model_copy(update=hasty)
    assert first_broken(Life, promised.model_copy(update=without), promised).startswith(found)


def test_the_last_call_has_to_be_seen() -> None:
    """A promise to valuable customers that the rules do not keep."""
    promised = PROMISED.model_copy(update={"acknowledge_high_value": True})
    assert first_broken(Life, PROMISED, promised).startswith("a valuable customer lost access")


def test_class_8_a_warning_of_yesterday_is_found_out() -> None:
    """The guard of 72 hours taken away: access ends with grace, whenever the warning arrived."""
    assert first_broken(Gullible, PROMISED, PROMISED).startswith("taken too soon after the warning")


def test_a_mail_that_came_back_is_found_out() -> None:
    """Rules that go on writing to an address, and count a warning that nobody got."""
    found = first_broken(Deaf, PROMISED, PROMISED, bounces=0.5)
    assert found.startswith("a mail to where one came back from")
    only_the_end = PROMISED.model_copy(update={"ladder": SILENT, "final_warnings": (WARNED_BEFORE,)})
    found = first_broken(Deaf, only_the_end, only_the_end, bounces=0.5)
    assert found.startswith("taken without an accepted warning")


def test_the_same_lives_break_nothing_with_every_guard() -> None:
    """It is the missing guard that is found, not the life."""
    for seed in range(5):
        life = Life(Story(NEVER_PAYS), PROMISED, Random(seed), PROMISED)  # noqa: S311  # no secret
        life.wait(51.5)
