"""What people said, local times, cards, and a case as a rule sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dunning.account import Account
from dunning.case import settle
from dunning.events import AsOf, MethodSeen
from dunning.instructions import Instruction, Verb
from dunning.plan import plan
from dunning.policy import Policy
from dunning.rules.context import Context, context
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import CUSTOMER, INVOICE, POLICY, day, effect, history

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
TOKYO = ZoneInfo("Asia/Tokyo")


def local(text: str, zone: ZoneInfo = BERLIN, *, fold: int = 0) -> datetime:
    """A wall clock's time as UTC: "2026-03-29 02:30"; `fold` 1 is the second of two."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def wall(moment: datetime, zone: ZoneInfo = BERLIN) -> str:
    """What that wall clock shows: "Sun 29 Mar 03:30"."""
    return f"{moment.astimezone(zone):%a %d %b %H:%M}"


def policy(base: Policy = POLICY, **changes: Any) -> Policy:
    """The policy of the builders, by day and night, with these changes, read as text would be."""
    return Policy.model_validate(base.model_dump() | changes)


def said(verb: Verb, at: float, *, case: str | None = INVOICE, **fields: Any) -> Instruction:
    """An instruction of a day; `until` is a day too."""
    if "until" in fields:
        fields["until"] = day(fields["until"])
    return Instruction(verb, day(at), **({"by": "Ada", "why": "because", "case": case} | fields))


def after(known: Account, *instructions: Instruction, rules: Policy = POLICY) -> Account:
    """The account after people have said this."""
    told = tuple(sorted((*known.instructions, *instructions), key=lambda each: each.at))
    return settle(replace(known, instructions=told), rules)


def called(name: str, at: float, status: str = "sent", *, ref: str = INVOICE) -> Effect:
    return effect(f"escalation:{ref}:{name}", at, status, name=name, case=ref, kind=Kind.TEAM)


def seen(
    known: Account, now: float | datetime, *done: Effect, rules: Policy = POLICY, ref: str = INVOICE
) -> Context:
    """A case as a rule sees it."""
    at = now if isinstance(now, datetime) else day(now)
    return context(known, known.cases[ref], history(*done), rules, at)


def planned_by(known: Account, now: float | datetime, *done: Effect, rules: Policy | None = None) -> Plan:
    """The plan by the policies that the cases were opened with."""
    at = now if isinstance(now, datetime) else day(now)
    return plan(known, history(*done), rules or Policy(), at)


def card(at: float, month: int, year: int, *, ref: str = "pm_1", **fields: Any) -> MethodSeen:
    """A card that is good to the end of that month."""
    values: dict[str, Any] = {"type": "card", "brand": "visa", "last4": "4242"}
    return MethodSeen(CUSTOMER, ref, AsOf(day(at)), exp_month=month, exp_year=year, **(values | fields))


def days(span: timedelta | None) -> float | None:
    return None if span is None else span / timedelta(days=1)
