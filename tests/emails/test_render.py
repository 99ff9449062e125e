"""What the mails say, and what they must never say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.declines import Category
from dunning.money import Money
from emails.brand import Brand
from emails.catalogue import Mail
from emails.render import RenderedMail, render
from emails.samples import (
    BRAND,
    NOW,
    access_ended,
    final_warning,
    payment_failed,
    payment_recovered,
    samples,
    team_escalation,
)
from emails.translations import languages
from tests.emails.reading import read

SAMPLES = dict(samples())
BERLIN = ZoneInfo("Europe/Berlin")


def rendered(props: Mail, locale: str = "en", brand: Brand = BRAND) -> RenderedMail:
    return render(props, brand=brand, locale=locale, timezone=BERLIN, now=NOW)


@pytest.mark.parametrize("locale", languages())
def test_every_mail_reads_well_in_both_forms(locale: str) -> None:
    """Text and HTML say the same, nothing is left unfilled, and every tag is closed."""
    for name, props in SAMPLES.items():
        mail = rendered(props, locale)
        page = read(mail.html)
        assert page.unclosed == [], name
        assert len(page.headings) == 1, name
        for trace in ("{{", "{%", "%(", "None", "Undefined", "  .", " ,", "..", "&amp;", "&lt;"):
            assert trace not in mail.text, name
            assert trace not in page.text, name
        flat = " ".join(mail.text.split())
        # The preheader is for inboxes that show the HTML; text has its first line instead.
        shown = [" ".join(words.removeprefix("•").split()) for words in page.words[1:]]
        assert [words for words in shown if words not in flat] == [], name
        assert "\n" not in mail.subject, name
        assert mail.subject == mail.subject.strip() != "", name


@pytest.mark.parametrize("name", SAMPLES)
def test_there_is_one_clear_button_at_most(name: str) -> None:
    """One thing to do: the only other link leads to the merchant's own site."""
    if name == "team_escalation":
        return
    links = [link for link in read(rendered(SAMPLES[name]).html).links if link[1] != BRAND.website]
    assert len(links) <= 1


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.MERCHANT_SIDE}))
def test_the_amount_the_deadline_and_the_way_to_pay_are_in_every_mail(category: Category) -> None:
    """What happened, what to do and until when, in text and in HTML."""
    props = payment_failed(category)
    mail = rendered(props)
    for form in (mail.text, mail.html):
        assert "€19.99" in form
        assert "November 19, 2026" in form
        assert str(props.pay_url) in form


def test_our_own_mistake_asks_nobody_to_pay() -> None:
    """A duplicate must not be paid twice because of our mail."""
    props = payment_failed(Category.MERCHANT_SIDE)
    assert props.pay_url
    assert props.pay_url not in rendered(props).html


@pytest.mark.parametrize(
    ("attempt", "charged_again", "opening"),
    [
        (0, False, "A payment of €19.99 for your Northwind subscription is open."),
        (1, False, "We could not collect €19.99 for your Northwind subscription."),
        (2, False, "The payment of €19.99 for your Northwind subscription is still open."),
        (2, True, "We tried again and could not collect €19.99 for your Northwind subscription."),
    ],
)
def test_we_tried_again_is_only_said_when_it_is_true(attempt: int, charged_again: bool, opening: str) -> None:
    """A retry that never reached the bank is not mentioned."""
    text = rendered(payment_failed(Category.UNKNOWN, attempt=attempt, charged_again=charged_again)).text
    assert opening in text
    assert ("tried again" in text) is charged_again


@pytest.mark.parametrize(
    "category",
    [Category.AUTHENTICATION_REQUIRED, Category.NO_PAYMENT_METHOD, Category.CONSENT_WITHDRAWN],
)
def test_no_attempt_is_promised_that_will_not_be_made(category: Category) -> None:
    """Without the customer nothing is charged, whatever the provider's schedule says."""
    props = replace(payment_failed(category), next_attempt_at=datetime(2026, 11, 17, tzinfo=UTC))
    assert "try again" not in rendered(props).text


