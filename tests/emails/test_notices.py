"""The first payment that is still open, the card that will not last, and the year that is about to renew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.declines import Category
from emails.catalogue import Mail
from emails.render import RenderedMail, render
from emails.sample_facts import URL
from emails.sample_notices import (
    card_expiring,
    card_expiring_bare,
    first_payment,
    renewal_notice,
    renewal_notice_bare,
)
from emails.samples import BRAND, NOW
from emails.translations import languages
from tests.emails.reading import read
from tests.emails.voices import VOICES

BERLIN = ZoneInfo("Europe/Berlin")
HIDDEN = (Category.MASKED, Category.FRAUD)


def rendered(props: Mail, locale: str = "en", now: datetime = NOW) -> RenderedMail:
    return render(props, brand=BRAND, locale=locale, timezone=BERLIN, now=now)


def said(mail: RenderedMail) -> str:
    """Everything a reader sees, the preheader included."""
    return f"{mail.subject}\n{mail.text}\n{read(mail.html).text}"


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.MERCHANT_SIDE}))
def test_a_first_payment_says_what_until_when_and_how(category: Category) -> None:
    """In both forms: the amount, the moment it is held until, and the way to pay."""
    mail = rendered(first_payment(category))
    for form in (mail.text, mail.html):
        assert "€19.99 is not complete yet" in form
        assert "November 17, 2026 at 12:45" in form
        assert URL in form
    assert "12:45\N{NO-BREAK SPACE}PM GMT+01:00" in mail.text


@pytest.mark.parametrize("after", [timedelta(minutes=15), timedelta(hours=4), timedelta(hours=18)])
def test_the_words_fit_each_of_three_times(after: timedelta) -> None:
    """Nothing in them is only true shortly after somebody subscribed."""
    props = first_payment(Category.AUTHENTICATION_REQUIRED)
    mail = rendered(props, now=NOW + after)
    assert mail == rendered(props)
    assert not any(word in said(mail).lower() for word in ("just", "minute", "hour", "today", "reminder"))


@pytest.mark.parametrize("category", list(Category))
def test_somebody_without_access_hears_nothing_of_losing_it(category: Category) -> None:
    """Nothing was granted, so nothing ends, continues as before or is tried again."""
    words = said(rendered(first_payment(category))).lower()
    assert not any(word in words for word in ("access", "continue", "cancel", "renew", "try again on"))


def test_what_is_held_no_longer_is_not_promised() -> None:
    """A mail that was late leaves the moment out."""
    late = datetime(2026, 11, 17, 11, 46, tzinfo=UTC)
    assert "We hold" not in said(rendered(first_payment(Category.EXPIRED_CARD), now=late))


def test_no_bank_is_blamed_that_was_never_asked() -> None:
    """An unknown reason may be a payment page that was closed: the mail says only what is sure."""
    words = said(rendered(first_payment(Category.UNKNOWN)))
    assert "bank" not in words
    assert ("Pay €19.99", URL) in read(rendered(first_payment(Category.UNKNOWN)).html).links


@pytest.mark.parametrize("locale", languages())
def test_every_first_decline_has_words_of_its_own(locale: str) -> None:
    """No two categories say the same, but for fraud and masked, which must."""
    texts = {rendered(first_payment(category), locale).text for category in Category}
    assert len(texts) == len(Category) - 1
    masked, fraud = (rendered(first_payment(category), locale) for category in HIDDEN)
    assert masked == fraud


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("category", HIDDEN)
def test_a_first_payment_leaks_no_reason(category: Category, locale: str) -> None:
    """Neither in the words of a masked decline, nor in the subject of any."""
    assert VOICES[locale].hints.search(said(rendered(first_payment(category), locale))) is None
    assert len({rendered(first_payment(each), locale).subject for each in Category}) == 1


def test_a_bank_account_is_not_spoken_of_as_a_card() -> None:
    """Somebody who pays by debit has no card to look for, and the money may be on its way."""
    text = rendered(first_payment(Category.BANK_DEBIT_FAILED)).text
    assert "card" not in text.lower()
    assert "several working days" in text


def test_our_own_mistake_asks_nobody_for_a_first_payment() -> None:
    """Neither a way to pay, nor a moment to pay by, until a person has looked."""
    words = said(rendered(first_payment(Category.MERCHANT_SIDE)))
    assert "You need not do anything for now" in words
    assert URL not in words
    assert "We hold" not in words


@pytest.mark.parametrize(
    ("locale", "month"),
    [
        ("en", "end of November 2026."),
        ("de-AT", "bis Ende November 2026 gültig"),
        ("fr", "jusqu’à fin novembre 2026."),  # noqa: RUF001 - French
        ("es", "hasta el final de noviembre de 2026."),
        ("pt-PT", "no fim de novembro de 2026."),
        ("ja", "2026年11月末です。"),
    ],
)
@pytest.mark.parametrize("props", [card_expiring(), card_expiring_bare()], ids=["full", "bare"])
def test_the_last_month_of_a_card_is_written_out(props: Mail, locale: str, month: str) -> None:
    """As the language writes it, in text and in HTML, and in no time zone."""
    mail = rendered(props, locale)
    assert month in mail.text
    assert month in read(mail.html).text


@pytest.mark.parametrize("month", range(1, 13))
def test_no_month_slips_into_the_one_beside_it(month: int) -> None:
    """A month has no day and no zone that could move it."""
    name = datetime(2027, month, 1, tzinfo=UTC).strftime("%B 2027")
    assert f"Valid until: {name}\n" in rendered(replace(card_expiring(), expires=(2027, month))).text


@pytest.mark.parametrize("props", [card_expiring(), card_expiring_bare()], ids=["full", "bare"])
def test_an_expiring_card_is_no_alarm(props: Mail) -> None:
    """Nothing has failed and nothing is taken: what is asked for, by when, and that all is well."""
    words = said(rendered(props))
    assert "Nothing is wrong" in words
    assert "December 7, 2026" in words
    alarms = ("failed", "declined", "could not", "open", "lose", "ends", "access")
    assert not any(word in words.lower() for word in alarms)


def test_nobody_is_led_to_write_a_card_number_into_a_mail() -> None:
    """Without a page to enter it on, the answer to a reply is one, and the mail says so."""
    assert "Please do not send card details by email." in rendered(card_expiring_bare()).text
    assert ("Add new card", URL) in read(rendered(card_expiring()).html).links


def test_a_renewal_names_the_day_and_the_amount() -> None:
    """Both in the first sentence and in the table, and the day in the subject as well."""
    mail = rendered(renewal_notice())
    assert mail.subject == "Your Northwind subscription renews on December 14, 2026"
    assert "Your Northwind subscription renews on December 14, 2026 for €199.00." in mail.text
    assert "Amount: €199.00" in mail.text
    assert "there is nothing to do: everything continues as before." in mail.text


def test_an_amount_nobody_knows_yet_is_not_guessed() -> None:
    """The sentences are whole without it."""
    for props in (renewal_notice_bare(), card_expiring_bare()):
        text = rendered(props).text
        assert "Amount" not in text
    assert "subscription renews on December 14, 2026.\n" in rendered(renewal_notice_bare()).text


@pytest.mark.parametrize("url", [URL, None])
def test_whoever_would_rather_leave_is_told_how(url: str | None) -> None:
    """By a page where there is one, and by a reply in any case."""
    mail = rendered(replace(renewal_notice(), manage_url=url))
    assert "cancel" in mail.text
    assert "reply to this email" in mail.text
    assert (("Manage subscription", url) in read(mail.html).links) is (url is not None)


@pytest.mark.parametrize(
    "props",
    [
        replace(first_payment(Category.UNKNOWN), pay_url="javascript:alert(1)"),
        replace(card_expiring(), update_url="ftp://x.example/"),
        replace(renewal_notice(), manage_url="https://"),
    ],
    ids=lambda props: props.template,
)
def test_a_notice_links_to_pages_only(props: Mail) -> None:
    """The same rule as for every other mail."""
    with pytest.raises(ValueError, match="http"):
        rendered(props)


GOOD_NO_MORE = {
    "en": ("is only valid until the end of", "was only valid until the end of"),
    "de": ("ist nur bis Ende", "war nur bis Ende"),
    "fr": ("n’est valable que jusqu’à fin", "n’était valable que jusqu’à fin"),  # noqa: RUF001 - French
    "es": ("solo es válida hasta el final de", "solo era válida hasta el final de"),
    "pt": ("termina no fim de", "terminou no fim de"),
    "ja": ("月末です。", "月末で切れました。"),
}


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize(
    ("now", "late"),
    [
        ("2026-11-30T23:59:59+01:00", False),
        ("2026-12-01T00:00:00+01:00", True),
        # The month of the customer's calendar, not of UTC.
        ("2026-11-30T23:30:00+00:00", True),
        ("2027-01-01T00:00:00+01:00", True),
    ],
)
def test_a_card_that_has_expired_already_is_not_said_to_be_valid(locale: str, now: str, late: bool) -> None:
    """A mail that waited for the morning, or for an outage, has the words for the day it is written."""
    mail = rendered(card_expiring(), locale, datetime.fromisoformat(now))
    before, after = GOOD_NO_MORE[locale]
    for form in (mail.text, read(mail.html).text):
        assert (after if late else before) in form
        assert (before if late else after) not in form
