"""Whole calendars, from the first failure to the end, by the policies nobody had to write.

Days count from the first failure, Monday 9 March 2026 at 10:00 in Berlin; times are Berlin's. The merchant is
in UTC, so that "09:00" of the working hours is 10:00 here, and 11:00 after the clocks changed on day 20.
"""

from __future__ import annotations

import pytest

from tests.dunning.builders import charge, day
from tests.dunning.walk import MONDAY, Timeline, blocked, charged, lines, lived

ENDING = """
10 Thu 10:00 call reminder:1
10 Thu 10:00 access limited
11 Fri 10:00 call last_call
11 Fri 10:00 mail final_warning 72h
13 Sun 10:00 mail final_warning 24h
14 Mon 10:00 access revoked
14 Mon 10:00 mail access_ended
"""
ANNUAL_ENDING = """
10 Thu 10:00 access limited
18 Fri 10:00 call last_call
18 Fri 10:00 mail final_warning 72h
20 Sun 11:00 mail final_warning 24h
"""


FUNDS = """
 1 Tue 10:00 mail payment_failed 1
 4 Fri 10:00 mail payment_failed 2
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
 8 Tue 10:00 mail payment_failed 3
"""
CARD = """
 0 Mon 10:00 mail payment_failed 1
 3 Thu 10:00 mail payment_failed 2
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
 7 Mon 10:00 mail payment_failed 3
"""
BLOCKED = """
 0 Mon 10:00 mail payment_failed 1
 3 Thu 10:00 call blocked
 3 Thu 10:00 mail payment_failed 2
 7 Mon 10:00 call unresolved
 7 Mon 10:00 mail payment_failed 3
"""
PASSING = """
 2 Wed 10:00 mail payment_failed 1
 4 Fri 10:00 mail payment_failed 2
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
 8 Tue 10:00 mail payment_failed 3
"""
CONSENT = """
 0 Mon 10:00 call consent_withdrawn
 0 Mon 10:00 mail payment_failed 1
 3 Thu 10:00 call blocked
 7 Mon 10:00 call unresolved
"""
# Nothing is taken and nobody is mailed: a person decides.
FRAUD = """
 0 Mon 10:00 call fraud
 3 Thu 10:00 call reminder:1
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
"""


@pytest.mark.parametrize(
    ("code", "calendar"),
    [
        ("insufficient_funds", FUNDS),
        ("expired_card", CARD),
        ("incorrect_cvc", CARD),
        ("card_not_supported", CARD),
        ("generic_decline", CARD),
        ("restricted_card", CARD),
        ("never_heard_of", CARD),
        ("processing_error", PASSING),
    ],
)
def test_a_monthly_plan_whose_charge_is_repeated(code: str, calendar: str) -> None:
    """Fourteen days, limited from the tenth, and a person called after the third charge."""
    assert lived(charged(code, interval="month")) == lines(calendar, ENDING)


@pytest.mark.parametrize(
    ("code", "calendar"),
    [
        ("authentication_required", BLOCKED),
        ("incorrect_number", BLOCKED),
        ("stolen_card", BLOCKED),
        ("transaction_not_allowed", BLOCKED),
        ("revocation_of_authorization", CONSENT),
    ],
)
def test_a_monthly_plan_whose_charge_is_only_counted(code: str, calendar: str) -> None:
    """Three attempts that were never made call nobody; that none is made does, on the third day."""
    assert lived(blocked(code, interval="month")) == lines(calendar, ENDING)


@pytest.mark.parametrize(
    ("code", "calendar"),
    [("fraudulent", FRAUD), ("testmode_decline", FRAUD.replace("fraud", "merchant_side"))],
)
def test_what_the_customer_is_not_asked_to_mend(code: str, calendar: str) -> None:
    """No mail, and no access taken."""
    assert lived(charged(code, interval="month")) == lines(calendar)


