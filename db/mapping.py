"""Rows to `dunning.account` values and back. Columns and fields share their names; `as_of` is two columns.

A row that is read has the columns that `chosen` names and no others, in that order: a value is made of it
without asking for a single one by its name, which would cost more than all the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Table, Text, cast

from db.words import meaning
from dunning.account import Case, Charge, Customer, Invoice, Method, Outcome, Subscription
from dunning.case import decline_of
from dunning.declines import Decline
from dunning.events import AsOf
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from dunning.values import changed

T = TypeVar("T")
NEVER = datetime.min.replace(tzinfo=UTC)
Observed = Customer | Subscription | Invoice | Method


_AS_OF = {"as_of": ("as_of", "read_at")}


def chosen(kind: type[Any], table: Table) -> list[ColumnElement[Any]]:
    """The columns of which a value is made; a policy as text, so that the same one is read once."""
    names = [name for field in _names(kind) for name in _AS_OF.get(field, (field,))]
    return [cast(table.c[name], Text) if name == "policy" else table.c[name] for name in names]


def observed(kind: Callable[..., T], row: Sequence[Any]) -> T:
    """A mirrored object, whose first fields are `ref` and `as_of`; for a customer, `customer_from`."""
    return kind(row[0], AsOf(row[1], row[2]) if row[1] else None, *row[3:])


def customer_from(row: Sequence[Any]) -> Customer:
    as_stored = observed(Customer, row)
    metadata = tuple(sorted(dict(as_stored.metadata).items()))
    return changed(as_stored, locales=tuple(as_stored.locales), metadata=metadata)


def columns(thing: Observed) -> dict[str, Any]:
    """A mirrored object as column values, without its owner."""
    values = values_of(thing)
    as_of = values.pop("as_of")
    if "locales" in values:
        values["locales"] = list(values["locales"])
        values["metadata"] = dict(values["metadata"])
    return values | {"as_of": as_of and as_of.at, "read_at": as_of and as_of.read_at}


def values_of(thing: Any) -> dict[str, Any]:
    """The fields of a value as they are. Unlike `dataclasses.asdict`, copies nothing."""
    return {name: getattr(thing, name) for name in _names(type(thing))}


# Of dataclasses' fields; asked for once a row, so it is worth remembering.
_NAMES: dict[type[Any], tuple[str, ...]] = {}


def _names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]


# Rules that cases were opened without, where a default of today would break what their mails promised.
WITHOUT = {"limited_after": None}


@lru_cache(maxsize=256)
def _policy(text: str) -> Policy:
    """A case's own policy. Rules that are not known any more are left out, new ones have their defaults.

    But access that was promised to the end of grace is not limited before it.
    """
    return Policy.model_validate(WITHOUT | _known(Policy, json.loads(text)))


def _known(kind: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """What this version has fields for, in tables such as `ladder` too."""
    known = {name: value for name, value in values.items() if name in kind.model_fields}
    for name, value in known.items():
        table = kind.model_fields[name].annotation
        if isinstance(value, dict) and isinstance(table, type) and issubclass(table, BaseModel):
            known[name] = _known(table, value)
    return known


def case_from(row: Sequence[Any]) -> Case:
    values = dict(zip(_names(Case), row, strict=True))
    values["outcome"] = meaning(Outcome, values["outcome"]) if values["outcome"] else None
    values["policy"] = _policy(values["policy"]) if values["policy"] else None
    return Case(**values)


def instruction_from(row: Sequence[Any]) -> Instruction:
    verb, *rest = row
    return Instruction(meaning(Verb, verb), *rest)


def decline(row: Any) -> Decline:
    """Why a payment failed, from a row with an invoice's reason and, where `charge` is set, a charge's."""
    names = ("action_required", "reason_code", "reason_decline_code", "reason_method_type", "no_method")
    invoice = Invoice(ref="", **{name: getattr(row, name) for name in names})
    if not row.charge:
        return decline_of(invoice, None)
    told = ("code", "decline_code", "outcome_reason", "advice_code", "method_type")
    # Who was charged, and when, is no part of the reason.
    charge = Charge(ref="", invoice="", at=NEVER, **{name: getattr(row, name) for name in told})
    return decline_of(invoice, charge)
