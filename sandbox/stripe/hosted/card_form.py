"""The form for a card: what was entered, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.stripe.cards import Card, card_from_number

_EXPIRY = re.compile(r"(\d{1,2})\s*/?\s*(\d{4}|\d{2})")


@dataclass(frozen=True, slots=True)
class CardForm:
    """What stands in the fields, and the complaint below each; without `errors` there is a `card`."""

    number: str = "4242 4242 4242 4242"
    expiry: str = "12 / 34"
    cvc: str = "123"
    errors: Mapping[str, str] = field(default_factory=dict)
    card: Card | None = None


def read(fields: Mapping[str, str], now: datetime) -> CardForm:
    """The card in a submitted form. A field that was not sent at all is as the empty form shows it."""
    blank = CardForm()
    number, expiry, cvc = (fields.get(name, getattr(blank, name)) for name in ("number", "expiry", "cvc"))
    errors: dict[str, str] = {}
    digits = re.sub(r"[\s-]", "", number)
    if not digits:
        errors["number"] = "Enter a card number."
    elif not _valid(digits):
        errors["number"] = "Your card number is invalid."
    until = _until(expiry)
    if until is None:
        errors["expiry"] = "Enter month and year, such as 12 / 34."
    elif until < (now.year, now.month):
        errors["expiry"] = "Your card's expiry date is in the past."
    if not re.fullmatch(r"\d{3,4}", cvc.strip()):
        errors["cvc"] = "Enter the three or four digits of the security code."
    if errors or until is None:
        return CardForm(number, expiry, cvc, errors)
    year, month = until
    return CardForm(number, expiry, cvc, card=card_from_number(digits, (month, year)))


def present(moment: int) -> datetime:
    """The time of the customer's clock, for `read`."""
    return datetime.fromtimestamp(moment, UTC)


def _until(expiry: str) -> tuple[int, int] | None:
    """(year, month); None for anything that is no month."""
    found = _EXPIRY.fullmatch(expiry.strip())
    if found is None or not 1 <= int(found[1]) <= 12:
        return None
    year = int(found[2])
    return (year if year > 99 else 2000 + year, int(found[1]))


def _valid(digits: str) -> bool:
    """Length and check digit (Luhn)."""
    if not re.fullmatch(r"[0-9]{12,19}", digits):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
