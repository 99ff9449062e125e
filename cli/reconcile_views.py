"""What a reconciliation has found and done: tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cli.moments import stamp, when
from cli.output import print_table
from cli.reconcile_run import Found, Standing, Tried
from cli.tables import heading, print_pairs, print_rows, say
from db.differences import Noted
from db.reconciliations import Run
from dunning.differing import Difference

# Of all differences, a person is shown so many.
SHOWN = 40
DONE = {
    "repaired": "put right",
    "gone": "right by now",
    "reported": "for a person",
    "found": "looked at again soon",
}


def print_found(found: Found) -> None:
    """What was taken in, what differed, and what became of it."""
    _events(found.listed, found.missed, found.since)
    if found.missed:
        say("They are taken in now: workers apply them, each as of its own time.")
    _compared(found.compared)
    _noted(found.differences)


def print_tried(tried: Tried) -> None:
    """The same of what was only looked at."""
    _events(tried.events.listed, tried.events.missed, tried.since)
    if tried.events.oldest:
        say(f"The oldest is of {stamp(tried.events.oldest)}.")
    _compared(tried.compared)
    print_rows(
        ["Object", "Of", "Here, and there"],
        [[each.ref, _of(each), _words(each.differs)] for each in tried.differences[:SHOWN]],
        empty="Nothing differs.",
    )
    _more(len(tried.differences))
    say("Nothing was written.")


def print_standing(done: Standing) -> None:
    """When it was done last, and what differs still."""
    now = datetime.now(UTC)
    for kind, title in (("events", "Events, hourly"), ("comparison", "Everything, nightly")):
        run = done.runs.get(kind)  # type: ignore[call-overload]  # both are kinds
        heading(title, level=2)
        print_pairs(_state(run, now) if run else [("Last", "never: no scheduler has been started yet")])
    heading("What differs", level=2)
    _noted(done.differences)


def _state(run: Run, now: datetime) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = [
        ("Last", when(run.succeeded_at, now) if run.succeeded_at else "never"),
        ("Next", "under way" if run.begun_at else when(run.due_at, now)),
        ("Taken in", f"{run.totals.get('filled', 0):,} events, of all times"),
    ]
    if run.kind == "comparison":
        pairs[-1] = ("Put right", f"{run.totals.get('repaired', 0):,} differences, of all times")
    if run.last_error:
        pairs.append(("Failed", f"{when(run.failed_at, now)}: {run.last_error}"))
    return pairs


def _events(listed: int, missed: Mapping[str, int], since: datetime) -> None:
    say(f"{listed:,} events since {stamp(since)}, {sum(missed.values()):,} of them never heard of.")
    if missed:
        print_table(["Event", "Missed"], Counter(missed).most_common())


def _compared(counts: Mapping[str, int]) -> None:
    if not counts:
        return
    subscriptions, invoices, held = (counts.get(name, 0) for name in ("subscriptions", "invoices", "held"))
    say(f"Compared {subscriptions:,} subscriptions, {invoices:,} open invoices, {held:,} unpaid here.")
    if counts.get("strangers"):
        say(
            f"{counts['strangers']:,} belong to customers nobody here has heard of: `dunning import stripe` "
            "takes them over."
        )


def _noted(found: Sequence[Noted]) -> None:
    print_rows(
        ["Object", "Of", "Here, and there", "Since", "Now"],
        [
            [each.ref, _of(each), _words(each.differs), stamp(each.found_at), DONE[each.status]]
            for each in found[:SHOWN]
        ],
        empty="Nothing differs.",
    )
    _more(len(found))


def _more(many: int) -> None:
    if many > SHOWN:
        say(f"{SHOWN} of {many} are shown: --json has all.")


def _of(each: Noted | Difference) -> str:
    return each.customer if each.customer != each.ref else each.kind


def _words(differs: Mapping[str, Any]) -> str:
    """`status past_due, active`, a line each."""
    return "\n".join(_line(name, value) for name, value in differs.items())


def _line(name: str, value: Any) -> str:
    name = name.replace("_", " ")
    if not isinstance(value, list):
        return f"{name}: {value}"
    return f"{name}: {', '.join('-' if each is None else str(each) for each in value)}"
