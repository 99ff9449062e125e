"""Each kind of decline: the right words at the right time, and a person where mails cannot help."""

import re

import pytest

from sandbox.stripe import Card, custom_schedule
from tests.emails.reading import read
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

RETRIES = custom_schedule(3, 5, 7, at_end="past_due")
ONCE = custom_schedule(30, at_end="past_due")


def failed(world: World, *outcomes: str) -> Story:
    """A subscriber whose renewal has just failed."""
    return subscriber(world, *outcomes, retries=RETRIES).until(0)


@pytest.mark.parametrize(
    ("code", "headline", "what", "action"),
    [
        ("insufficient_funds", "did not go through", "not enough money available", "Pay $19.00"),
        ("expired_card", "Your card has expired", "has expired", "Update card details"),
        ("incorrect_cvc", "check your card details", "did not accept the details", "Update card details"),
        ("card_not_supported", "use another card", "does not allow this kind of payment", "Use another card"),
        ("do_not_honor", "did not go through", "declined the payment without giving a reason", "Pay $19.00"),
        ("no_such_code_yet", "did not go through", "Your bank declined the charge", "Pay $19.00"),
    ],
)
def test_a_decline_is_told_in_its_own_words(
    world: World, code: str, headline: str, what: str, action: str
) -> None:
    """Given a decline with this code, one mail at once says what happened and what helps, with the link."""
    story = failed(world, code)

    assert story.mails() == [(0, "payment_failed 1")]
    text = story.text(0)
    assert headline in text
    assert what in text
    assert f"{action}:\n{story.invoice.hosted_url}" in text
    assert "access stays as it is until February 16, 2026" in text
    assert story.calls() == []
    assert story.level() == ("warned", "payment_failed")
    assert story.until_when() == 14


@pytest.mark.parametrize("code", ["authentication_required", "requires_action"])
def test_class_04_a_payment_that_waits_for_the_bank_gives_one_mail(world: World, code: str) -> None:
    """Whether the bank refused or asks first, both events together give one mail that leads to the bank."""
    story = failed(world, code)

    assert story.mails() == [(0, "payment_failed 1")]
    text = story.text(0)
    assert "Please confirm your payment" in text
    assert f"Confirm payment:\n{story.invoice.hosted_url}" in text
    assert "try again" not in text
    assert story.pay(confirm=True)
    assert story.mails()[1:] == [(0, "recovered")]
    assert story.level() == ("full", "good_standing")


def test_a_processing_error_is_told_only_if_it_lasts(world: World) -> None:
    """A processing error stays silent for two days, since the retry usually works; then it is told."""
    story = failed(world, "processing_error")
    assert story.mails() == []

    story.until(1)
    assert story.mails() == []

    story.until(2)
    assert story.mails() == [(2, "payment_failed 1")]
    assert "A technical problem got in the way" in story.text(0)
    assert "we will try again on February 5, 2026" in story.text(0)


def test_a_processing_error_that_passes_is_never_mentioned(world: World) -> None:
    """When the retry works within the silence, the customer hears nothing, not even a receipt."""
    story = subscriber(world, "processing_error", "ok", retries=custom_schedule(1)).until(5)

    assert story.mails() == []
    assert story.calls() == []
    assert story.level() == ("full", "good_standing")


def test_without_a_payment_method_one_is_asked_for(world: World) -> None:
    """A customer whose card was taken away is asked for a new one; no bank declined anything."""
    story = subscriber(world, retries=RETRIES)
    world.stripe.engine.detach_card(story.card)
    story.until(0)

    assert story.mails() == [(0, "payment_failed 1")]
    text = story.text(0)
    assert "Please add a payment method" in text
    assert "There is no payment method in your account" in text
    assert "bank" not in text.lower()
    assert "try again" not in text
    assert len(story.charges) == 1


MASKED = ["stolen_card", "lost_card", "pickup_card", "highest_risk_level", "restricted_card"]
GIVEAWAYS = re.compile(
    r"stolen|lost|fraud|risk|pick.?up|restrict|block|suspicious|security|report|police|masked", re.IGNORECASE
)


@pytest.mark.parametrize("code", MASKED)
def test_a_masked_reason_is_nowhere_in_the_mail(world: World, code: str) -> None:
    """Nothing of stolen, lost, fraud or risk is in any header, the text or the HTML of any mail."""
    story = subscriber(world, code, retries=ONCE).until(15)

    assert {what.split()[0] for _, what in story.mails()} == {
        "payment_failed", "final_warning", "access_ended"
    }  # fmt: skip
    for mail in story.inbox:
        headers = " ".join(value for _, value in mail.headers())
        for part in (headers, mail.text, read(mail.html).text):
            assert not GIVEAWAYS.search(part)
    assert "The payment was declined." in story.text(0)
    assert "Use another payment method" in story.text(0)


def test_withdrawn_consent_is_one_mail_and_a_person(world: World) -> None:
    """Who told the bank to stop the payment gets one mail that offers to cancel, and a person looks."""
    story = failed(world, "revocation_of_authorization").until(8)

    assert story.mails() == [(0, "payment_failed 1")]
    assert story.calls() == [(0, "consent_withdrawn")]
    assert "Would you like to continue?" in story.text(0)
    assert "If you would like to cancel, simply reply" in story.text(0)
    assert "try again" not in story.text(0)


@pytest.mark.parametrize("code", ["fraudulent", "merchant_blacklist"])
def test_what_may_be_fraud_is_for_a_person_to_decide(world: World, code: str) -> None:
    """The customer hears nothing and keeps access until somebody has looked; the team is called at once."""
    story = failed(world, code).until(20)

    assert story.mails() == []
    assert (0, "fraud") in story.calls()
    assert story.level() == ("warned", "payment_failed")
    assert story.until_when() is None


@pytest.mark.parametrize("code", ["testmode_decline", "duplicate_transaction"])
def test_a_fault_on_our_side_is_told_to_the_team_alone(world: World, code: str) -> None:
    """The customer hears nothing and keeps access, however often it fails; the team is called."""
    story = failed(world, code).until(20)

    assert story.mails() == []
    assert (0, "merchant_side") in story.calls()
    assert story.level()[0] == "warned"


def test_a_person_who_hears_of_a_fault_on_our_side_is_not_told_that_access_ends(world: World) -> None:
    """The team's mail names no end of access where none is planned."""
    failed(world, "testmode_decline")

    [mail] = world.inbox.to("success@merchant.example")
    assert "Access until" not in mail.text
    assert "Nothing is planned." in mail.text


def test_the_card_in_the_mail_is_the_one_that_was_charged(world: World) -> None:
    """The mail names the card by brand and last digits, as the customer knows it."""
    card = Card("amex", "0005", outcomes=("ok", "expired_card"))
    story = subscriber(world, card=card, retries=RETRIES).until(0)

    assert "American Express •••• 0005" in story.text(0)
