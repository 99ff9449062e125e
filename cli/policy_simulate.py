"""`dunning policy simulate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import Json, print_json
from cli.tables import heading, print_rows, say
from dunning.imagined import TYPICAL, Failure, imagine
from dunning.rehearsal import Rehearsal, rehearse
from dunning.segments import PolicySource
from dunning.steps import Kind
from dunning.zonenames import zone
from dunning.zones import zone_of
from settings import PolicySettings, load

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M%z"]


def simulate(
    code: Annotated[
        str | None,
        typer.Option(help="The decline code, or several with commas: one a charge, the last for all others."),
    ] = None,
    all_codes: Annotated[
        bool, typer.Option("--all-codes", help="One line for each kind of failure.")
    ] = False,
    policy: Annotated[
        Path | None, typer.Option(help="A policy file; without it the policy of the settings.")
    ] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=MOMENTS, help="The first failure, in the customer's time; now.")
    ] = None,
    failures: Annotated[
        str, typer.Option(metavar="DAYS", help="When the provider charges: days from the first failure.")
    ] = "0,3,5,7",
    plan: Annotated[str | None, typer.Option(help="The plan's name.")] = None,
    amount: Annotated[int, typer.Option(min=1, help="What is owed, in the currency's minor unit.")] = 4900,
    currency: Annotated[str, typer.Option(help="Three letters.")] = "usd",
    interval: Annotated[str, typer.Option(help="day, week, month or year.")] = "month",
    country: Annotated[str | None, typer.Option(help="The customer's, two letters.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="The customer's, such as Europe/Berlin.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Of the customer; may be repeated.")
    ] = None,
    first_payment: Annotated[bool, typer.Option("--first-payment", help="Of a new subscription.")] = False,
    trial: Annotated[bool, typer.Option("--trial", help="The first charge after a trial.")] = False,
    paid_on: Annotated[
        float | None, typer.Option(metavar="DAYS", help="The customer pays so many days later.")
    ] = None,
    promise: Annotated[
        float | None,
        typer.Option(metavar="DAYS", help="An hour after the failure they promise to pay by this day."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what a policy would do about one failure: the calendar, the reasons, and what is withheld.

    \b
    Nothing is read but the policy: no database, no Redis, no Stripe. Mails are taken
    to be accepted at once. After a decline that the provider never repeats it makes
    no further charge.

    \b
    Examples:
      dunning policy simulate --code insufficient_funds
      dunning policy simulate --policy policy.toml --code expired_card --interval year --country DE
      dunning policy simulate --code insufficient_funds,do_not_honor --paid-on 6 --json
      dunning policy simulate --all-codes
    """
    if bool(code) == all_codes:
        raise typer.BadParameter("give --code CODE or --all-codes")
    if time_zone and zone(time_zone) is None:
        raise typer.BadParameter(f"{time_zone} is no time zone; write a name such as Europe/Berlin")
    policies, default_zone = _policies(policy)
    imagined = Failure(
        codes=tuple(each.strip() for each in (code or "").split(",")),
        on=datetime.now(UTC).replace(second=0, microsecond=0),
        days=_days(failures),
        plan=plan,
        amount=amount,
        currency=currency.lower(),
        interval=interval,
        country=country.upper() if country else None,
        time_zone=time_zone,
        metadata=tuple(_pair(each) for each in metadata or ()),
        first_payment=first_payment,
        after_trial=trial,
        paid_on=paid_on,
        promise=promise,
    )
    imagined = replace(imagined, on=_moment(on, imagined, default_zone))
    if all_codes:
        _show_all(imagined, policies, json=json)
        return
    seen = rehearse(imagine(imagined), policies)
    if json:
        print_json(_as_json(seen))
    else:
        _show(seen)


# what was asked


def _policies(file: Path | None) -> tuple[PolicySource, str]:
    """And the merchant's time zone."""
    from worker.policy import policy, read_file

    settings = load(PolicySettings)
    if file:
        book = read_file(file, time_zone=settings.timezone.key)
        return book, book.base.time_zone
    return policy(settings), settings.timezone.key


def _moment(given: datetime | None, failure: Failure, default_zone: str) -> datetime:
    if given is None:
        return failure.on
    own = zone_of(imagine(failure), default_zone)
    return (given if given.tzinfo else given.replace(tzinfo=own)).astimezone(UTC)


