"""What a template sees: amounts, dates, cards and names as a person reads them in one language."""

from dataclasses import dataclass, fields
from datetime import date, datetime, tzinfo
from enum import Enum
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_skeleton

from dunning.money import Money, format_date, format_date_time, format_money
from emails.addresses import AddressError, parse_address
from emails.catalogue import CardLabel, Mail, OtherInvoice
from emails.names import MAX_LENGTH, clean_name
from language.typography import in_a_sentence

# Longer than a name: a reason or a step in a list for the team.
MAX_SENTENCE = 300

CARD_BRANDS = {
    "acss_debit": "PAD",
    "amex": "American Express",
    "au_becs_debit": "BECS",
    "bacs_debit": "Bacs",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "sepa_debit": "SEPA",
    "unionpay": "UnionPay",
    "unknown": "",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as the reader's calendar and clock show it."""

    date: str
    date_time: str


@dataclass(frozen=True, slots=True)
class ShownInvoice:
    """One more invoice that a mail speaks of; `amount` is None where nobody knows it."""

    number: str | None
    amount: str | None
    category: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a mail is shown to: a BCP 47 locale and a time zone."""

    locale: str
    timezone: tzinfo

    def show(self, props: Mail) -> dict[str, object]:
        """The facts of a mail by name, ready to print. Raises ValueError for a link that is not http(s)."""
        return {field.name: self._shown(field.name, getattr(props, field.name)) for field in fields(props)}

    def moment(self, value: datetime) -> Moment:
        locale = Locale.parse(self.locale, sep="-")
        return Moment(
            in_a_sentence(format_date(value, self.locale, self.timezone), locale),
            in_a_sentence(format_date_time(value, self.locale, self.timezone), locale),
        )

    def month(self, year: int, month: int) -> str:
        """`November 2026`, as the language writes it in running text."""
        locale = Locale.parse(self.locale, sep="-")
        # The day is not shown.
        return format_skeleton("yMMMM", date(year, month, 1), locale=locale)

    def _amount(self, value: Money) -> str | None:
        return format_money(value, self.locale) if value.known else None

    def _shown(self, name: str, value: object) -> object:
        match value:
            case Enum():
                return value.value
            case Money():
                return self._amount(value)
            case datetime():
                return self.moment(value)
            case CardLabel():
                return card_label(value)
            case OtherInvoice():
                return ShownInvoice(
                    clean_name(value.number), self._amount(value.amount), value.category.value
                )
            case (int() as year, int() as month):
                return self.month(year, month)
            case tuple():
                return tuple(self._shown(name, each) for each in value)
            case str():
                return _text(name, value)
            case _:
                return value


def card_label(card: CardLabel) -> str:
    """`Visa •••• 4242`; the digits alone when the brand says nothing."""
    brand = clean_name(CARD_BRANDS.get(card.brand, card.brand.replace("_", " ").title())) or ""
    return f"{brand} •••• {clean_name(card.last4, 4)}".strip()


def _text(name: str, value: str) -> str | None:
    if name.endswith("_url"):
        return _url(value)
    # Of the customer, for the team, which may well click on it; of a payer, for the customer to check.
    if name in ("customer_email", "address"):
        return _address(value)
    if name == "links":
        return _url(value) if "://" in value else clean_name(value)
    return clean_name(value, MAX_SENTENCE if name in {"reasons", "sent", "upcoming"} else MAX_LENGTH)


def _address(value: str) -> str | None:
    """A mail address as it would be written to; what is none is read like a name."""
    try:
        return parse_address(value).addr_spec
    except AddressError:
        return clean_name(value)


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not value.isprintable() or " " in value:
        raise ValueError("a link in a mail must be a plain http or https address")
    return value
