"""/v1/checkout/sessions, /v1/setup_intents"""

from typing import Literal

from sandbox.stripe import checkout
from sandbox.stripe.api.new_subscription import chosen_prices, chosen_trial_end
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.params import Params
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.objects import line_items
from sandbox.stripe.policy import DAY
from sandbox.stripe.records import CheckoutSession, Customer, SetupIntent

# Stripe's bounds for the life of a session, in seconds.
SHORTEST, LONGEST = 1800, DAY


def _create(request: ApiRequest) -> Answer:
    """For a customer who is known; Stripe would also make one. Taxes may be asked for, and there are none."""
    params = request.params
    params.only(
        "automatic_tax",
        "cancel_url",
        "client_reference_id",
        "currency",
        "customer",
        "customer_update",
        "expires_at",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "subscription_data",
        "success_url",
    )
    ledger = request.ledger
    mode = _mode(params)
    customer = ledger.get(Customer, params.required("customer"))
    if customer.deleted:
        raise UnknownObjectError(Customer, customer.id)
    now = ledger.now(customer.test_clock)
    data = params.group("subscription_data")
    data.only("metadata", "trial_end", "trial_period_days")
    return checkout.create(
        ledger,
        customer,
        mode,
        chosen_prices(request, "line_items") if mode == "subscription" else [],
        success_url=params.required_url("success_url"),
        cancel_url=params.url("cancel_url"),
        expires_at=_expires_at(params, now),
        client_reference_id=params.text("client_reference_id"),
        locale=params.text("locale"),
        currency=params.text("currency"),
        metadata=params.metadata({}),
        subscription_metadata=data.metadata({}),
        trial_end=chosen_trial_end(data, now),
    )


def _mode(params: Params) -> Literal["subscription", "setup"]:
    match params.required("mode"):
        case "subscription":
            return "subscription"
        case "setup":
            return "setup"
        case other:
            raise ApiError.invalid(f"Not simulated: mode {other}", param="mode")


def _expires_at(params: Params, now: int) -> int:
    chosen = params.integer("expires_at")
    if chosen is None:
        return now + LONGEST
    if not now + SHORTEST <= chosen <= now + LONGEST:
        raise ApiError.invalid(
            "`expires_at` must be 30 minutes to 24 hours after the Checkout Session is created.",
            param="expires_at",
        )
    return chosen


def _list(request: ApiRequest) -> Page:
    params = request.params
    params.only("customer", "status", "subscription", *PAGING)
    owners = [each for each in (params.text("subscription"), params.text("customer")) if each]
    status, ledger = params.text("status"), request.ledger
    sessions = ledger.of(CheckoutSession, owners[0]) if owners else ledger.all(CheckoutSession)
    return page(
        request,
        [
            each
            for each in sessions
            if status in (None, each.status) and all(owner in each.owners for owner in owners)
        ],
    )


def _retrieve(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(CheckoutSession, request.id)


def _line_items(request: ApiRequest) -> Answer:
    request.params.only(*PAGING)
    return line_items(request.ledger.get(CheckoutSession, request.id), request.version)


def _expire(request: ApiRequest) -> Answer:
    request.params.only()
    return checkout.expire(request.ledger, request.ledger.get(CheckoutSession, request.id))


def _retrieve_setup(request: ApiRequest) -> Answer:
    request.params.only("client_secret")
    return request.ledger.get(SetupIntent, request.id)


ROUTES: Routes = (
    ("GET", "/v1/checkout/sessions", _list),
    ("POST", "/v1/checkout/sessions", _create),
    ("GET", "/v1/checkout/sessions/{id}", _retrieve),
    ("GET", "/v1/checkout/sessions/{id}/line_items", _line_items),
    ("POST", "/v1/checkout/sessions/{id}/expire", _expire),
    ("GET", "/v1/setup_intents/{id}", _retrieve_setup),
)