@pytest.mark.parametrize("category", list(Category))
def test_an_attempt_that_will_be_made_is_announced_once(category: Category) -> None:
    """Its date stands in the mail exactly once, or not at all."""
    assert rendered(payment_failed(category)).text.count("November 17, 2026") <= 1
    assert "November 17, 2026" in rendered(payment_failed(Category.EXPIRED_CARD)).text


def test_what_has_passed_is_not_announced() -> None:
    """A mail that was late says neither "we will try again" nor "your access stays" of a day gone by."""
    past = NOW - timedelta(hours=1)
    props = replace(payment_failed(Category.EXPIRED_CARD), next_attempt_at=past, access_until=past)
    text = rendered(props).text
    assert "try again" not in text
    assert "Your access" not in text


@pytest.mark.parametrize(
    ("category", "label"),
    [
        (Category.AUTHENTICATION_REQUIRED, "Confirm payment"),
        (Category.EXPIRED_CARD, "Update card details"),
        (Category.INSUFFICIENT_FUNDS, "Pay €19.99"),
        (Category.NO_PAYMENT_METHOD, "Add payment method"),
        (Category.MASKED, "Use another payment method"),
        (Category.CONSENT_WITHDRAWN, "Continue my subscription"),
    ],
)
def test_the_button_says_what_will_help(category: Category, label: str) -> None:
    """The label is the next step, not "click here"."""
    props = payment_failed(category)
    assert (label, props.pay_url) in read(rendered(props).html).links


def test_withdrawn_consent_offers_to_cancel() -> None:
    """It may be a wish to leave: the mail offers help with that first."""
    assert "If you would like to cancel" in rendered(payment_failed(Category.CONSENT_WITHDRAWN)).text


def test_bank_debits_are_not_spoken_of_as_cards() -> None:
    """Somebody who pays from a bank account has no card to update."""
    assert "card" not in rendered(payment_failed(Category.BANK_DEBIT_FAILED)).text.lower()


@pytest.mark.parametrize(
    ("hours_left", "consequence", "subject"),
    [
        (72, "revoked", "Your access to Northwind ends on November 19, 2026"),
        (24, "revoked", "Reminder: your access to Northwind ends on November 17, 2026"),
        (72, "limited", "Your access to Northwind will be limited from November 19, 2026"),
        (24, "limited", "Reminder: your access to Northwind will be limited from November 17, 2026"),
    ],
)
def test_a_warning_names_the_moment_access_changes(hours_left: int, consequence: str, subject: str) -> None:
    """Day in the subject, time and zone in the body, and how far away that is."""
    props = final_warning(Category.UNKNOWN, hours_left=hours_left)
    props = replace(props, consequence="limited" if consequence == "limited" else "revoked")
    mail = rendered(props)
    assert mail.subject == subject
    assert "2:00\N{NO-BREAK SPACE}PM GMT+01:00" in mail.text
    assert ("about 3 days" if hours_left == 72 else "about one day") in mail.text


def test_the_end_of_access_keeps_the_data_and_shows_the_way_back() -> None:
    """Each reason has its own way back; after a cancellation nothing is asked for."""
    assert "Your full access returns" in rendered(access_ended("subscription_unpaid")).text
    assert "Your subscription then resumes" in rendered(access_ended("subscription_paused")).text
    canceled = rendered(access_ended("subscription_canceled")).text
    assert "start your subscription again" in canceled
    assert "€" not in canceled
    assert "nothing has been deleted" in canceled


def test_the_receipt_says_whether_access_came_back() -> None:
    """Only somebody who had lost access reads that it is back."""
    assert "Your access is back" in rendered(payment_recovered(access_restored=True)).text
    assert "Your access is back" not in rendered(payment_recovered(access_restored=False)).text