def test_a_bank_debit() -> None:
    """Told at once, on the fourth day and on the ninth; a bank is not asked again by itself."""
    told = charged("insufficient_funds")[:1]
    told[0][1].append(charge(MONDAY, "insufficient_funds", method_type="sepa_debit"))
    found = BLOCKED.replace("3 Thu 10:00 mail", "4 Fri 10:00 mail").replace(
        "7 Mon 10:00 mail", "9 Wed 10:00 mail"
    )
    assert lived(told) == lines(found, ENDING)


WEEK = """
 4 Fri 10:00 call last_call
 4 Fri 10:00 mail final_warning 72h
 5 Sat 10:00 call attempts
 6 Sun 10:00 mail final_warning 24h
 7 Mon 10:00 access revoked
 7 Mon 10:00 mail access_ended
 9 Wed 10:00 call reminder:1
"""
NOT_CHARGED_AGAIN = lines(WEEK.replace(" 5 Sat 10:00 call attempts\n", ""))


@pytest.mark.parametrize(
    ("told", "calendar"),
    [
        (charged("insufficient_funds", interval="week"), lines(*FUNDS.splitlines()[1:2], WEEK)),
        (charged("expired_card", interval="week"), lines(*CARD.splitlines()[1:3], WEEK)),
        (blocked("stolen_card", interval="week"), [*lines(*BLOCKED.splitlines()[1:4]), *NOT_CHARGED_AGAIN]),
    ],
    ids=["funds", "card", "blocked"],
)
def test_a_weekly_plan(told: Timeline, calendar: list[str]) -> None:
    """Half a week of grace, which its Thursday evening stretches to Monday; no limit before the end."""
    assert lived(told) == calendar


TRIAL = """
 0 Mon 10:00 call last_call
 0 Mon 10:00 mail final_warning 72h
 2 Wed 10:00 mail final_warning 24h
 3 Thu 10:00 access revoked
 3 Thu 10:00 mail access_ended
 3 Thu 10:00 call reminder:1
 5 Sat 10:00 call attempts
"""


@pytest.mark.parametrize("code", ["insufficient_funds", "expired_card"])
def test_the_first_charge_after_a_trial(code: str) -> None:
    """Three days: the first mail is the warning, whatever the ladder says."""
    assert lived(charged(code, interval="month", trial_end=day(MONDAY))) == lines(TRIAL)


YEAR = """
17 Thu 10:00 access limited
18 Fri 10:00 call last_call
18 Fri 10:00 mail final_warning 72h
20 Sun 11:00 mail final_warning 24h
23 Wed 11:00 call reminder:2
28 Mon 11:00 call reminder:3
"""
YEAR_BLOCKED = " 0 Mon 10:00 call high_value\n" + BLOCKED.strip("\n") + "\n10 Thu 10:00 call reminder:1"
YEAR_CARD = """
 0 Mon 10:00 call high_value
 0 Mon 10:00 mail payment_failed 1
 3 Thu 10:00 call reminder:1
 3 Thu 10:00 mail payment_failed 2
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
 7 Mon 10:00 mail payment_failed 3
"""
YEAR_FUNDS = """
 0 Mon 10:00 call high_value
 1 Tue 10:00 mail payment_failed 1
 3 Thu 10:00 call reminder:1
 4 Fri 10:00 mail payment_failed 2
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
 8 Tue 10:00 mail payment_failed 3
"""


@pytest.mark.parametrize(
    ("told", "calendar"),
    [
        (charged("insufficient_funds", interval="year"), YEAR_FUNDS),
        (charged("expired_card", interval="year"), YEAR_CARD),
        (blocked("stolen_card", interval="year"), YEAR_BLOCKED),
    ],
    ids=["funds", "card", "blocked"],
)
def test_an_annual_plan_waits_for_a_person(told: Timeline, calendar: str) -> None:
    """Somebody is called at the first failure, and at the end until they answer; nothing is taken before."""
    found, expected = lived(told), lines(calendar, YEAR)
    assert found[: len(expected)] == expected
    assert {line[13:25] for line in found[len(expected) :]} == {"call reminde"}
