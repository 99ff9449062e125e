"""What an open payment includes, and what becomes of access while it stays open."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from dunning.declines import Category
from dunning.money import Money
from emails.catalogue import AccessEnded, FinalWarning, OtherInvoice, PaymentFailed
from emails.render import render
from emails.samples import BRAND, NOW, access_ended, final_warning, payment_failed
from emails.translations import languages
from tests.emails.reading import read

PROPS = (
    payment_failed(Category.INSUFFICIENT_FUNDS),
    payment_failed(Category.MERCHANT_SIDE),
    final_warning(Category.EXPIRED_CARD),
    access_ended("subscription_unpaid"),
)
INCLUDED = {
    "en": ("The amount includes one more open invoice.", "The amount includes 3 more open invoices."),
    "de": (
        "Der Betrag enthält eine weitere offene Rechnung.",
        "Der Betrag enthält 3 weitere offene Rechnungen.",
    ),
    "fr": (
        "Ce montant comprend une autre facture à régler.",
        "Ce montant comprend 3 autres factures à régler.",
    ),
    "es": ("El importe incluye otra factura pendiente.", "El importe incluye otras 3 facturas pendientes."),
    "pt": ("O valor inclui mais uma fatura em aberto.", "O valor inclui mais 3 faturas em aberto."),
    "ja": (
        "この金額には、ほかの請求書1件分が含まれています。",
        "この金額には、ほかの請求書3件分が含まれています。",
    ),
}


def forms(props: PaymentFailed | FinalWarning | AccessEnded, locale: str = "en") -> tuple[str, str]:
    """The words of both parts."""
    mail = render(props, brand=BRAND, locale=locale, timezone=UTC, now=NOW)
    return mail.text, read(mail.html).text


@pytest.mark.parametrize("props", PROPS, ids=lambda props: props.template)
@pytest.mark.parametrize("locale", languages())
def test_an_amount_says_that_it_includes_more_than_one_invoice(
    locale: str, props: PaymentFailed | FinalWarning | AccessEnded
) -> None:
    """In each language, with its own plural, and next to the amount it is about."""
    one, many = INCLUDED[locale]
    for form in forms(replace(props, other_open=1), locale):
        assert one in form
    for form in forms(replace(props, other_open=3), locale):
        assert many in form
        assert one not in form


@pytest.mark.parametrize("props", PROPS, ids=lambda props: props.template)
@pytest.mark.parametrize("locale", languages())
def test_a_single_invoice_is_not_spoken_of_as_several(
    locale: str, props: PaymentFailed | FinalWarning | AccessEnded
) -> None:
    """Neither "0 more invoices" nor a word of any."""
    one, many = INCLUDED[locale]
    for form in forms(replace(props, other_open=0), locale):
        assert one not in form
        assert many.replace("3", "0") not in form


LIMITED = {
    "en": "is limited from then on, until the payment arrives",
    "de": "Danach ist er eingeschränkt, bis die Zahlung eingeht.",
    "fr": "puis il sera limité jusqu’à réception du paiement.",  # noqa: RUF001 - French
    "es": "después estará limitado hasta que recibamos el pago.",
    "pt": "depois, fica limitado até recebermos o pagamento.",
    "ja": "それ以降は、お支払いを確認できるまでご利用が制限されます。",
}


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("ends_in", ["limited", "revoked"])
def test_what_becomes_of_access_is_said_when_it_is_only_limited(
    ends_in: Literal["limited", "revoked"], locale: str
) -> None:
    """Somebody who keeps part of it is told so; the end of all of it is left to the warnings."""
    props = replace(payment_failed(Category.EXPIRED_CARD), ends_in=ends_in)
    for form in forms(props, locale):
        assert (LIMITED[locale] in form) is (ends_in == "limited")


def test_the_day_stays_in_the_mail_either_way() -> None:
    """Until then nothing changes, and a payment by then changes nothing."""
    for ends_in in ("limited", "revoked"):
        text, _ = forms(replace(payment_failed(Category.UNKNOWN), ends_in=ends_in))
        assert "Your access stays as it is until November 19, 2026" in text
        assert "nothing changes for you" in text


def test_nothing_is_said_of_access_nobody_takes() -> None:
    """Without an end, or with one gone by, there is nothing to limit."""
    for until in (None, datetime(2026, 11, 1, tzinfo=UTC)):
        props = replace(payment_failed(Category.UNKNOWN), access_until=until, ends_in="limited")
        assert all("limited" not in form for form in forms(props))


WHY_ELSE = {
    "en": "Invoice NW-1041 of €19.00 is open for another reason. The card we have for you has expired.",
    "de": "Die Rechnung NW-1041 über 19,00 € ist aus einem anderen Grund offen. Die bei uns hinterlegte",
    "fr": "La facture NW-1041 de 19,00 € reste à régler pour une autre raison. La carte enregistrée",
    "es": "La factura NW-1041 de 19,00 € está pendiente por otro motivo. La tarjeta registrada",
    "pt": "A fatura NW-1041 de € 19,00 está em aberto por outro motivo. O cartão associado",
    "ja": "請求書NW-1041（€19.00）は、別の理由で未払いとなっています。ご登録のカードの有効期限が",  # noqa: RUF001 - Japanese
}
EXPIRED = OtherInvoice("NW-1041", Money(1900, "eur"), Category.EXPIRED_CARD)


def visible(props: PaymentFailed | FinalWarning, locale: str) -> list[str]:
    """Both forms, with one kind of space."""
    return [" ".join(form.split()) for form in forms(props, locale)]


@pytest.mark.parametrize("props", [payment_failed, final_warning], ids=lambda props: props.__name__)
@pytest.mark.parametrize("locale", languages())
def test_another_invoice_has_its_own_reason(
    locale: str, props: Callable[[Category], PaymentFailed | FinalWarning]
) -> None:
    """In each language, in text and HTML, after the reason of the invoice the mail is about."""
    for form in visible(replace(props(Category.INSUFFICIENT_FUNDS), other_open=1, others=(EXPIRED,)), locale):
        assert WHY_ELSE[locale] in form


@pytest.mark.parametrize("props", [payment_failed, final_warning], ids=lambda props: props.__name__)
@pytest.mark.parametrize("locale", languages())
def test_the_same_reason_is_said_once(
    locale: str, props: Callable[[Category], PaymentFailed | FinalWarning]
) -> None:
    """Two invoices on one expired card are one piece of news."""
    alone = props(Category.EXPIRED_CARD)
    both = replace(alone, other_open=1, others=(EXPIRED,))
    assert visible(both, locale) == visible(replace(alone, other_open=1), locale)


def test_an_invoice_without_a_number_is_named_by_its_amount() -> None:
    """Stripe gives a draft none."""
    other = replace(EXPIRED, number=None)
    for form in visible(replace(payment_failed(Category.UNKNOWN), other_open=1, others=(other,)), "en"):
        assert "One more invoice, of €19.00, is open for another reason. The card we have" in form


@pytest.mark.parametrize("category", [Category.MASKED, Category.FRAUD])
def test_what_must_not_be_told_of_an_invoice_is_not_told_of_another(category: Category) -> None:
    """Lost, stolen or suspected: that the payment was declined, and no more."""
    other = replace(EXPIRED, category=category)
    for form in visible(replace(payment_failed(Category.EXPIRED_CARD), other_open=1, others=(other,)), "en"):
        assert "is open for another reason. The payment was declined." in form
