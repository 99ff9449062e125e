"""What Hypothesis may choose: subscribers, policies, and what happens to them.

Every value is drawn from a few that mean something, since the rules change at days and hours, not between.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dunning.declines import Category
from dunning.hours import parse_hours
from dunning.ladders import Ladder
from dunning.policy import Policy
from tests.dunning.deeds import ACTIONS, SAYINGS, Action
from tests.dunning.stories import Setting

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
A_DAY = timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata")
DECLINES = (
    "insufficient_funds", "stolen_card", "processing_error", "requires_action", "authentication_required",
    "do_not_honor", "expired_card", "fraudulent", "stop_payment_order",
)  # fmt: skip


def _days(*numbers: float) -> list[timedelta]:
    return [number * A_DAY for number in numbers]


def _ladder(rungs: tuple[timedelta, ...]) -> Ladder:
    return Ladder.model_validate(dict.fromkeys(Category, rungs))


def _policy(values: dict[str, Any]) -> Policy:
    """With room for a notice beside the final warnings and the end."""
    warnings = values.get("final_warnings", Policy.model_fields["final_warnings"].default)
    if "most_mails" in values:
        values = values | {"most_mails": max(values["most_mails"], len(warnings) + 2)}
    return Policy.model_validate(values)


# What lets a case grow old is drawn most often.
answers = st.sampled_from([*DECLINES, *("insufficient_funds", "do_not_honor") * 4, "ok"])
settings_of = st.builds(
    Setting,
    interval=st.sampled_from(["month", "month", "week"]),
    # None at all leaves the retries to the worker.
    delays=st.just(()) | st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    # Only `past_due` leaves the end of access to us.
    at_end=st.sampled_from([*["past_due"] * 7, "cancel", "unpaid", "pause"]),
    automations=st.booleans(),
    answers=st.lists(answers, min_size=1, max_size=3).map(lambda later: ("ok", *later)),
    old_shape=st.booleans(),
    zone=st.none() | st.sampled_from(ZONES),
    contact=st.sampled_from([None, "bills@customer.example"]),
    amount=st.sampled_from([1900, 1900, 90_000]),
)

policies: st.SearchStrategy[Policy] = st.fixed_dictionaries(
    {"retries": st.sampled_from(["worker", "provider"])},
    optional={
        "grace": st.sampled_from(_days(0.5, 3, 5, 8, 21)),
        "grace_from": st.sampled_from(["first_failure", "final_failure"]),
        "limited_after": st.none() | st.sampled_from(_days(1, 4, 10, 30)),
        "at_expiry": st.sampled_from(["limited", "revoked"]),
        "end_action": st.sampled_from(["none", "cancel"]),
        "ladder": st.sampled_from(
            [_ladder(tuple(_days(*rungs))) for rungs in [(), (0,), (0, 0.5, 1, 1.5, 2, 9), (1, 4, 8)]]
        ),
        "mail_gap": st.sampled_from(_days(0, 1, 2, 4)),
        "most_mails": st.sampled_from([5, 6, 9]),
        "mail_hours": st.sampled_from(
            [parse_hours(text) for text in ("always", "mon-fri 08:00-18:00", "mon 10:00-11:00")]
        ),
        "revocation_hours": st.sampled_from([parse_hours(text) for text in ("always", "tue 09:00-10:00")]),
        "time_zone": st.sampled_from(ZONES),
        "holidays": st.frozensets(st.dates(date(2026, 1, 12), date(2026, 3, 10)), max_size=8),
        "final_warnings": st.sampled_from(
            [tuple(timedelta(hours=each) for each in spans) for spans in ((72,), (96, 48, 24), (168, 71))]
        ),
        "escalate_after": st.sampled_from([1, 2, 3]),
        "unresolved_after": st.none(),
        "blocked_after": st.none(),
        "last_call": st.none() | st.sampled_from(_days(1, 5)),
        "high_value": st.sampled_from([{}, {"usd": 1000}]),
        "acknowledge_high_value": st.booleans(),
        "most_reminders": st.sampled_from([0, 3]),
    },
).map(_policy)

# Time passes more often than anything else happens, and often enough to see a grace end.
waits = st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 3.0, 5.0, 8.0]))
deeds = st.tuples(st.sampled_from(sorted(set(ACTIONS) - {"wait"})), st.integers(0, 3).map(float))
sayings = st.tuples(st.sampled_from(sorted(SAYINGS)), st.integers(0, 3).map(float))


def courses(*happenings: st.SearchStrategy[Action], most: int = 16) -> st.SearchStrategy[list[Action]]:
    """What happens to somebody from their first renewal on, with days between."""
    happening: Any = st.one_of(waits, waits, waits, *happenings)
    told: st.SearchStrategy[list[Action]] = st.lists(happening, min_size=8, max_size=most)
    return told.map(lambda actions: [("wait", 31.5), *actions])


def examples(number: int) -> settings:
    """So many, always the same; or as many new ones as the environment asks for."""
    return settings(
        max_examples=EXAMPLES or number,
        derandomize=not EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
