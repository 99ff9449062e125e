"""/v1/events, /v2/core/events, /v1/test_helpers/test_clocks, /v1/prices, /v1/products"""

from sandbox.stripe import clocks
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.objects import full_thin_event
from sandbox.stripe.objects.event import snapshot_id, thin_id
from sandbox.stripe.periods import period_start
from sandbox.stripe.records import Event, Price, Product, Subscription, TestClock


def _list_events(request: ApiRequest) -> Page:
    params = request.params
    params.only("type", "types", "delivery_success", *PAGING)
    types = params.each("types")
    if len(types) > 20:
        raise ApiError.invalid("You may only filter by up to 20 event types.", param="types")
    if one := params.text("type"):
        types = [*types, one]
    found = [each for each in request.ledger.all(Event) if not types or _matches(each.type, types)]
    if "delivery_success" in params:
        wanted = params.flag("delivery_success")
        found = [each for each in found if request.delivered(each.id) == wanted]
    return page(request, found)


def _matches(event_type: str, patterns: list[str]) -> bool:
    return any(
        event_type == pattern or (pattern.endswith("*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def _retrieve_event(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(Event, request.id)


def _retrieve_thin(request: ApiRequest) -> Answer:
    request.params.only()
    event = request.ledger.get(Event, snapshot_id(request.id))
    if thin_id(event.id) != request.id:
        raise UnknownObjectError(Event, request.id)
    return full_thin_event(event, request.version)


def _create_clock(request: ApiRequest) -> Answer:
    request.params.only("frozen_time", "name")
    request.params.required("frozen_time")
    return clocks.create(
        request.ledger, request.params.integer("frozen_time") or 0, request.params.text("name")
    )


def _list_clocks(request: ApiRequest) -> Page:
    request.params.only(*PAGING)
    return page(request, request.ledger.all(TestClock))


def _retrieve_clock(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(TestClock, request.id)


def _advance_clock(request: ApiRequest) -> Answer:
    """Answers `advancing` at once; the clock is `ready` when the work is done."""
    request.params.only("frozen_time")
    request.params.required("frozen_time")
    to = request.params.integer("frozen_time") or 0
    clock = request.ledger.get(TestClock, request.id)
    _check_distance(request, clock, to)
    moving = request.engine.begin_advance(clock.id, to)
    request.work.append(lambda: request.engine.finish_advance(clock.id))
    return moving


def _check_distance(request: ApiRequest, clock: TestClock, to: int) -> None:
    """Stripe advances by no more than two intervals of the shortest subscription at a time."""
    limits = [
        period_start(clock.frozen_time, price.interval, price.interval_count, 2)
        for each in request.ledger.all(Subscription)
        if each.test_clock == clock.id and not each.ended
        for price in (each.items[0].price,)
    ]
    if limits and to > min(limits):
        raise ApiError.invalid(
            "You can advance a test clock by at most two intervals of its shortest subscription.",
            param="frozen_time",
        )


def _retrieve_price(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(Price, request.id)


def _list_prices(request: ApiRequest) -> Page:
    request.params.only("product", *PAGING)
    product = request.params.text("product")
    return page(request, [each for each in request.ledger.all(Price) if product in (None, each.product)])


def _retrieve_product(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(Product, request.id)


def _list_products(request: ApiRequest) -> Page:
    request.params.only(*PAGING)
    return page(request, request.ledger.all(Product))


def _list_features(request: ApiRequest) -> Page:
    """Of Stripe's entitlements; no product here has any."""
    request.params.only(*PAGING)
    request.ledger.get(Product, request.id)
    nothing: list[Product] = []
    return page(request, nothing)


ROUTES: Routes = (
    ("GET", "/v1/events", _list_events),
    ("GET", "/v1/events/{id}", _retrieve_event),
    ("GET", "/v2/core/events/{id}", _retrieve_thin),
    ("GET", "/v1/test_helpers/test_clocks", _list_clocks),
    ("POST", "/v1/test_helpers/test_clocks", _create_clock),
    ("GET", "/v1/test_helpers/test_clocks/{id}", _retrieve_clock),
    ("POST", "/v1/test_helpers/test_clocks/{id}/advance", _advance_clock),
    ("GET", "/v1/prices", _list_prices),
    ("GET", "/v1/prices/{id}", _retrieve_price),
    ("GET", "/v1/products", _list_products),
    ("GET", "/v1/products/{id}", _retrieve_product),
    ("GET", "/v1/products/{id}/features", _list_features),
)
