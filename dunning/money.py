"""Amounts as Stripe sends them, and amounts and dates as a person reads them."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date as babel_date
from babel.dates import format_time as babel_time
from babel.dates import get_datetime_format, get_timezone_gmt, get_timezone_name
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

# Stripe's own table. It differs from ISO 4217: ISK and UGX have no cents and are yet sent with two zeros,
# MGA is sent whole although ISO gives it two digits. Everything not listed here has two.
ZERO_DECIMAL: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
# ISO 4217's own code for "no currency involved".
NO_CURRENCY: Final = "XXX"
THREE_DECIMAL: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor unit as Stripe defines it, and a currency code in any case."""

    amount_minor: int
    currency: str

    @property
    def known(self) -> bool:
        """Whether it is an amount at all: a billing system may tell of a debt and not how much it is."""
        return self.code != NO_CURRENCY

    @property
    def code(self) -> str:
        """The currency code in upper case, as ISO 4217 writes it."""
        return self.currency.upper()

    def decimal(self) -> Decimal:
        """The amount in whole currency units: 1999 USD cents are 19.99, 500 JPY are 500."""
        return Decimal(self.amount_minor).scaleb(-exponent(self.currency))


def exponent(currency: str) -> int:
    """How many decimals Stripe's integer carries: 0, 2 or 3; 2 for a currency nobody knows."""
    code = currency.upper()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


@lru_cache(maxsize=1024)
def format_money(money: Money, locale: str) -> str:
    """The amount as written in `locale` (BCP 47 or POSIX; English when unknown), a dash if it is not known.

    The number of decimals is the one usual for the currency (CLDR: none for ISK), unless that would round
    money away: then all of it is shown.
    """
    if not money.known:
        return "\N{EM DASH}"
    amount = money.decimal()
    lang = _locale(locale)
    pattern = lang.currency_formats["standard"].pattern
    if get_currency_symbol(money.code, lang)[-1:].isalpha():
        # CLDR sets letters apart from the number: $5 but ISK 5.
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    rounds_away = amount != round(amount, get_currency_precision(money.code))
    if rounds_away:
        pattern = pattern.replace("0.00", "0." + "0" * exponent(money.currency))
    return format_currency(amount, money.code, pattern, locale=lang, currency_digits=not rounds_away)


def format_date(moment: datetime, locale: str, tz: tzinfo) -> str:
    """The calendar day of `moment` in `tz`, month in words. Raises ValueError for a naive datetime."""
    return _day(_local(moment, tz).date(), locale)


@lru_cache(maxsize=1024)
def _day(day: date, locale: str) -> str:
    return babel_date(day, "long", locale=_locale(locale))


def format_date_time(moment: datetime, locale: str, tz: tzinfo) -> str:
    """Day, time to the minute and the zone's short name. Raises ValueError for a naive datetime."""
    local = _local(moment, tz)
    lang = _locale(locale)
    time = babel_time(local.timetz(), "short", locale=lang)
    zone = get_timezone_name(local, "short", locale=lang)
    if zone.startswith(("+", "-")):  # no short name in this language
        zone = get_timezone_gmt(local, "long", locale=lang)
    # CLDR quotes literal words, as in "{1} 'at' {0}".
    joined = str(get_datetime_format("long", locale=lang)).replace("'", "")
    shown = joined.replace("{1}", format_date(moment, locale, tz)).replace("{0}", f"{time} {zone}")
    # The narrow space CLDR puts before AM and PM is missing from many fonts.
    return shown.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")


def _local(moment: datetime, tz: tzinfo) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot be shown to anybody")
    return moment.astimezone(tz)


@lru_cache
def _locale(tag: str) -> Locale:
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
