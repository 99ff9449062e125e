"""/v1/subscriptions"""

from dataclasses import replace

from sandbox.stripe import standing, subscriptions
from sandbox.stripe.api.new_subscription import create, own_card, saves_default
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import Subscription

_ENDED = ("canceled", "incomplete_expired")
_BEHAVIORS = ("keep_as_draft", "mark_uncollectible", "void")


def _known(request: ApiRequest) -> tuple[Subscription, int]:
    subscription = request.ledger.get(Subscription, request.id)
    return subscription, request.ledger.now(subscription.test_clock)


def _list(request: ApiRequest) -> Page:
    """Without `customer` or `test_clock`, subscriptions on test clocks are left out, as Stripe does."""
    params = request.params
    params.only("customer", "status", "test_clock", "collection_method", *PAGING)
    customer, clock = params.text("customer"), params.text("test_clock")
    ledger = request.ledger
    records = ledger.of(Subscription, customer) if customer else ledger.all(Subscription)
    if clock or not customer:
        records = [each for each in records if each.test_clock == clock]
    return page(request, [each for each in records if _has_status(each, params.text("status"))])


def _has_status(subscription: Subscription, wanted: str | None) -> bool:
    match wanted:
        case None:
            return subscription.status != "canceled"
        case "all":
            return True
        case "ended":
            return subscription.status in _ENDED
        case _:
            return subscription.status == wanted


def _retrieve(request: ApiRequest) -> Answer:
    request.params.only()
    return _known(request)[0]


def _update(request: ApiRequest) -> Answer:
    params = request.params
    params.only(
        "metadata",
        "default_payment_method",
        "default_source",
        "cancel_at_period_end",
        "pause_collection",
        "payment_settings",
    )
    if params.text("default_source"):
        raise ApiError.missing("Sources are not simulated.", param="default_source")
    subscription, now = _known(request)
    if subscription.ended:
        raise ApiError.missing(f"No such subscription: '{subscription.id}'")
    changed = replace(
        subscription,
        metadata=params.metadata(dict(subscription.metadata)),
        default_payment_method=own_card(request, subscription.customer, subscription.default_payment_method),
        pause_collection=_pause_collection(request, subscription),
        save_default_payment_method=saves_default(request, subscription.save_default_payment_method),
    )
    if "cancel_at_period_end" in params:
        changed = subscriptions.with_cancellation(changed, params.flag("cancel_at_period_end"), now)
    if changed == subscription:
        return subscription
    return request.ledger.change("customer.subscription.updated", changed, at=now)


def _pause_collection(request: ApiRequest, subscription: Subscription) -> str | None:
    if "pause_collection" not in request.params:
        return subscription.pause_collection
    if request.params.values["pause_collection"] == "":
        return None
    behavior = request.params.group("pause_collection").required("behavior")
    if behavior not in _BEHAVIORS:
        raise ApiError.invalid(f"Invalid behavior: {behavior}", param="pause_collection[behavior]")
    return behavior


def _cancel(request: ApiRequest) -> Answer:
    request.params.only("cancellation_details", "invoice_now", "prorate")
    subscription, now = _known(request)
    if subscription.ended:
        raise ApiError.missing(f"No such subscription: '{subscription.id}'")
    details = request.params.group("cancellation_details")
    wanted = replace(
        subscription,
        cancellation_comment=details.text("comment"),
        cancellation_feedback=details.text("feedback"),
    )
    return standing.end(request.ledger, wanted, "cancellation_requested", now)


def _pause(request: ApiRequest) -> Answer:
    """Since endive, and in flexible billing mode only."""
    if not request.version.endive:
        raise ApiError.invalid(f"Unrecognized request URL ({request.method}: {request.url}).", status=404)
    request.params.only("type", "bill_for", "invoicing_behavior")
    subscription, now = _known(request)
    if subscription.ended:
        raise ApiError.missing(f"No such subscription: '{subscription.id}'")
    if subscription.billing_mode != "flexible" or subscription.status == "paused":
        raise ApiError.invalid("This subscription cannot be paused.")
    return standing.pause(request.ledger, subscription, "pause_requested", now)


def _resume(request: ApiRequest) -> Answer:
    request.params.only("billing_cycle_anchor", "proration_behavior", "payment_behavior")
    return subscriptions.resume(request.ledger, *_known(request))


ROUTES: Routes = (
    ("GET", "/v1/subscriptions", _list),
    ("POST", "/v1/subscriptions", create),
    ("GET", "/v1/subscriptions/{id}", _retrieve),
    ("POST", "/v1/subscriptions/{id}", _update),
    ("DELETE", "/v1/subscriptions/{id}", _cancel),
    ("POST", "/v1/subscriptions/{id}/pause", _pause),
    ("POST", "/v1/subscriptions/{id}/resume", _resume),
)
