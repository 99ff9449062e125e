"""Calendars in which somebody says something, lives far away, or lets us charge again.

Days and times are those of `test_calendars`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from tests.dunning.builders import charge, customer, day, failed, invoice, ledger, subscription
from tests.dunning.more_builders import NEW_YORK, said
from tests.dunning.walk import MONDAY, Timeline, Told, blocked, charged, lines, lived

BEGINNING = " 1 Tue 10:00 mail payment_failed 1"
PROMISED = """
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
10 Thu 10:00 call reminder:1
11 Fri 10:00 call last_call
11 Fri 10:00 call promise_broken:2026-03-19
11 Fri 10:00 mail final_warning 72h
13 Sun 10:00 mail final_warning 24h
14 Mon 10:00 access revoked
14 Mon 10:00 mail access_ended
"""
PAUSED = """
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
10 Thu 10:00 call reminder:1
18 Fri 10:00 call last_call
18 Fri 10:00 mail final_warning anew 72h
20 Sun 11:00 mail final_warning anew 24h
21 Mon 11:00 access revoked
21 Mon 11:00 mail access_ended
"""
RESUMED = """
20 Sun 11:00 call attempts
20 Sun 11:00 call last_call
20 Sun 11:00 call unresolved
20 Sun 11:00 mail final_warning anew 72h
21 Mon 11:00 access limited
22 Tue 11:00 mail final_warning anew 24h
23 Wed 11:00 access revoked
23 Wed 11:00 call reminder:1
23 Wed 11:00 mail access_ended
"""
EXTENDED = """
 4 Fri 10:00 mail payment_failed 2
 5 Sat 10:00 call attempts
 7 Mon 10:00 call unresolved
 8 Tue 10:00 mail payment_failed 3
10 Thu 10:00 call reminder:1
10 Thu 10:00 access limited
11 Fri 10:00 call last_call
11 Fri 10:00 mail final_warning 72h
17 Thu 10:00 access limited
18 Fri 10:00 mail final_warning anew 72h
20 Sun 11:00 mail final_warning anew 24h
21 Mon 11:00 access revoked
21 Mon 11:00 mail access_ended
"""


def since(moment: datetime) -> float:
    """In days of the builders."""
    return (moment - day(0)) / timedelta(days=1)


DAY2, DAY12 = MONDAY + 2, MONDAY + 12.5


@pytest.mark.parametrize(
    ("told", "calendar"),
    [
        ([said(Verb.PROMISE, DAY2, until=MONDAY + 10)], PROMISED),
        ([said(Verb.PAUSE, DAY2, until=MONDAY + 18)], PAUSED),
        ([said(Verb.STOP, DAY2), said(Verb.RESUME, MONDAY + 20)], RESUMED),
        ([said(Verb.EXTEND, DAY12, span=timedelta(days=7))], EXTENDED),
        ([said(Verb.STOP, DAY2)], ""),
        ([said(Verb.EXCLUDE, DAY2, case=None)], ""),
        ([said(Verb.FORGIVE, DAY2)], ""),
    ],
    ids=["promise", "pause", "stop", "extension", "for good", "excluded", "forgiven"],
)
def test_people_change_the_calendar(told: list[Instruction], calendar: str) -> None:
    """What waits is done afterwards, and the end moves so far that two warnings come before it."""
    heard: Timeline = [(since(each.at), [each]) for each in told]
    found = lived([*charged("insufficient_funds"), *heard])
    assert sorted(found) == sorted([BEGINNING, *lines(calendar)])


def test_whoever_takes_a_case_over_is_reminded_every_third_working_day() -> None:
    """Nobody was called before, and nothing else is done; the case is not forgotten."""
    told: Timeline = [*charged("insufficient_funds")[:1], (DAY2, [said(Verb.HAND_OVER, DAY2, to="Grace")])]
    assert lived(told)[:5] == [
        BEGINNING,
        " 7 Mon 10:00 call reminder:1",
        "10 Thu 10:00 call reminder:2",
        "15 Tue 10:00 call reminder:3",
        "18 Fri 10:00 call reminder:4",
    ]


def test_a_valuable_customer_loses_access_after_somebody_has_seen_the_last_call() -> None:
    """An hour after it, on day 18, is soon enough; before it is not."""
    seen = said(Verb.ACKNOWLEDGE, MONDAY + 18.05)
    for acknowledged, ends in ((seen, True), (said(Verb.ACKNOWLEDGE, MONDAY + 17.9), False)):
        at = since(acknowledged.at)
        found = lived([*charged("expired_card", interval="year"), (at, [acknowledged])])
        assert ("21 Mon 11:00 access revoked" in found) is ends


FAR_AWAY = """
 3 Thu 09:00 mail payment_failed 2
 7 Mon 09:00 mail payment_failed 3
10 Thu 19:59 mail final_warning 72h
12 Sat 19:59 mail final_warning 24h
14 Mon 05:00 mail access_ended
"""


@pytest.mark.parametrize(
    ("timeline", "first"),
    [
        (charged("expired_card"), " 0 Mon 09:00 mail payment_failed 1"),
        (blocked("authentication_required"), " 0 Mon 05:00 mail payment_failed 1"),
    ],
)
def test_mails_come_in_the_waking_hours_of_new_york(timeline: Timeline, first: str) -> None:
    """It is five in the morning there: a notice waits for nine, a warning comes the evening before.

    The first mail about a confirmation does not wait: its reader may be sitting there.
    """
    timeline[0][1].append(customer(MONDAY, country="US"))
    found = lived(timeline, zone=NEW_YORK)
    assert [line for line in found if " mail " in line] == lines(first, FAR_AWAY)


@pytest.mark.parametrize(
    ("code", "charges"),
    [
        # The third day at eight, the 15th of March, the eighth day and the twelfth.
        ("insufficient_funds", ["4 Fri 08:00", "6 Sun 08:00", "9 Wed 08:00", "13 Sun 08:00"]),
        ("generic_decline", ["3 Thu 08:00", "6 Sun 08:00", "11 Fri 08:00"]),
        ("processing_error", ["0 Mon 11:00", "0 Mon 16:00", "1 Tue 10:00", "3 Thu 10:00"]),
        ("never_heard_of", ["3 Thu 08:00", "6 Sun 08:00"]),
        ("expired_card", []),
        ("stolen_card", []),
        ("authentication_required", []),
        ("fraudulent", []),
    ],
)
def test_our_own_charges(code: str, charges: list[str]) -> None:
    """In the morning of the customer, where one more charge may help at all."""
    found = lived(charged(code)[:1], Policy(retries="worker"))
    assert [line[:12].strip() for line in found if line.endswith("charge retry")] == charges


def test_a_first_payment() -> None:
    """A quarter of an hour, four hours, eighteen hours; nothing is taken and nobody is called."""
    first: list[Told] = [
        customer(0, country="DE"),
        invoice(MONDAY, attempt_count=1, billing_reason="subscription_create"),
        failed(MONDAY),
        charge(MONDAY, "expired_card"),
        ledger(),
        subscription(MONDAY, "incomplete"),
    ]
    assert lived([(MONDAY, first)]) == [
        " 0 Mon 10:15 mail first_payment 1",
        " 0 Mon 14:00 mail first_payment 2",
        " 1 Tue 04:00 mail first_payment 3",
    ]
