"""What a policy may hold, what it refuses and in which words, and how it is stored."""

import json
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from db.mapping import case_from
from dunning.account import Case
from dunning.declines import Category
from dunning.ladders import Ladder, RetrySchedule
from dunning.policy import Policy
from tests.dunning.builders import day

SPAN = 'write a number and a unit: "15min", "72h", "14d" or "3w"'
NEVER = f'{SPAN}; or "never"'
HOURS = 'write days and times: "mon-fri 08:00-18:00", "daily 09:00-20:00" or "always"'
ZONE = 'is no time zone; write a name such as "Europe/Berlin" or "UTC"'
LONGER = "must be longer than nothing"
LATER = "each must be later than the one before"


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"grace": 14}, "grace", SPAN),
        ({"grace": "0d"}, "grace", LONGER),
        ({"grace": "Payday"}, "grace", SPAN),
        ({"grace_from": "last"}, "grace_from", "Input should be 'first_failure' or 'final_failure'"),
        ({"limited_after": "0d"}, "limited_after", LONGER),
        ({"limited_after": "nevr"}, "limited_after", NEVER),
        ({"unresolved_after": 7}, "unresolved_after", NEVER),
        ({"blocked_after": "Never"}, "blocked_after", NEVER),
        ({"last_call": "-3d"}, "last_call", NEVER),
        ({"promise_within": "soon"}, "promise_within", NEVER),
        ({"at_expiry": "gone"}, "at_expiry", "Input should be 'limited' or 'revoked'"),
        ({"end_action": "x"}, "end_action", "Input should be 'none', 'cancel', 'unpaid' or 'pause'"),
        ({"retries": "me"}, "retries", "Input should be 'provider' or 'worker'"),
        ({"revocation_hours": "office"}, "revocation_hours", HOURS),
        ({"mail_hours": 9}, "mail_hours", HOURS),
        ({"time_zone": "Mars"}, "time_zone", ZONE),
        ({"time_zone": ""}, "time_zone", ZONE),
        (
            {"final_warnings": []},
            "final_warnings",
            "Tuple should have at least 1 item after validation, not 0",
        ),
        (
            {"final_warnings": ["72h", "72h"]},
            "",
            "final_warnings must get shorter: each warning is closer to the end than the last",
        ),
        (
            {"final_warnings": ["71h"]},
            "",
            "the first final warning must come at least 72 hours before access ends",
        ),
        ({"ladder": {"masked": ["3d", "1d"]}}, "ladder.masked", LATER),
        ({"ladder": {"masked": ["1d", "24h"]}}, "ladder.masked", LATER),
        ({"ladder": {"masked": ["1d", "x"]}}, "ladder.masked.1", SPAN),
        ({"ladder": {"masked": ["-P1D"]}}, "ladder.masked.0", SPAN),
        ({"ladder": {"maskd": []}}, "ladder.maskd", "Extra inputs are not permitted"),
        ({"retry": {"unknown": ["tomorrow"]}}, "retry.unknown.0", f'{SPAN}; or "payday"'),
        ({"retry": {"unknown": ["Payday"]}}, "retry.unknown.0", f'{SPAN}; or "payday"'),
        ({"retry": {"expired_card": ["1d"]}}, "retry.expired_card", "Extra inputs are not permitted"),
        ({"first_payment_mails": ["4h", "15min"]}, "first_payment_mails", LATER),
        ({"mail_gap": "none"}, "mail_gap", SPAN),
        ({"most_mails": 1}, "most_mails", "Input should be greater than or equal to 2"),
        ({"remind_after": 0}, "remind_after", "Input should be greater than or equal to 1"),
        ({"most_reminders": -1}, "most_reminders", "Input should be greater than or equal to 0"),
        ({"escalate_after": 0}, "escalate_after", "Input should be greater than or equal to 1"),
        ({"high_value": {"usd": 0}}, "high_value.usd", "Input should be greater than or equal to 1"),
        ({"renewal_notice": ["0d"]}, "renewal_notice.0", LONGER),
        ({"card_expiry_notice": ["x"]}, "card_expiry_notice.0", SPAN),
        ({"extension": "never"}, "extension", SPAN),
        ({"patience": 3}, "patience", "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_meant_is_refused_once_and_in_words(
    values: dict[str, Any], field: str, message: str
) -> None:
    """The place, and what may be written there."""
    with pytest.raises(ValidationError) as raised:
        Policy.model_validate(values)
    found = [
        (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))
        for each in raised.value.errors()
    ]
    assert found == [(field, message)]


