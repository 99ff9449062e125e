"""Lists: newest first, filtered, and turned over in both directions."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sandbox.stripe.api.params import Params
from sandbox.stripe.api.request import ApiRequest, Page
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import Record

R = TypeVar("R", bound=Record)

PAGING = ("limit", "starting_after", "ending_before", "created")

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda created, bound: created > bound,
    "gte": lambda created, bound: created >= bound,
    "lt": lambda created, bound: created < bound,
    "lte": lambda created, bound: created <= bound,
}


def page(request: ApiRequest, records: Iterable[R]) -> Page:
    """The asked-for page of records given oldest first; raises ApiError for a cursor not in the list."""
    params = request.params
    chosen = [record for record in records if _created_in(record, params)]
    # Turned round after sorting, so that of two objects of the same second the later one comes first.
    newest_first = sorted(chosen, key=lambda record: record.created)[::-1]
    limit = params.integer("limit") or 10
    if not 1 <= limit <= 100:
        raise ApiError.invalid(
            f"Invalid integer: {limit}. Must be between 1 and 100.",
            code="parameter_invalid_integer",
            param="limit",
        )
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise ApiError.invalid("You may only specify one of these parameters: ending_before, starting_after.")
    if before:
        newer = newest_first[: _position(newest_first, before)]
        return Page(newer[-limit:], has_more=len(newer) > limit)
    older = newest_first[_position(newest_first, after) + 1 :] if after else newest_first
    return Page(older[:limit], has_more=len(older) > limit)


def _position(records: Sequence[Record], object_id: str) -> int:
    for position, record in enumerate(records):
        if record.id == object_id:
            return position
    raise ApiError.missing(f"No such object: '{object_id}'", param="starting_after")


def _created_in(record: Record, params: Params) -> bool:
    exact = params.values.get("created")
    if exact is None:
        return True
    if isinstance(exact, str):
        return record.created == params.integer("created")
    bounds = params.group("created")
    bounds.only(*_COMPARE)
    return all(
        compare(record.created, bound)
        for name, compare in _COMPARE.items()
        if (bound := bounds.integer(name)) is not None
    )
