"""/v1/customers"""

from dataclasses import replace
from typing import Any

from sandbox.stripe import customers
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.objects.customers import deleted_customer
from sandbox.stripe.records import Customer, PaymentMethod, TestClock

_TEXTS = ("email", "name", "phone", "description")
_SETTABLE = (*_TEXTS, "metadata", "preferred_locales", "invoice_settings")


def _known(request: ApiRequest) -> tuple[Customer, int]:
    customer = request.ledger.get(Customer, request.id)
    return customer, request.ledger.now(customer.test_clock)


def _list(request: ApiRequest) -> Page:
    """Without `test_clock`, customers on test clocks are left out, as Stripe does."""
    params = request.params
    params.only("email", "test_clock", *PAGING)
    email, clock = params.text("email"), params.text("test_clock")
    return page(
        request,
        [
            each
            for each in request.ledger.all(Customer)
            if not each.deleted and each.test_clock == clock and email in (None, each.email)
        ],
    )


def _create(request: ApiRequest) -> Answer:
    params = request.params
    params.only(*_SETTABLE, "test_clock", "payment_method")
    ledger = request.ledger
    clock = params.text("test_clock")
    now = ledger.now(ledger.get(TestClock, clock).id if clock else None)
    blank = Customer(id=ledger.ids.new("cus"), created=now, email=None, name=None, test_clock=clock)
    customer = customers.create(ledger, _with_settings(request, blank), now)
    if method_id := params.text("payment_method"):
        customers.attach(ledger, ledger.get(PaymentMethod, method_id), customer, now)
    return _set_default(request, customer, now)


def _with_settings(request: ApiRequest, customer: Customer) -> Customer:
    params = request.params
    texts: dict[str, Any] = {name: params.text(name) or None for name in _TEXTS if name in params}
    if "preferred_locales" in params:
        locales = tuple(params.each("preferred_locales"))
        customer = replace(customer, preferred_locales=locales)
    metadata = params.metadata(dict(customer.metadata))
    return replace(customer, metadata=metadata, **texts)


def _set_default(request: ApiRequest, customer: Customer, now: int) -> Customer:
    chosen = request.params.group("invoice_settings").text("default_payment_method")
    if chosen == "" and customer.default_payment_method is not None:
        bare = replace(customer, default_payment_method=None)
        return request.ledger.change("customer.updated", bare, at=now)
    if chosen:
        method = request.ledger.get(PaymentMethod, chosen)
        return customers.make_default(request.ledger, customer, method, now)
    return customer


def _retrieve(request: ApiRequest) -> Answer:
    request.params.only()
    customer = _known(request)[0]
    return deleted_customer(customer) if customer.deleted else customer


def _update(request: ApiRequest) -> Answer:
    request.params.only(*_SETTABLE)
    customer, now = _known(request)
    changed = _with_settings(request, customer)
    if changed != customer:
        request.ledger.change("customer.updated", changed, at=now)
    return _set_default(request, changed, now)


def _delete(request: ApiRequest) -> Answer:
    return deleted_customer(customers.delete(request.ledger, *_known(request)))


def _payment_methods(request: ApiRequest) -> Page:
    request.params.only("type", *PAGING)
    return page(request, request.ledger.of(PaymentMethod, _known(request)[0].id))


ROUTES: Routes = (
    ("GET", "/v1/customers", _list),
    ("POST", "/v1/customers", _create),
    ("GET", "/v1/customers/{id}", _retrieve),
    ("POST", "/v1/customers/{id}", _update),
    ("DELETE", "/v1/customers/{id}", _delete),
    ("GET", "/v1/customers/{id}/payment_methods", _payment_methods),
)
