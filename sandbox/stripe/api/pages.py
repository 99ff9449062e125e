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
        older = {each.id for each in _older(request, newest_first, before, "ending_before")}
        newer = [each for each in newest_first if each.id != before and each.id not in older]
        return Page(newer[-limit:], has_more=len(newer) > limit)
    if after:
        newest_first = _older(request, newest_first, after, "starting_after")
    return Page(newest_first[:limit], has_more=len(newest_first) > limit)


def _older(request: ApiRequest, newest_first: Sequence[R], cursor_id: str, param: str) -> list[R]:
    """What is older than the cursor, which need not fit the filters any more: its place counts."""
    cursor = request.ledger.find(cursor_id)
    if cursor is None:
        raise ApiError.missing(f"No such object: '{cursor_id}'", param=param)
    places = {each.id: place for place, each in enumerate(request.ledger.all(type(cursor)))}

    def age(record: Record) -> tuple[int, int]:
        return record.created, places.get(record.id, 0)

    return [each for each in newest_first if age(each) < age(cursor)]


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
