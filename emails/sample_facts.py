"""Whom and what the sample mails are about."""

from typing import Final

from dunning.declines import Category
from dunning.money import Money
from emails.catalogue import CardLabel

CUSTOMER: Final = "Maria Muster"
PLAN: Final = "Team plan"
AMOUNT: Final = Money(1999, "eur")
INVOICE: Final = "NW-0042"
URL: Final = "https://pay.northwind.example/p/Q2hhbmdlIG1l"
CARD: Final = CardLabel("visa", "4242")

_ACCOUNT = CardLabel("sepa_debit", "3000")


def method(category: Category) -> CardLabel | None:
    """What somebody had on file whose charge was declined like this."""
    if category is Category.NO_PAYMENT_METHOD:
        return None
    return _ACCOUNT if category is Category.BANK_DEBIT_FAILED else CARD
