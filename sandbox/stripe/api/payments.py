"""/v1/payment_intents, /v1/charges"""

from sandbox.stripe import collection
from sandbox.stripe.api.declined import refusal
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import Charge, Invoice, PaymentIntent, PaymentMethod


def _retrieve_intent(request: ApiRequest) -> Answer:
    request.params.only("client_secret")
    return request.ledger.get(PaymentIntent, request.id)


def _list_intents(request: ApiRequest) -> Page:
    request.params.only("customer", *PAGING)
    customer = request.params.text("customer")
    ledger = request.ledger
    return page(request, ledger.of(PaymentIntent, customer) if customer else ledger.all(PaymentIntent))


def _confirm_intent(request: ApiRequest) -> Answer:
    """The customer confirms: on-session unless `off_session` says otherwise."""
    params = request.params
    params.only("payment_method", "off_session", "return_url", "mandate")
    intent = request.ledger.get(PaymentIntent, request.id)
    if intent.status in ("succeeded", "canceled"):
        raise ApiError.invalid(
            f"You cannot confirm this PaymentIntent because it has a status of {intent.status}.",
            code="payment_intent_unexpected_state",
        )
    invoice = request.ledger.get(Invoice, intent.invoice)
    chosen = params.text("payment_method") or intent.payment_method
    attempt = collection.pay(
        request.ledger,
        invoice,
        request.ledger.now(invoice.test_clock),
        method=request.ledger.get(PaymentMethod, chosen) if chosen else None,
        on_session=not params.flag("off_session"),
    )
    if attempt.decline is not None:
        raise refusal(request, intent.id, attempt)
    return request.ledger.get(PaymentIntent, intent.id)


def _list_charges(request: ApiRequest) -> Page:
    params = request.params
    params.only("customer", "payment_intent", *PAGING)
    owners = [each for each in (params.text("payment_intent"), params.text("customer")) if each]
    charges = request.ledger.of(Charge, owners[0]) if owners else request.ledger.all(Charge)
    return page(request, [each for each in charges if all(owner in each.owners for owner in owners)])


def _retrieve_charge(request: ApiRequest) -> Answer:
    request.params.only()
    return request.ledger.get(Charge, request.id)


ROUTES: Routes = (
    ("GET", "/v1/payment_intents", _list_intents),
    ("GET", "/v1/payment_intents/{id}", _retrieve_intent),
    ("POST", "/v1/payment_intents/{id}/confirm", _confirm_intent),
    ("GET", "/v1/charges", _list_charges),
    ("GET", "/v1/charges/{id}", _retrieve_charge),
)
