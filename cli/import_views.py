"""What an import has done, and what one would do: tables for people, JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cli.import_progress import in_words
from cli.moments import stamp
from cli.output import print_json
from cli.tables import heading, print_pairs, print_rows, say
from console.words import step_title
from db.imports import Import
from dunning.foretold import Foretold
from dunning.money import Money, format_money
from dunning.steps import Step
from worker.rehearsing import Rehearsed

# Of all customers and days, a person is shown so many.
SHOWN = 40
DAYS = 14

STATES = {
    "running": "not finished: `dunning import stripe` goes on with it",
    "finished": "finished",
    "abandoned": "given up for another, which began anew",
}


def print_run(run: Import) -> None:
    """One import."""
    heading(f"Import {run.id} from {run.source}: {STATES[run.state]}")
    counts = run.counts
    pairs: list[tuple[str, object]] = [
        ("Began", stamp(run.started_at)),
        ("Finished" if run.finished_at else "Last page", stamp(run.finished_at or run.beat_at)),
        ("Read", in_words({**counts, "cases": counts.get("cases", 0)})),
        ("Customers", f"{counts.get('customers', 0):,} who were not known before"),
        ("Cases", f"{counts.get('cases', 0):,} taken over; first mails are spread over three days"),
    ]
    if counts.get("uncalled"):
        pairs.append(
            (
                "For your team",
                f"{counts['uncalled']:,} of them were due for a call before: `dunning case list`",
            )
        )
    if counts.get("over"):
        pairs.append(("Over before", f"{counts['over']:,} that Stripe had ended: nobody is told of them"))
    if counts.get("unreadable"):
        pairs.append(
            ("Unreadable", f"{counts['unreadable']:,} objects without the shape that Stripe documents")
        )
    print_pairs(pairs)


def print_rehearsal(tried: Rehearsed, *, json: bool) -> None:
    """Who would be told what, and when, if nobody paid."""
    told = sorted(tried.foretold(), key=lambda each: (each.steps[0].due_at, each.account.customer.ref))
    if json:
        print_json(
            {
                "dry_run": True,
                "at": tried.now,
                "summary": _summary(tried, told),
                "customers": [_plain(each) for each in told],
            }
        )
        return
    say("Only tried, nothing was written. If nobody paid, it would be:", style="bold")
    print_rows(
        [
            "Customer",
            "Mail address",
            "Owes",
            "Since",
            "First mail",
            "At",
            "Mails",
            "Calls",
            "Limited",
            "Ends",
        ],
        [_row(each) for each in told[:SHOWN]],
        empty="Nobody is told anything.",
    )
    if len(told) > SHOWN:
        say(f"{SHOWN} of {len(told)} customers are shown: --json has all, with every step.")
    _print_summary(_summary(tried, told))


def _row(told: Foretold) -> Sequence[object]:
    first = told.mails[0] if told.mails else None
    return [
        told.account.customer.ref,
        told.account.customer.email,
        _money(told.owed),
        told.failed_at and f"{told.failed_at:%Y-%m-%d}",
        first and step_title(first.key),
        first and stamp(first.due_at),
        len(told.mails),
        len(told.calls),
        _day(told, "limited"),
        _day(told, "revoked"),
    ]


def _day(told: Foretold, level: str) -> str | None:
    at = told.access_at(level)
    return f"{at:%Y-%m-%d}" if at else None


def _money(owed: Mapping[str, int]) -> str | None:
    return (
        ", ".join(format_money(Money(amount, currency), "en") for currency, amount in sorted(owed.items()))
        or None
    )


def _summary(tried: Rehearsed, told: Sequence[Foretold]) -> dict[str, Any]:
    owed: Counter[str] = Counter()
    for each in told:
        owed.update(each.owed)
    return {
        **tried.counts,
        "customers": len(tried.after),
        "customers_told": len(told),
        "owed": dict(sorted(owed.items())),
        "mails_by_day": _by_day(step for each in told for step in each.mails),
        "calls_by_day": _by_day(step for each in told for step in each.calls),
        "access_ends_by_day": _ends_by_day(told),
        "unreadable": tried.unreadable,
    }


def _by_day(steps: Iterable[Step]) -> dict[str, int]:
    return dict(sorted(Counter(step.due_at.date().isoformat() for step in steps).items()))


def _ends_by_day(told: Sequence[Foretold]) -> dict[str, int]:
    ends = (each.access_at("revoked") for each in told)
    return dict(sorted(Counter(at.date().isoformat() for at in ends if at).items()))


def _print_summary(summary: Mapping[str, Any]) -> None:
    heading("All together", level=2)
    counts = {name: summary[name] for name in ("subscriptions", "invoices", "cases")}
    print_pairs(
        [
            ("Read", in_words(counts)),
            ("Customers", f"{summary['customers']:,}, {summary['customers_told']:,} of them told something"),
            ("Owed", _money(summary["owed"])),
        ]
    )
    days = sorted({*summary["mails_by_day"], *summary["calls_by_day"], *summary["access_ends_by_day"]})
    heading("By day (UTC)", level=2)
    print_rows(
        ["Day", "Mails", "Calls to your team", "Access ends"],
        [
            [
                day,
                *(
                    summary[name].get(day, 0)
                    for name in ("mails_by_day", "calls_by_day", "access_ends_by_day")
                ),
            ]
            for day in days[:DAYS]
        ],
        empty="Nothing.",
    )


def _plain(told: Foretold) -> dict[str, Any]:
    customer = told.account.customer
    return {
        "customer": customer.ref,
        "email": customer.email,
        "owed": told.owed,
        "failed_since": told.failed_at,
        "cases": [
            {"invoice": case.invoice, "opened_at": case.opened_at, "first_contact_at": case.first_contact_at}
            for case in told.account.open_cases()
        ],
        "steps": [
            {
                "at": step.due_at,
                "kind": step.kind,
                "name": step.name,
                "key": step.key,
                "case": step.case,
                "reason": step.reason,
            }
            for step in told.steps
        ],
    }
