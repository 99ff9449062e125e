"""Examples of the mails no failed renewal stands behind: first payments, what is ahead, what is asked for."""

from dataclasses import replace
from datetime import UTC, datetime

from dunning.declines import Category
from dunning.money import Money
from emails.catalogue import (
    CardExpiring,
    FirstPaymentOpen,
    FreshLink,
    PayerConfirmation,
    PayerLink,
    RenewalNotice,
)
from emails.sample_facts import AMOUNT, CARD, CUSTOMER, INVOICE, PLAN, URL, method


def first_payment(category: Category) -> FirstPaymentOpen:
    """A subscription that waits for its first payment until the next day."""
    return FirstPaymentOpen(
        customer_name=CUSTOMER,
        plan=PLAN,
        amount=AMOUNT,
        category=category,
        card=method(category),
        expires_at=datetime(2026, 11, 17, 11, 45, tzinfo=UTC),
        pay_url=URL,
        invoice_number=INVOICE,
    )


def first_payment_bare() -> FirstPaymentOpen:
    """One of which next to nothing is known."""
    return FirstPaymentOpen(
        customer_name=None,
        plan=None,
        amount=Money(5000, "jpy"),
        category=Category.UNKNOWN,
        card=None,
        expires_at=None,
        pay_url=None,
        invoice_number=None,
    )


def card_expiring() -> CardExpiring:
    """A card that ends a week before it is needed."""
    return CardExpiring(
        customer_name=CUSTOMER,
        plan=PLAN,
        amount=AMOUNT,
        card=CARD,
        expires=(2026, 11),
        renews_at=datetime(2026, 12, 7, 9, 0, tzinfo=UTC),
        update_url=URL,
    )


def card_expiring_late() -> CardExpiring:
    """A card that is good no more when the mail is written."""
    return replace(card_expiring(), expires=(2026, 10))


def card_expiring_bare() -> CardExpiring:
    """Only the two dates are known."""
    return CardExpiring(
        customer_name=None,
        plan=None,
        amount=None,
        card=None,
        expires=(2026, 11),
        renews_at=datetime(2026, 12, 7, 9, 0, tzinfo=UTC),
        update_url=None,
    )


def renewal_notice() -> RenewalNotice:
    """A year that ends in four weeks."""
    return RenewalNotice(
        customer_name=CUSTOMER,
        plan="Team plan, yearly",
        amount=Money(19900, "eur"),
        renews_at=datetime(2026, 12, 14, 9, 0, tzinfo=UTC),
        card=CARD,
        manage_url=URL,
    )


def renewal_notice_bare() -> RenewalNotice:
    """Only the date is known."""
    return RenewalNotice(
        customer_name=None,
        plan=None,
        amount=None,
        renews_at=datetime(2026, 12, 14, 9, 0, tzinfo=UTC),
        card=None,
        manage_url=None,
    )


def fresh_link() -> FreshLink:
    """What somebody asked for whose link was too old."""
    return FreshLink(customer_name=CUSTOMER, pay_url=URL)


def payer_confirmation() -> PayerConfirmation:
    """Somebody else is to pay."""
    return PayerConfirmation(customer_name=CUSTOMER, address="accounts@customer.example", pay_url=URL)


def payer_link() -> PayerLink:
    """What they get then."""
    return PayerLink(pay_url=URL)


def fresh_link_bare() -> FreshLink:
    """The page has gone since."""
    return FreshLink(customer_name=None, pay_url=None)