CHANGED: dict[str, Any] = {
    "key": "3f9c0a1b2d4e/annual",
    "grace": "21d",
    "grace_from": "final_failure",
    "limited_after": "never",
    "unresolved_after": "never",
    "blocked_after": "36h",
    "last_call": "never",
    "promise_within": "never",
    "end_action": "cancel",
    "revocation_hours": "mon-wed 10:00-12:00",
    "mail_hours": "always",
    "time_zone": "Europe/Berlin",
    "holidays": ["2026-12-25", date(2027, 1, 1)],
    "ladder": {"fraud": ["15min"], "masked": []},
    "retry": {"insufficient_funds": ["payday", "P3D", "payday"], "unknown": []},
    "card_expiry_notice": ["3d", "14d", "3d"],
    "renewal_notice": [],
    "high_value": {"jpy": 50_000},
    "retries": "worker",
    "mail_gap": "0h",
}


@pytest.mark.parametrize("values", [{}, CHANGED], ids=["defaults", "everything changed"])
def test_a_policy_travels_as_json(values: dict[str, Any]) -> None:
    """A case keeps its policy in the database, whole."""
    found = Policy.model_validate(values)
    assert Policy.model_validate_json(found.model_dump_json()) == found
    assert Policy.model_validate(found.model_dump(mode="json")) == found


def test_notices_are_sorted_and_a_table_keeps_its_other_defaults() -> None:
    """The longest first, however they were written; an empty ladder tells nobody."""
    found = Policy.model_validate(CHANGED)
    assert found.card_expiry_notice == (timedelta(days=14), timedelta(days=3))
    assert found.limited_after is None
    assert found.ladder.of(Category.MASKED) == ()
    assert found.ladder.of(Category.EXPIRED_CARD) == Ladder().expired_card
    assert found.retry.of(Category.BANK_DECLINED) == RetrySchedule().bank_declined


def test_every_category_has_a_ladder_and_none_is_charged_again_that_only_its_owner_can_mend() -> None:
    """A category nobody thought of would be an error in the middle of a night."""
    repeated = {each for each in Category if RetrySchedule().of(each)}
    assert set(Ladder.model_fields) == {each.value for each in Category}
    assert {each for each in Category if not Ladder().of(each)} == {Category.FRAUD, Category.MERCHANT_SIDE}
    assert repeated == {
        Category.INSUFFICIENT_FUNDS,
        Category.PROCESSING_ERROR,
        Category.BANK_DECLINED,
        Category.BANK_DEBIT_FAILED,
        Category.UNKNOWN,
    }


def test_a_policy_of_an_older_version_still_loads() -> None:
    """A rule that is not known any more is left out, one that was not known then has its default."""
    stored = {
        "key": "settings",
        "grace": "P10D",
        "final_warnings": ["P3D", "P1D"],
        "escalate_after": 2,
        "at_expiry": "limited",
        "mail_gap": "PT24H",
        "transient_silence": "P2D",
        "receipt_within": "P7D",
    }
    row = {
        "invoice": "in_1",
        "subscription": "sub_1",
        "opened_at": day(0),
        "grace": timedelta(days=10),
        "closed_at": None,
        "outcome": None,
        "taken_at": None,
        "taken_level": None,
        "taken_from": None,
        "limited_at": None,
        "moved_at": None,
        "taken_over_at": None,
        "first_contact_at": None,
        "policy": json.dumps(stored),
    }
    case = case_from([row[field.name] for field in fields(Case)])
    assert case.policy is not None
    assert (case.policy.grace, case.policy.escalate_after, case.policy.at_expiry) == (
        timedelta(days=10),
        2,
        "limited",
    )
    assert case.policy.ladder == Ladder()
