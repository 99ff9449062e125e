"""Which charges are lines of the ledger, and what each says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.declines import Category, classify
from dunning.events import ChargeFailed
from providers.fields import moment
from providers.lookup import MalformedEventError
from providers.stripe.objects import charge_failed
from sandbox.stripe import NEW, OLD, BillingEngine, Card
from sandbox.stripe.objects import render
from sandbox.stripe.versions import ApiVersion
from tests.providers.bodies import NEW_SHAPE, body


def charge(**fields: Any) -> dict[str, Any]:
    """A failed charge as it is listed, with other fields."""
    found: dict[str, Any] = body("charge_failed", NEW_SHAPE)["data"]["object"]
    return found | fields


def read(thing: dict[str, Any]) -> ChargeFailed | None:
    return charge_failed(thing, customer="cus_1", invoice="in_1")


def test_a_declined_charge_is_a_line() -> None:
    """With the issuer's reason, Stripe's advice and the card as it was then."""
    assert read(charge()) == ChargeFailed(
        customer="cus_1",
        invoice="in_1",
        charge=charge()["id"],
        at=datetime(2026, 2, 28, 11, 15, tzinfo=UTC),
        code="card_declined",
        decline_code="insufficient_funds",
        outcome_reason="insufficient_funds",
        advice_code="try_again_later",
        method_type="card",
        card_brand="visa",
        card_last4="4242",
        card_country="US",
    )


@pytest.mark.parametrize("status", ["succeeded", "pending", None])
def test_class_32_a_charge_that_has_not_failed_is_none(status: str | None) -> None:
    """A bank debit under way is no failure."""
    assert read(charge(status=status)) is None


def test_class_10_a_blocked_repetition_is_none() -> None:
    """Stripe did not send it to the network: the card has said no for good before."""
    outcome = {"network_status": "not_sent_to_network", "reason": "previously_declined_do_not_retry"}
    assert read(charge(outcome=outcome)) is None


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize(
    ("answer", "category"),
    [
        ("insufficient_funds", Category.INSUFFICIENT_FUNDS),
        ("expired_card", Category.EXPIRED_CARD),
        ("authentication_required", Category.AUTHENTICATION_REQUIRED),
        ("incorrect_cvc", Category.INCORRECT_DETAILS),
        ("processing_error", Category.PROCESSING_ERROR),
        ("do_not_honor", Category.BANK_DECLINED),
        ("stolen_card", Category.MASKED),
        ("highest_risk_level", Category.MASKED),
        ("revocation_of_authorization", Category.CONSENT_WITHDRAWN),
        ("brand_new_code", Category.UNKNOWN),
    ],
)
def test_a_refusal_keeps_its_category(answer: str, category: Category, version: str) -> None:
    """From the issuer's answer to the words for it, in both shapes."""
    engine = BillingEngine()
    customer = engine.create_customer("ada@customer.example", card=Card(outcomes=("ok", answer)))
    bought = engine.create_subscription(customer, engine.create_price())
    engine.advance(None, engine.now().replace(month=2, day=2))
    failed = next(each for each in engine.charges(customer) if each.decline)
    line = read(render(failed, ApiVersion(version)))
    assert line is not None
    assert engine.refresh(bought).status == "past_due"
    decline = classify(
        code=line.code,
        decline_code=line.decline_code,
        outcome_reason=line.outcome_reason,
        advice_code=line.advice_code,
        method_type=line.method_type,
    )
    assert decline.category is category


def test_a_bank_debit_has_no_card() -> None:
    """Its reason is the failure code."""
    details = {"type": "sepa_debit", "sepa_debit": {"last4": "3000", "country": "DE"}}
    line = read(charge(payment_method_details=details, failure_code="insufficient_funds", outcome=None))
    assert line is not None
    assert (line.method_type, line.card_brand, line.card_country) == ("sepa_debit", None, None)
    assert line.decline_code is None


def test_a_charge_without_details_is_still_a_line() -> None:
    """It happened, whatever is known of it."""
    line = read(charge(payment_method_details=None, outcome=None, failure_code=None))
    assert line is not None
    assert (line.code, line.decline_code, line.method_type) == (None, None, None)


@pytest.mark.parametrize(
    "fields", [{"id": None}, {"created": None}, {"created": "yesterday"}, {"outcome": ["reason"]}, {"id": 7}]
)
def test_a_charge_that_is_none(fields: dict[str, Any]) -> None:
    """A body that is not what it says is refused."""
    with pytest.raises(MalformedEventError):
        read(charge(**fields))


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        (None, None),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_772_277_300, datetime(2026, 2, 28, 11, 15, tzinfo=UTC)),
        ("2026-02-28T11:15:00.000Z", datetime(2026, 2, 28, 11, 15, tzinfo=UTC)),
        ("2026-02-28T12:15:00+01:00", datetime(2026, 2, 28, 11, 15, tzinfo=UTC)),
    ],
)
def test_class_22_every_moment_is_utc(value: Any, read_as: datetime | None) -> None:
    """Unix seconds, or ISO 8601 with an offset."""
    found = moment(value)
    assert found == read_as
    assert found is None or found.utcoffset() is not None


@pytest.mark.parametrize(
    "value", ["2026-02-28T11:15:00", "soon", "", 1.5, True, [], {}, 10**18, -(10**18), float("nan")]
)
def test_class_22_a_moment_without_an_offset_is_none(value: Any) -> None:
    """A naive time would be read in the machine's zone."""
    with pytest.raises(MalformedEventError):
        moment(value)
