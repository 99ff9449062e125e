"""A mail that is cast in a mould is the one that the templates would have written."""

from dataclasses import fields, replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from dunning.declines import Category
from emails.brand import Brand
from emails.catalogue import CardLabel, Mail, OtherInvoice
from emails.environment import TEMPLATES
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, payment_failed, samples

# Whatever has a meaning in HTML, in a format string, in a URL or for our own stand-ins.
NASTY = {
    "customer_name": '<b>Ada</b> & "Eve" O\'Neil %(amount)s {{ plan }} &amp;',
    "plan": "100 % Größe \ue0000\ue000 \N{NO-BREAK SPACE}>",
    "invoice_number": "A&B<1>",
    "card": CardLabel("visa<>", "4&42"),
    "pay_url": "https://pay.example/?a=1&b=\"2\"&c='<3>'\N{LATIN SMALL LETTER E WITH ACUTE}",
}
SITE = replace(BRAND, website="https://acme.example/?a&b", postal_address="1 > 2, A & B", logo_url=None)


def nasty(props: Mail) -> Mail:
    names = {each.name for each in fields(props)}
    changed: dict[str, Any] = {name: value for name, value in NASTY.items() if name in names}
    changed |= {name: NASTY["pay_url"] for name in names if name.endswith("_url")}
    return replace(props, **changed)


def both(props: Mail, locale: str, brand: Brand = BRAND) -> tuple[RenderedMail, RenderedMail]:
    """From a mould, and from the same templates in a folder of one's own, which are filled anew each time."""
    now = NOW + timedelta(hours=1)
    cast = render(props, brand=brand, locale=locale, timezone=UTC, now=now)
    return cast, render(props, brand=brand, locale=locale, timezone=UTC, now=now, templates=TEMPLATES)


@pytest.mark.parametrize("locale", ["en", "fr", "ja"])
def test_a_mould_changes_nothing(locale: str) -> None:
    """Every mail, with facts that would show whatever is not escaped as it should be."""
    for _, props in samples():
        cast, written = both(nasty(props), locale, SITE)
        assert cast == written


def test_nothing_of_one_customer_is_left_for_the_next() -> None:
    """The same reason, another customer: a name, a plan, a card that is not known is not the last one's."""
    known = payment_failed(Category.EXPIRED_CARD)
    both(known, "en")
    stranger = replace(
        known,
        customer_name=None,
        plan=None,
        card=None,
        invoice_number=None,
        pay_url=None,
        next_attempt_at=None,
        others=(OtherInvoice(None, known.amount, Category.MASKED),),
        other_open=1,
    )
    cast, written = both(stranger, "en")
    assert cast == written
    for fact in ("Maria", "Team plan", "4242", "NW-", "https://pay"):
        assert fact not in cast.text + cast.html + cast.subject
