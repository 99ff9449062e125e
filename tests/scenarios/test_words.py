"""What the mails say: amounts, languages, dates, and nothing that will not come true."""

import re

import pytest

from sandbox.stripe import NEW, OLD, Card, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import plain, subscriber
from tests.scenarios.world import World

TO_THE_END = custom_schedule(3, 5, 4, at_end="past_due")
ONCE = custom_schedule(30, at_end="past_due")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("usd", 1999, "$19.99"),
        ("jpy", 1999, "¥1,999"),
        ("kwd", 19990, "KWD 19.990"),
        ("isk", 199900, "ISK 1,999"),
        ("sek", 19990, "SEK 199.90"),
        ("eur", 100000000, "€1,000,000.00"),
    ],
)
def test_class_31_amounts_are_written_as_the_currency_is(
    world: World, currency: str, amount: int, shown: str
) -> None:
    """Yen have no cents, dinars have three decimals, krona are sent with two and shown as usual."""
    story = subscriber(world, "insufficient_funds", "ok", currency=currency, amount=amount).until(3)

    assert f"could not collect {shown} for" in story.text(0)
    assert f"We received {shown} for" in story.text()


def test_a_german_customer_reads_german(world: World) -> None:
    """The first preferred language we have words for, with its own dates and amounts, in every mail."""
    story = subscriber(
        world, "insufficient_funds", preferred_locales=["eo", "de-AT"], retries=ONCE, currency="eur"
    ).until(16)
    assert story.pay(Card())

    assert len(story.inbox) == 7
    assert "16. Februar 2026" in story.inbox[3].subject
    assert "€ 19,00" in story.text(0)
    english = re.compile(r"\b(the|your|payment|access|please|and)\b", re.IGNORECASE)
    assert not any(english.search(plain(mail)) for mail in story.inbox)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_old_and_new_shape_give_the_same_steps(make_world: MakeWorld, version: str) -> None:
    """Events before and after API version 2025-03-31 make no difference to anybody."""
    story = subscriber(make_world(version=version), "insufficient_funds", retries=TO_THE_END).until(16)
    assert story.pay(Card())

    assert story.mails() == [
        (0, "payment_failed 1"),
        (3, "payment_failed 2"),
        (7, "payment_failed 3"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
        (16, "recovered"),
    ]
    assert story.calls() == [(8, "attempts")]
    assert [level for _, level, _ in story.access()] == ["full", "warned", "revoked", "full"]


def test_the_next_attempt_learned_later_improves_the_mail_and_sends_no_other(world: World) -> None:
    """With Stripe's automations the next attempt comes in a later event: told where it is known by then."""
    retries = custom_schedule(3, 5, 7, at_end="past_due", automations=True)
    story = subscriber(world, "insufficient_funds", retries=retries).until(4)

    assert story.mails() == [(0, "payment_failed 1"), (3, "payment_failed 2")]
    assert "by February 10, 2026, when we will try again" in story.text()


def test_we_never_announce_an_attempt_that_comes_too_late(world: World) -> None:
    """The next retry is on day 15, access ends on day 14: waiting for the retry would cost access."""
    retries = custom_schedule(3, 3, 9, at_end="past_due")
    story = subscriber(world, "insufficient_funds", retries=retries).until(8)

    assert story.mails()[-1] == (7, "payment_failed 3")
    assert "try again on" not in story.text()
    assert "when we will try again" not in story.text()
    assert "February 17" not in story.text()


def test_the_promised_end_never_moves_earlier(world: World) -> None:
    """Every date by which access ends, in the order it was promised, is the same or later."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END).until(14)

    promised = [
        match[1]
        for mail in story.inbox
        for match in re.finditer(r"(?:stays as it is until|Your access ends on) (\w+ \d+, \d+)", mail.text)
    ]
    assert set(promised) == {"February 16, 2026"}


def test_a_name_cannot_smuggle_a_link_or_a_header(world: World) -> None:
    """A customer called like a web page, with a line break: neither a link nor a header comes of it."""
    name = "Free money at evil.example.com\r\nBcc: everybody@customer.example"
    story = subscriber(world, "insufficient_funds", name=name).until(0)

    assert "evil.example.com" not in story.text()
    assert "Bcc" not in [header for header, _ in story.inbox[0].headers()]


def test_mails_of_a_case_form_a_thread(world: World) -> None:
    """Each mail answers the first one; Message-IDs are unique; holiday replies are switched off."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(14)

    ids = [mail.message["Message-ID"] for mail in story.inbox]
    assert len(set(ids)) == len(ids) == 6
    assert story.inbox[0].message["In-Reply-To"] is None
    for mail in story.inbox[1:]:
        assert mail.message["In-Reply-To"] == mail.message["References"] == ids[0]
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert mail.message["Reply-To"] == "support@merchant.example"


def test_no_subject_gives_a_reason_away(world: World) -> None:
    """A subject is read over a shoulder: no reason, no amount, no card stands in it."""
    for number, code in enumerate(("insufficient_funds", "expired_card", "incorrect_cvc")):
        email = f"customer{number}@customer.example"
        story = subscriber(world, code, email=email, retries=custom_schedule(30)).until(11, stops=(0,))
        assert len(story.inbox) == 2
        for mail in story.inbox:
            assert not re.search(r"fund|expired|cvc|declin|card|\$|\d{4}\b(?<!2026)", mail.subject)
