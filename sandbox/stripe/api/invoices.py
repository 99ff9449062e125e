"""/v1/invoices, /v1/invoice_payments"""

from dataclasses import replace

from sandbox.stripe import collection, invoices, presence
from sandbox.stripe.api.declined import refusal
from sandbox.stripe.api.pages import PAGING, page
from sandbox.stripe.api.request import Answer, ApiRequest, Page, Routes
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import Invoice, InvoicePayment, PaymentMethod


def _list(request: ApiRequest) -> Page:
    params = request.params
    params.only("customer", "subscription", "status", "collection_method", *PAGING)
    owner = params.text("subscription") or params.text("customer")
    records = request.ledger.of(Invoice, owner) if owner else request.ledger.all(Invoice)
    wanted = {"customer": params.text("customer"), "status": params.text("status")}
    return page(
        request,
        [
            invoices.shown(request.ledger, each, request.ledger.now(each.test_clock))
            for each in records
            if all(value is None or getattr(each, name) == value for name, value in wanted.items())
        ],
    )


def _known(request: ApiRequest) -> tuple[Invoice, int]:
    invoice = request.ledger.get(Invoice, request.id)
    return invoice, request.ledger.now(invoice.test_clock)


def _retrieve(request: ApiRequest) -> Answer:
    request.params.only()
    return invoices.shown(request.ledger, *_known(request))


def _update(request: ApiRequest) -> Answer:
    request.params.only("metadata", "auto_advance")
    invoice, now = _known(request)
    changed = replace(
        invoice,
        metadata=request.params.metadata(dict(invoice.metadata)),
        auto_advance=request.params.flag("auto_advance", invoice.auto_advance),
    )
    return request.ledger.change("invoice.updated", changed, at=now)


def _delete(request: ApiRequest) -> Answer:
    """Only one-off drafts can be deleted, and there are none here: a subscription's is to be voided."""
    request.params.only()
    invoice = _known(request)[0]
    if invoice.status != "draft":
        raise ApiError.invalid("You can only delete draft invoices.")
    raise ApiError.invalid("You can't delete invoices created by subscriptions.")


def _finalize(request: ApiRequest) -> Answer:
    """An invoice that advances by itself is collected about an hour after it was finalised."""
    request.params.only("auto_advance")
    invoice, now = _known(request)
    advances = request.params.flag("auto_advance", invoice.auto_advance)
    collect_at = now + invoices.HOUR if advances else None
    return invoices.finalize(
        request.ledger, replace(invoice, auto_advance=advances), now, collect_at=collect_at
    )


def _pay(request: ApiRequest) -> Answer:
    params = request.params
    params.only("payment_method", "off_session", "paid_out_of_band", "mandate", "forgive", "source")
    invoice, now = _known(request)
    if params.flag("paid_out_of_band"):
        if not invoice.payable:
            raise ApiError.invalid(f"You cannot pay an invoice that is {invoice.status}.")
        return invoices.settle(request.ledger, invoice, now, out_of_band=True)
    method = None
    if method_id := params.text("payment_method"):
        method = request.ledger.get(PaymentMethod, method_id)
        if method.customer != invoice.customer:
            raise ApiError.invalid(
                f"The payment method {method.id} does not belong to the invoice's customer.",
                param="payment_method",
            )
    ledger = request.ledger
    if params.flag("off_session", True):
        attempt = collection.pay(ledger, invoice, now, method=method)
    else:
        # The customer is there, but not in this request: the bank's question waits for a page.
        attempt = presence.pay(ledger, invoice, method or collection.on_file(ledger, invoice), now)
    if not (attempt.succeeded or attempt.pending):
        raise refusal(request, invoice.payment_intent or "", attempt)
    return request.ledger.get(Invoice, invoice.id)


def _void(request: ApiRequest) -> Answer:
    request.params.only()
    return invoices.void(request.ledger, *_known(request))


def _mark_uncollectible(request: ApiRequest) -> Answer:
    request.params.only()
    return invoices.mark_uncollectible(request.ledger, *_known(request))


def _since_basil(request: ApiRequest) -> None:
    if not request.version.basil:
        raise ApiError.invalid(f"Unrecognized request URL ({request.method}: {request.url}).", status=404)


def _list_payments(request: ApiRequest) -> Page:
    """By invoice, by intent, or all."""
    _since_basil(request)
    params = request.params
    params.only("invoice", "payment", "status", *PAGING)
    payment = params.group("payment")
    payment.only("type", "payment_intent")
    owners = [each for each in (params.text("invoice"), payment.text("payment_intent")) if each]
    ledger = request.ledger
    links = ledger.of(InvoicePayment, owners[0]) if owners else ledger.all(InvoicePayment)
    status = params.text("status")
    return page(
        request,
        [
            each
            for each in links
            if status in (None, each.status) and all(owner in each.owners for owner in owners)
        ],
    )


def _retrieve_payment(request: ApiRequest) -> Answer:
    _since_basil(request)
    request.params.only()
    return request.ledger.get(InvoicePayment, request.id)


ROUTES: Routes = (
    ("GET", "/v1/invoices", _list),
    ("GET", "/v1/invoices/{id}", _retrieve),
    ("POST", "/v1/invoices/{id}", _update),
    ("DELETE", "/v1/invoices/{id}", _delete),
    ("POST", "/v1/invoices/{id}/finalize", _finalize),
    ("POST", "/v1/invoices/{id}/pay", _pay),
    ("POST", "/v1/invoices/{id}/void", _void),
    ("POST", "/v1/invoices/{id}/mark_uncollectible", _mark_uncollectible),
    ("GET", "/v1/invoice_payments", _list_payments),
    ("GET", "/v1/invoice_payments/{id}", _retrieve_payment),
)
