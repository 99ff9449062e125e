"""Charges as Stripe sends them."""

from sandbox.stripe.declines import Decline
from sandbox.stripe.ids import derived
from sandbox.stripe.objects.common import Json, bank_account, billing_details
from sandbox.stripe.records import Charge
from sandbox.stripe.versions import ApiVersion


def charge(record: Charge, version: ApiVersion) -> Json:
    """One try that reached Stripe; new versions do not say for which invoice."""
    decline = record.decline
    paid = record.paid
    method = record.payment_method
    body: Json = {
        "id": record.id,
        "object": "charge",
        "amount": record.amount,
        "amount_captured": 0 if decline else record.amount,
        "amount_refunded": record.amount_refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": f"txn_{derived(record.id, 'balance')}" if paid else None,
        "billing_details": billing_details(method.billing_name, method.billing_email, method.card.country),
        "calculated_statement_descriptor": "EXAMPLE COMPANY",
        "captured": decline is None,
        "created": record.created,
        "currency": record.currency,
        "customer": record.customer,
        "description": record.description,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": _approved() if decline is None else _declined(decline),
        "paid": paid,
        "payment_intent": record.payment_intent,
        "payment_method": method.id,
        "payment_method_details": _details(record),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"https://pay.stripe.example/receipts/{derived(record.id, 'receipt')}"
        if paid
        else None,
        "refunded": paid and record.amount_refunded == record.amount,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "failed" if decline else "succeeded" if paid else "pending",
        "transfer_data": None,
        "transfer_group": None,
    }
    if not version.basil:
        return body | {"invoice": record.invoice}
    return body | {"authorization_code": None} if version.endive else body


def _approved() -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 17,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _declined(decline: Decline) -> Json:
    """`reason` is the issuer's decline code, or what made Stripe block the charge itself."""
    return {
        "advice_code": decline.advice_code,
        "network_advice_code": decline.network_advice_code,
        "network_decline_code": decline.network_decline_code,
        "network_status": "not_sent_to_network" if decline.blocked else "declined_by_network",
        "reason": decline.reason,
        "risk_level": "highest" if decline.blocked else "normal",
        "risk_score": 92 if decline.blocked else 17,
        "seller_message": "Stripe blocked this payment as too risky."
        if decline.blocked
        else f"The bank returned the decline code `{decline.decline_code}`.",
        "type": "blocked" if decline.blocked else "issuer_declined",
    }


def _details(record: Charge) -> Json:
    card = record.payment_method.card
    if card.type == "card":
        return {"card": _card(record), "type": "card"}
    mandate = f"mandate_{derived(record.payment_method.id, 'mandate')}"
    return {card.type: bank_account(card) | {"mandate": mandate}, "type": card.type}


def _card(record: Charge) -> Json:
    card = record.payment_method.card
    paid = record.paid
    return {
        "amount_authorized": record.amount if paid else None,
        "authorization_code": derived(record.id, "authorization", 6) if paid else None,
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": None,
        },
        "country": card.country,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": derived(card.brand + card.last4, "fingerprint", 16),
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": derived(record.id, "network", 15),
        "overcapture": {"maximum_amount_capturable": record.amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _three_d_secure() if record.authenticated else None,
        "wallet": None,
    }


def _three_d_secure() -> Json:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
