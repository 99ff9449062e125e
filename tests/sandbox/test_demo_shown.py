"""What the demo shows while it runs and at the end, to people and to machines."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from sandbox.demo.director import Outcome, Result
from sandbox.demo.happenings import Counts, Happening
from sandbox.demo.records import Failure
from sandbox.demo.report import as_json, print_report
from sandbox.demo.screen import Lines, Screen
from sandbox.demo.verdict import Difference
from tests.sandbox.test_demo_stories import SEEN, TOLD

COUNTS = Counts(events=700, deliveries=800, mails=3, calls=1, access_changes=2)
RESULT = Result(
    story=TOLD,
    customer="cus_1",
    events=12,
    failures=(
        Failure("cus_1", datetime(2026, 1, 1, 9, tzinfo=UTC), "do_not_honor"),
        Failure("cus_1", datetime(2026, 1, 4, 9, tzinfo=UTC), "do_not_honor"),
    ),
    seen=SEEN,
    differences=(),
)
WRONG = replace(RESULT, differences=(Difference("team", "third failed charge d8", "none"),))


def shown(*results: Result) -> str:
    """The report on a wide page without colours."""
    out = io.StringIO()
    print_report(Console(file=out, width=160), Outcome(results, COUNTS, 25.0), Path("index.html"), 30.0)
    return out.getvalue()


def test_the_report_has_a_row_for_each_customer() -> None:
    """Who, which charges failed and why, what was sent, who was called, which access."""
    text = shown(RESULT)
    for words in ("Ann Example", "do not honor d0 d3", "payment failed d0 d3", "receipt d4", "warned d0"):
        assert words in text
    assert "All 1 stories ended as they must." in text
    assert "index.html" in text


def test_the_report_says_what_differs() -> None:
    """Both versions, one below the other; and no word of success."""
    text = shown(RESULT, WRONG)
    assert "    team\n      must be  third failed charge d8\n      but is   none\n" in text
    assert "ended as they must" not in text


def test_the_json_has_everything_in_plain_values() -> None:
    """It can be written and read again, and says at the top whether all is well."""
    answer = json.loads(json.dumps(as_json(Outcome((RESULT, WRONG), COUNTS, 25.0), Path("demo"), 30.0)))
    assert answer["ok"] is False
    assert [customer["ok"] for customer in answer["customers"]] == [True, False]
    customer = answer["customers"][0]
    assert customer["failed_charges"] == [
        {"day": 0, "code": "do_not_honor"},
        {"day": 3, "code": "do_not_honor"},
    ]
    assert customer["access"][1] == {"day": 0, "level": "warned"}
    assert customer["mails"][0]["what"] == "payment failed"
    assert answer["totals"]["events"] == 700
    assert answer["inbox"].endswith("demo/mails/index.html")


def test_where_there_is_no_terminal_each_happening_is_a_line() -> None:
    """No colours, no cursor movements, nothing twice."""
    out = io.StringIO()
    with Lines(Console(file=out, width=120)) as audience:
        audience.starting("PostgreSQL")
        audience.day(0, COUNTS)
        audience.happened(Happening(0, "mail", "to Ann Example", "Your payment"))
        audience.happened(Happening(14, "access", "Ann Example", "revoked"))
    assert out.getvalue().splitlines() == [
        "starting PostgreSQL",
        "day  0  mail    to Ann Example: Your payment",
        "day 14  access  Ann Example: access revoked",
    ]


def test_in_a_terminal_the_picture_shows_the_day_and_the_newest_happenings() -> None:
    """The figures are those of the last day told; the picture is gone at the end."""
    out = io.StringIO()
    with Screen(Console(file=out, width=100, height=40, force_terminal=True, color_system=None)) as audience:
        audience.day(12, COUNTS)
        for number in range(20):
            audience.happened(Happening(12, "deed", f"Person {number}", "pays"))
        audience.refresh()
    picture = out.getvalue()
    assert "day 12 of 30" in picture
    assert "700 events" in picture
    assert "Person 19 pays" in picture
    assert "Person 0 pays" not in picture
