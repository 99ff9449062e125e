"""The lines of an invoice as Stripe sends them."""

from sandbox.stripe.objects import catalogue
from sandbox.stripe.objects.common import Json
from sandbox.stripe.records import Invoice, InvoiceLine
from sandbox.stripe.versions import ApiVersion


def invoice_line(record: Invoice, line: InvoiceLine, version: ApiVersion) -> Json:
    """Old versions carry the whole price, new ones point at it."""
    price = line.item.price
    body: Json = {
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": record.currency,
        "description": f"{line.item.quantity} \u00d7 {price.product_name}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": record.id,
        "livemode": False,
        "metadata": dict(record.subscription_metadata),
        "period": {"end": line.end, "start": line.start},
        "pretax_credit_amounts": [],
        "quantity": line.item.quantity,
        "subscription": record.subscription,
    }
    return body | (_new(record, line, version) if version.basil else _old(line, version))


def _old(line: InvoiceLine, version: ApiVersion) -> Json:
    return {
        "amount_excluding_tax": line.amount,
        "plan": catalogue.plan(line.item.price, version),
        "price": catalogue.price(line.item.price, version),
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription_item": line.item.id,
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription",
        "unit_amount_excluding_tax": str(line.item.price.unit_amount),
    }


def _new(record: Invoice, line: InvoiceLine, version: ApiVersion) -> Json:
    price = line.item.price
    body: Json = {
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": record.subscription,
                "subscription_item": line.item.id,
            },
            "type": "subscription_item_details",
        },
        "pricing": {
            "price_details": {"price": price.id, "product": price.product},
            "type": "price_details",
            "unit_amount_decimal": str(price.unit_amount),
        },
        "subtotal": line.amount,
        "taxes": [],
    }
    return body | {"quantity_decimal": str(line.item.quantity)} if version.endive else body