def _days(text: str) -> tuple[float, ...]:
    try:
        days = tuple(float(each) for each in text.split(","))
    except ValueError:
        days = ()
    if not days or days[0] != 0 or list(days) != sorted(set(days)):
        raise typer.BadParameter("--failures are days that begin with 0 and grow, such as 0,3,5,7")
    return days


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter("--metadata is written NAME=VALUE")
    return name, value


# what comes of it


def _show(seen: Rehearsal) -> None:
    from console.words import CATEGORIES

    heading(f"{seen.category.value}: {CATEGORIES[seen.category]}")
    who = "everybody else: no segment fits" if seen.segment == "base" else f"segment {seen.segment}"
    say(f"Policy for {who}. Times are the customer's, {seen.zone.key}.")
    heading("Calendar", level=2)
    print_rows(
        ("Day", "When", "What", "Why"),
        [(_day(seen, at), _local(seen, at), what, why or "") for at, what, why in _lines(seen)],
    )
    if seen.withheld:
        heading("Withheld", level=2)
        print_rows(("What", "Why not"), [(_title(item.key), item.reason) for item in seen.withheld])


def _lines(seen: Rehearsal) -> Iterator[tuple[datetime, str, str | None]]:
    """Facts go before the steps of the same moment."""
    lines = [
        (charge.at, 0, f"· charge {number} is declined", charge.decline_code or "")
        for number, charge in enumerate(seen.charges, start=1)
    ]
    if seen.paid_at:
        lines.append((seen.paid_at, 0, "· the invoice is paid", ""))
    lines += [(step.due_at, 1, _title(step.key), step.reason) for step in seen.steps]
    for at, _, what, why in sorted(lines, key=lambda line: line[:2]):
        yield at, what, why


def _title(key: str) -> str:
    from console.words import step_title

    return step_title(key)


def _day(seen: Rehearsal, at: datetime) -> int:
    first = seen.charges[0].at.astimezone(seen.zone).date()
    return (at.astimezone(seen.zone).date() - first).days


def _local(seen: Rehearsal, at: datetime) -> str:
    return f"{at.astimezone(seen.zone):%a %Y-%m-%d %H:%M}"


def _as_json(seen: Rehearsal) -> dict[str, Any]:
    def moment(at: datetime) -> dict[str, Any]:
        return {"day": _day(seen, at), "at": at.astimezone(seen.zone)}

    return {
        "category": seen.category,
        "segment": seen.segment,
        "policy": seen.policy.key,
        "time_zone": seen.zone.key,
        "charges": [moment(charge.at) | {"code": charge.decline_code} for charge in seen.charges],
        "paid": moment(seen.paid_at) if seen.paid_at else None,
        "steps": [
            {"key": step.key, "kind": step.kind, "name": step.name, "title": _title(step.key)}
            | moment(step.due_at)
            | {"reason": step.reason}
            for step in seen.steps
        ],
        "withheld": [
            {"key": item.key, "title": _title(item.key), "reason": item.reason} for item in seen.withheld
        ],
    }


def _show_all(failure: Failure, policies: PolicySource, *, json: bool) -> None:
    seen = [rehearse(imagine(replace(failure, codes=(code,))), policies) for code in TYPICAL.values()]
    if json:
        print_json([_as_json(each) for each in seen])
        return
    columns: dict[str, Callable[[Kind, str], bool]] = {
        "Mails on day": lambda kind, name: kind is Kind.MAIL,
        "Calls": lambda kind, name: kind is Kind.TEAM,
        "Limited": lambda kind, name: kind is Kind.ACCESS and name == "limited",
        "Revoked": lambda kind, name: kind is Kind.ACCESS and name == "revoked",
    }
    print_rows(
        ("Kind of failure", *columns),
        [(each.category.value, *(_on_days(each, wanted) for wanted in columns.values())) for each in seen],
    )


def _on_days(seen: Rehearsal, wanted: Callable[[Kind, str], bool]) -> str:
    days = [_day(seen, step.due_at) for step in seen.steps if wanted(step.kind, step.name)]
    return ", ".join(map(str, days)) or "-"
