"""Products, prices and test clocks as Stripe sends them."""

from sandbox.stripe.clocks import LIFETIME
from sandbox.stripe.objects.common import Json
from sandbox.stripe.records import Application, Price, Product, TestClock
from sandbox.stripe.versions import ApiVersion


def product(record: Product, version: ApiVersion) -> Json:
    """What is sold."""
    return {
        "id": record.id,
        "object": "product",
        "active": True,
        "created": record.created,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": record.name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": record.created,
        "url": None,
    } | ({"tax_details": None} if version.endive else {})


def price(record: Price, version: ApiVersion) -> Json:
    """What it costs per period."""
    return {
        "id": record.id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": record.created,
        "currency": record.currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": record.nickname,
        "product": record.product,
        "recurring": _recurring(record, version),
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": record.unit_amount,
        "unit_amount_decimal": str(record.unit_amount),
    }


def _recurring(record: Price, version: ApiVersion) -> Json:
    body: Json = {
        "interval": record.interval,
        "interval_count": record.interval_count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return body if version.basil else body | {"aggregate_usage": None}


def plan(record: Price, version: ApiVersion) -> Json:
    """The price in its older form, which subscription items still carry."""
    body: Json = {
        "id": record.id,
        "object": "plan",
        "active": True,
        "amount": record.unit_amount,
        "amount_decimal": str(record.unit_amount),
        "billing_scheme": "per_unit",
        "created": record.created,
        "currency": record.currency,
        "interval": record.interval,
        "interval_count": record.interval_count,
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": record.nickname,
        "product": record.product,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return body if version.basil else body | {"aggregate_usage": None}


def test_clock(record: TestClock, version: ApiVersion) -> Json:
    """A clock; `status_details` says where an advancing one is going."""
    advancing = {"advancing": {"target_frozen_time": record.target}} if record.target else {}
    return {
        "id": record.id,
        "object": "test_helpers.test_clock",
        "created": record.created,
        "deletes_after": record.created + LIFETIME,
        "frozen_time": record.frozen_time,
        "livemode": False,
        "name": record.name,
        "status": record.status,
        "status_details": advancing,
    }


def application(record: Application, version: ApiVersion) -> Json:
    """A platform."""
    return {"id": record.id, "object": "application", "name": "The platform"}