def test_the_team_is_told_the_true_reason_in_english() -> None:
    """The one mail that names the code, whatever language the customer speaks."""
    mail = rendered(team_escalation(), "de")
    assert "masked (stolen_card)" in mail.text
    assert "keep this reason to yourselves" in mail.text
    assert "What comes next" in mail.text


def test_the_team_keeps_fraud_to_itself_as_well() -> None:
    """The same warning, above all where the word itself stands in the mail."""
    fraud = replace(team_escalation(), category=Category.FRAUD, decline_code="fraudulent")
    text = rendered(fraud).text
    assert "fraud (fraudulent)" in text
    assert "keep this reason to yourselves" in text


def test_a_hostile_name_is_only_a_name() -> None:
    """Neither markup, nor a link, nor a second header, nor backwards text gets into a mail."""
    name = "Maria\r\nBcc: x@evil.example\u202e<b onload=x> https://evil.example/pay"
    mail = rendered(replace(payment_failed(Category.UNKNOWN), customer_name=name, plan=name))
    assert "<b onload" not in mail.html
    assert "&lt;b onload=x&gt;" in mail.html
    assert "evil.example" not in mail.html + mail.text
    assert "\u202e" not in mail.html + mail.text
    assert "Hello Maria Bcc: x@evil. example<b onload=x> evil. example/pay," in mail.text


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://", "ftp://x.example/", "https://x.example/\nBcc:"]
)
def test_a_link_that_is_not_one_is_refused(url: str) -> None:
    """Better no mail than a link that does something else."""
    with pytest.raises(ValueError, match="http"):
        rendered(replace(payment_failed(Category.UNKNOWN), pay_url=url))


def test_amounts_and_dates_follow_the_readers_region() -> None:
    """Austrian German, yen without decimals, and the day where the reader lives."""
    props = replace(payment_failed(Category.UNKNOWN), amount=Money(123456, "jpy"))
    text = rendered(props, "de-AT").text
    assert "123.456" in text.replace("\N{NO-BREAK SPACE}", ".")
    assert "Guten Tag Maria Muster," in text


def test_the_logo_stands_for_the_name_when_images_are_off() -> None:
    """The alternative text is the merchant's name."""
    brand = replace(BRAND, logo_url="https://northwind.example/logo.png")
    page = read(rendered(payment_failed(Category.UNKNOWN), brand=brand).html)
    assert [image["alt"] for image in page.images] == ["Northwind"]


def test_a_brand_needs_only_a_name_and_an_address_for_questions() -> None:
    """No website, no postal address, no logo: the mail does without."""
    mail = rendered(
        payment_failed(Category.UNKNOWN), brand=Brand("Northwind", "help@northwind.example", None)
    )
    assert mail.text.endswith("\n\nNorthwind\n")
    assert len(read(mail.html).links) == 1
    assert "None" not in mail.html


def test_rendering_twice_gives_the_same_mail() -> None:
    """Nothing in a mail depends on when or how often it is rendered."""
    assert rendered(SAMPLES["final_warning-24h"]) == rendered(SAMPLES["final_warning-24h"])


@pytest.mark.parametrize("locale", languages())
def test_an_amount_that_nobody_has_told_is_not_named(locale: str) -> None:
    """Some billing systems say that something is owed, and not how much."""
    unknown = Money(1, "xxx")
    mails: list[Mail] = [
        replace(payment_failed(Category.INSUFFICIENT_FUNDS), amount=unknown, others=(), other_open=0),
        replace(final_warning(Category.INSUFFICIENT_FUNDS), amount=unknown, others=(), other_open=0),
        replace(access_ended("grace_expired"), amount=unknown, other_open=0),
        replace(payment_recovered(access_restored=True), amount=unknown),
        replace(team_escalation(), amount=unknown),
    ]
    for props in mails:
        mail = rendered(props, locale)
        assert not any(
            trace in mail.subject + mail.text for trace in ("XXX", "¤", "None", "0.01", "0,01", "—")
        )
