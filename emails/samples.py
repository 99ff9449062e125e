"""One example of every mail, for the preview and the tests."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from dunning.declines import Category
from dunning.money import Money
from emails.brand import Brand
from emails.catalogue import (
    AccessEnded,
    Consequence,
    EndReason,
    FinalWarning,
    Mail,
    OtherInvoice,
    PaymentFailed,
    PaymentRecovered,
    TeamEscalation,
)
from emails.sample_facts import AMOUNT, CARD, CUSTOMER, INVOICE, PLAN, URL, method
from emails.sample_notices import (
    card_expiring,
    card_expiring_bare,
    card_expiring_late,
    first_payment,
    first_payment_bare,
    fresh_link,
    fresh_link_bare,
    payer_confirmation,
    payer_link,
    renewal_notice,
    renewal_notice_bare,
)

BRAND: Final = Brand(
    name="Northwind",
    support_email="help@northwind.example",
    website="https://northwind.example",
    postal_address="Northwind Ltd, 1 Example Street, Springfield",
)
NOW: Final = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)

_ENDS = datetime(2026, 11, 19, 13, 0, tzinfo=UTC)
_NEXT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)

# Nothing is charged again for these until the customer acts.
_NOT_RETRIED = {
    Category.AUTHENTICATION_REQUIRED,
    Category.NO_PAYMENT_METHOD,
    Category.BANK_DEBIT_FAILED,
    Category.MASKED,
    Category.FRAUD,
    Category.CONSENT_WITHDRAWN,
    Category.MERCHANT_SIDE,
}


def samples() -> Iterator[tuple[str, Mail]]:
    """Every mail of the catalogue with a name, each decline category included."""
    for category in Category:
        yield f"payment_failed-{category}", payment_failed(category)
    yield "payment_failed-again", payment_failed(Category.INSUFFICIENT_FUNDS, attempt=2, charged_again=True)
    yield "payment_failed-limited", replace(payment_failed(Category.EXPIRED_CARD), ends_in="limited")
    yield "payment_failed-several", _several()
    yield "payment_failed-bare", _bare()
    for category in Category:
        yield f"final_warning-{category}", final_warning(category)
    yield "final_warning-24h", final_warning(Category.EXPIRED_CARD, hours_left=24, consequence="limited")
    for reason in get_args(EndReason):
        yield f"access_ended-{reason}", access_ended(reason)
    yield "payment_recovered", payment_recovered(access_restored=False)
    yield "payment_recovered-restored", payment_recovered(access_restored=True)
    yield from _notices()
    yield "team_escalation", team_escalation()


def _notices() -> Iterator[tuple[str, Mail]]:
    for category in Category:
        yield f"first_payment-{category}", first_payment(category)
    yield "first_payment-bare", first_payment_bare()
    yield "card_expiring", card_expiring()
    yield "card_expiring-late", card_expiring_late()
    yield "card_expiring-bare", card_expiring_bare()
    yield "renewal_notice", renewal_notice()
    yield "renewal_notice-bare", renewal_notice_bare()
    yield "fresh_link", fresh_link()
    yield "fresh_link-bare", fresh_link_bare()
    yield "payer_confirmation", payer_confirmation()
    yield "payer_link", payer_link()


def payment_failed(category: Category, *, attempt: int = 1, charged_again: bool = False) -> PaymentFailed:
    """A first failure with everything known about it."""
    return PaymentFailed(
        customer_name=CUSTOMER,
        plan=PLAN,
        amount=AMOUNT,
        category=category,
        card=method(category),
        attempt=0 if category is Category.NO_PAYMENT_METHOD else attempt,
        charged_again=charged_again,
        next_attempt_at=None if category in _NOT_RETRIED else _NEXT,
        access_until=_ENDS,
        pay_url=URL,
        invoice_number=INVOICE,
        other_open=0,
    )


def _several() -> PaymentFailed:
    """Of three invoices two have reasons of their own, and one has no number."""
    return replace(
        payment_failed(Category.INSUFFICIENT_FUNDS),
        other_open=2,
        others=(
            OtherInvoice("NW-1041", Money(1900, "eur"), Category.EXPIRED_CARD),
            OtherInvoice(None, Money(2500, "eur"), Category.AUTHENTICATION_REQUIRED),
        ),
    )


def _bare() -> PaymentFailed:
    """A failure of which next to nothing is known."""
    return PaymentFailed(
        customer_name=None,
        plan=None,
        amount=Money(5000, "jpy"),
        category=Category.UNKNOWN,
        card=None,
        attempt=2,
        charged_again=False,
        next_attempt_at=None,
        access_until=None,
        pay_url=None,
        invoice_number=None,
        other_open=2,
    )


def final_warning(
    category: Category, *, hours_left: int = 72, consequence: Consequence = "revoked"
) -> FinalWarning:
    """The last words before access ends."""
    return FinalWarning(
        customer_name=CUSTOMER,
        plan=PLAN,
        amount=AMOUNT,
        category=category,
        card=method(category),
        access_until=NOW + timedelta(hours=hours_left),
        hours_left=hours_left,
        consequence=consequence,
        pay_url=URL,
        invoice_number=INVOICE,
        other_open=1,
    )


def access_ended(reason: EndReason) -> AccessEnded:
    """The end of access; nothing is owed after a cancellation."""
    return AccessEnded(
        customer_name=CUSTOMER,
        plan=PLAN,
        amount=None if reason == "subscription_canceled" else AMOUNT,
        reason=reason,
        consequence="limited" if reason == "grace_expired" else "revoked",
        ended_at=_ENDS,
        return_url=URL,
        invoice_number=INVOICE,
        other_open=0,
    )


def payment_recovered(*, access_restored: bool) -> PaymentRecovered:
    """The receipt."""
    return PaymentRecovered(
        customer_name=CUSTOMER,
        plan=PLAN,
        amount=AMOUNT,
        paid_at=_NEXT,
        access_restored=access_restored,
        invoice_number=INVOICE,
        card=CARD,
        receipt_url=URL if access_restored else None,
    )


def team_escalation() -> TeamEscalation:
    """A third failed charge that a person should look at."""
    return TeamEscalation(
        reasons=(
            "The third charge failed.",
            "The card was reported stolen, so Stripe makes no further attempt.",
        ),
        customer_ref="cus_Example42",
        customer_name=CUSTOMER,
        customer_email="maria@customer.example",
        plan=PLAN,
        amount=Money(14900, "eur"),
        category=Category.MASKED,
        decline_code="stolen_card",
        failing_since=datetime(2026, 11, 5, 8, 12, tzinfo=UTC),
        access_until=_ENDS,
        sent=(
            (datetime(2026, 11, 5, 8, 15, tzinfo=UTC), "First notice of the failed payment"),
            (datetime(2026, 11, 9, 9, 0, tzinfo=UTC), "Second notice"),
        ),
        upcoming=(
            (datetime(2026, 11, 18, 13, 0, tzinfo=UTC), "Reminder, one day before access ends"),
            (_ENDS, "Access ends"),
        ),
        links=(
            ("Case", "https://dunning.northwind.example/cases/1"),
            ("Customer in Stripe", "https://dashboard.stripe.com/customers/cus_Example42"),
        ),
    )
