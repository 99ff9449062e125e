"""/v1/payment_methods"""

from dataclasses import replace

from sandbox.stripe import customers
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.cards import Card, card_from_name, card_from_number
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import Customer, PaymentMethod


def _create(request: ApiRequest) -> Answer:
    """A card by one of the published test numbers, or by a `tok_...` name."""
    params = request.params
    params.only("type", "card", "billing_details", "metadata")
    if params.required("type") != "card":
        raise ApiError.invalid("Only cards are simulated.", param="type")
    card = params.group("card")
    token = card.text("token")
    if token is None:
        expiry = (card.integer("exp_month") or 12, card.integer("exp_year") or 2034)
        chosen: Card | None = card_from_number(card.required("number"), expiry)
    else:
        chosen = card_from_name(token)
    if chosen is None:
        raise ApiError.missing(f"No such token: '{token}'", param="card[token]")
    details = params.group("billing_details")
    return customers.new_payment_method(
        request.ledger,
        chosen,
        request.ledger.now(None),
        name=details.text("name"),
        email=details.text("email"),
    )


def _list(request: ApiRequest) -> Page:
    request.params.only("customer", "type", *PAGING)
    customer = request.ledger.get(Customer, request.params.required("customer"))
    return page(request, request.ledger.of(PaymentMethod, customer.id))


def _retrieve(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(PaymentMethod, request.id)


def _update(request: ApiRequest) -> Answer:
    """A new expiry date, as the customer reads it from the card."""
    params = request.params
    params.only("card", "metadata")
    method = request.ledger.get(PaymentMethod, request.id)
    card = params.group("card")
    expiry = (
        card.integer("exp_month") or method.card.exp_month,
        card.integer("exp_year") or method.card.exp_year,
    )
    changed = replace(
        method, metadata=params.metadata(dict(method.metadata)), card=method.card.with_expiry(expiry)
    )
    return request.ledger.change("payment_method.updated", changed, at=_now(request, method))


def _now(request: ApiRequest, method: PaymentMethod) -> int:
    if method.customer is None:
        return request.ledger.now(None)
    return request.ledger.now(request.ledger.get(Customer, method.customer).test_clock)


def _attach(request: ApiRequest) -> Answer:
    """A card made before, or a fresh one by the name of a test card such as `pm_card_visa`."""
    request.params.only("customer")
    customer = request.ledger.get(Customer, request.params.required("customer"))
    now = request.ledger.now(customer.test_clock)
    named = card_from_name(request.id)
    if named is not None:
        method = customers.new_payment_method(request.ledger, named, now)
    else:
        method = request.ledger.get(PaymentMethod, request.id)
    return customers.attach(request.ledger, method, customer, now)


def _detach(request: ApiRequest) -> Answer:
    request.params.only()
    method = request.ledger.get(PaymentMethod, request.id)
    return customers.detach(request.ledger, method, _now(request, method))


ROUTES: Routes = (
    ("GET", "/v1/payment_methods", _list),
    ("POST", "/v1/payment_methods", _create),
    ("GET", "/v1/payment_methods/{id}", _retrieve),
    ("POST", "/v1/payment_methods/{id}", _update),
    ("POST", "/v1/payment_methods/{id}/attach", _attach),
    ("POST", "/v1/payment_methods/{id}/detach", _detach),
)
