"""/v1/refunds"""

from sandbox.stripe.api.request import Answer, ApiRequest, Routes
from sandbox.stripe.records import Charge, Invoice, PaymentIntent
from sandbox.stripe.refunds import refund


def _create(request: ApiRequest) -> Answer:
    """Of a charge, or of the payment that it belongs to."""
    params, ledger = request.params, request.ledger
    params.only("charge", "payment_intent", "amount", "reason", "metadata")
    charge_id = params.text("charge")
    if charge_id is None:
        intent = ledger.get(PaymentIntent, params.required("payment_intent"))
        charge_id = intent.latest_charge or ""
    charge = ledger.get(Charge, charge_id)
    now = ledger.now(ledger.get(Invoice, charge.invoice).test_clock)
    refunded = refund(ledger, charge, now, amount=params.integer("amount"))
    return {
        "id": ledger.ids.new("re"),
        "object": "refund",
        "amount": refunded.amount_refunded - charge.amount_refunded,
        "balance_transaction": None,
        "charge": charge.id,
        "created": now,
        "currency": charge.currency,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": params.metadata({}),
        "payment_intent": charge.payment_intent,
        "reason": params.text("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


ROUTES: Routes = (("POST", "/v1/refunds", _create),)
