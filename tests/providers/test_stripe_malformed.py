"""A signed body of any shape is read, or refused with one kind of error; nothing half-read gets through."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.fields import LARGEST
from providers.lookup import MalformedEventError, Normalised
from providers.systems import normalise
from tests.providers.bodies import NEW_SHAPE, OLD_SHAPE, THIN, body, names

BODIES = [body(name, shape) for name in names() for shape in (OLD_SHAPE, NEW_SHAPE)]
BODIES.append(body("invoice_payment_failed", THIN))

Path = tuple[str | int, ...]


def paths(thing: Any, before: Path = ()) -> list[Path]:
    """The way to every field and list item inside."""
    found: list[Path] = []
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in items:
        found += [(*before, key), *paths(value, (*before, key))]
    return found


PATHS = [paths(each) for each in BODIES]
# What can be written in JSON, NaN and huge numbers included, since Python reads them.
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(2**64),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "object", "data", "type", "status"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """An event with some fields deleted or replaced by something else."""
    number = draw(st.integers(0, len(BODIES) - 1))
    event: Any = deepcopy(BODIES[number])
    for path in draw(st.lists(st.sampled_from(PATHS[number]), min_size=1, max_size=3)):
        spoil(event, path, draw(st.none() | st.tuples(anything)))
    return event


def spoil(event: Any, path: Path, replacement: tuple[Any] | None) -> None:
    """Replace what is at the path, or delete it; a path that an earlier change has cut off leads nowhere."""
    for step in path[:-1]:
        if not has(event, step):
            return
        event = event[step]
    if not has(event, path[-1]):
        return
    if replacement is None:
        del event[path[-1]]
    else:
        event[path[-1]] = replacement[0]


def has(thing: Any, step: str | int) -> bool:
    if isinstance(thing, dict):
        return step in thing
    return isinstance(thing, list) and isinstance(step, int) and step < len(thing)


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of an annotated type, all the way down."""
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    if typing.get_origin(kind) is Mapping:
        return isinstance(value, Mapping)
    if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or abs(value) > LARGEST)):
        return False
    if not dataclasses.is_dataclass(value):
        return True
    hints = hints_of(type(value))
    return all(fits(getattr(value, field.name), hints[field.name]) for field in dataclasses.fields(value))


# To work them out takes most of the time, and there are few types.
hints_of = cache(typing.get_type_hints)


def means_what_it_says(event: Any) -> bool:
    """Whether an event is read as facts of the right types, or refused without quoting it."""
    try:
        said = normalise("stripe", event)
    except MalformedEventError as error:
        return "customer.example" not in str(error)
    return fits(said, Normalised)


@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(spoiled())
def test_a_spoiled_event_is_malformed_or_means_what_it_says(event: Any) -> None:
    """No other error, and no fact with a list for a name or a text for an amount."""
    assert means_what_it_says(event)


WRONG: list[tuple[Any] | None] = [None, (None,), ([],), ("",), (1.5,)]


@pytest.mark.parametrize("event", BODIES, ids=lambda event: f"{event['type']}-{event.get('api_version')}")
def test_every_single_field_may_be_missing_or_wrong(event: dict[str, Any]) -> None:
    """One by one, all of them."""
    for path in paths(event):
        for replacement in WRONG:
            one = deepcopy(event)
            spoil(one, path, replacement)
            assert means_what_it_says(one), path


def test_the_check_would_notice() -> None:
    """A negative control: a fact of the wrong type does not fit."""
    said = normalise("stripe", body("invoice_payment_failed", NEW_SHAPE))
    assert fits(said, Normalised)
    for wrong in ({"currency": 5}, {"number": ["x"]}, {"amount_paid": True}, {"as_of": None}):
        spoiled_fact = dataclasses.replace(said.facts[0], **wrong)
        assert not fits(Normalised((spoiled_fact,)), Normalised)


@pytest.mark.parametrize("event", [{}, {"created": 1}, {"type": "invoice.paid"}, {"created": 1, "type": []}])
def test_a_body_that_is_no_event(event: dict[str, Any]) -> None:
    """Signed, and still nothing we know."""
    with pytest.raises(MalformedEventError):
        normalise("stripe", event)
