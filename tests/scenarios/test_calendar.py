"""The policy that nobody had to write, walked day by day: who hears what when, and what becomes of access."""

from datetime import UTC, date, datetime, timedelta

import pytest

from dunning.defaults import default_book
from dunning.instructions import Verb
from dunning.policy import Policy
from dunning.requests import Request
from sandbox.stripe import Card, custom_schedule
from sandbox.stripe.cards import bank_debit
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

# Charged on days 0, 3, 8 and 12, where a decline may be charged again.
RETRIES = custom_schedule(3, 5, 4, at_end="past_due")

CARD_LADDER = [(0, "payment_failed 1"), (3, "payment_failed 2"), (7, "payment_failed 3")]
END = [(11, "final_warning 72h"), (13, "final_warning 24h"), (14, "access_ended")]
CHARGED_AGAIN = [(7, "unresolved"), (8, "attempts"), (11, "last_call")]
# Three working days after Monday, the seventh day, it is Thursday.
NEVER_AGAIN = [(3, "blocked"), (7, "unresolved"), (10, "reminder 1"), (11, "last_call")]

CALENDARS = {
    "insufficient_funds": (
        [(1, "payment_failed 1"), (4, "payment_failed 2"), (8, "payment_failed 3"), *END],
        CHARGED_AGAIN,
    ),
    "expired_card": ([*CARD_LADDER, *END], CHARGED_AGAIN),
    "authentication_required": ([*CARD_LADDER, *END], NEVER_AGAIN),
    "incorrect_cvc": ([*CARD_LADDER, *END], CHARGED_AGAIN),
    "card_not_supported": ([*CARD_LADDER, *END], CHARGED_AGAIN),
    "processing_error": (
        [(2, "payment_failed 1"), (4, "payment_failed 2"), (8, "payment_failed 3"), *END],
        CHARGED_AGAIN,
    ),
    "do_not_honor": ([*CARD_LADDER, *END], CHARGED_AGAIN),
    "stolen_card": ([*CARD_LADDER, *END], NEVER_AGAIN),
    "revocation_of_authorization": (
        [(0, "payment_failed 1"), *END],
        [(0, "consent_withdrawn"), *NEVER_AGAIN],
    ),
    "no_such_code_yet": ([*CARD_LADDER, *END], CHARGED_AGAIN),
}


@pytest.mark.parametrize("code", CALENDARS)
def test_the_calendar_of_a_decline(default_world: World, code: str) -> None:
    """Every mail and call on its day; access limited on day 10 and revoked on day 14, in working hours."""
    story = subscriber(default_world, code, retries=RETRIES).until(14)

    assert (story.mails(), story.calls()) == CALENDARS[code]
    assert_limited_and_revoked(story)


def assert_limited_and_revoked(story: Story) -> None:
    assert story.access()[1:] == [
        (0, "warned", "payment_failed"),
        (10, "limited", "payment_failed"),
        (14, "revoked", "grace_expired"),
    ]


def test_the_calendar_without_a_payment_method(default_world: World) -> None:
    """Nothing is charged, whatever Stripe counts; somebody is called on day 3."""
    story = subscriber(default_world, retries=RETRIES)
    default_world.stripe.engine.detach_card(story.card)
    story.until(14)

    assert (story.mails(), story.calls()) == ([*CARD_LADDER, *END], NEVER_AGAIN)
    assert_limited_and_revoked(story)


def test_the_calendar_of_a_bank_debit(default_world: World) -> None:
    """Told on days 0, 4 and 9: money that has to be transferred takes longer than a card."""
    account = bank_debit("ok", "insufficient_funds", country="GB", kind="bacs_debit")
    story = subscriber(default_world, card=account, retries=RETRIES).until(14)

    mails = [(0, "payment_failed 1"), (4, "payment_failed 2"), (9, "payment_failed 3"), *END]
    assert (story.mails(), story.calls()) == (mails, NEVER_AGAIN)
    assert_limited_and_revoked(story)


@pytest.mark.parametrize(("code", "name"), [("fraudulent", "fraud"), ("testmode_decline", "merchant_side")])
def test_the_calendar_of_what_the_customer_never_hears_of(default_world: World, code: str, name: str) -> None:
    """A person is called at once and again; no mail, and nobody loses anything by our clock."""
    story = subscriber(default_world, code, retries=RETRIES).until(16)

    assert story.mails() == []
    assert story.calls()[:2] == [(0, name), (3, "reminder 1")]
    assert {what for _, what in story.calls()} <= {name, "reminder 1", "unresolved", "attempts", "blocked"}
    assert story.access()[1:] == [(0, "warned", "payment_failed")]


def test_who_pays_while_limited_has_full_access_again(default_world: World) -> None:
    """What was limited on day 10 is given back with the payment, and the receipt says so."""
    story = subscriber(default_world, "expired_card", retries=RETRIES).until(10.5)
    assert story.level() == ("limited", "payment_failed")
    assert story.pay(Card())

    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1] == (10.5, "recovered")
    assert "Your access is back" in story.text()


def test_nights_and_weekends_are_left_alone(default_world: World) -> None:
    """Failed at night in New York: mails come after nine there, access goes on working days in UTC."""
    start = datetime(2026, 1, 6, 1, 30, tzinfo=UTC)
    story = subscriber(
        default_world, "do_not_honor", retries=RETRIES, start=start, metadata={"timezone": "America/New_York"}
    ).until(21)
    assert story.renewal == datetime(2026, 2, 6, 2, 30, tzinfo=UTC)

    sent = [mail.message["Date"].datetime for mail in story.inbox]
    nine = timedelta(hours=14)
    assert sent == [
        # The ladder's days 0, 3 and 7 at nine in the morning of New York.
        *(datetime(2026, 2, day, tzinfo=UTC) + nine for day in (6, 9, 13)),
        # Day 14 is a Friday: access ends on Monday at nine, UTC. The warnings come the evening before.
        datetime(2026, 2, 20, 0, 59, tzinfo=UTC),
        datetime(2026, 2, 22, 0, 59, tzinfo=UTC),
        datetime(2026, 2, 23, 9, tzinfo=UTC),
    ]
    changes = {row.data["to"]: row.at for row in story.journal() if row.kind == "access.changed"}
    # Day 10 is a Monday, but at half past two in the night.
    assert changes["limited"] == datetime(2026, 2, 16, 9, tzinfo=UTC)
    assert changes["revoked"] == datetime(2026, 2, 23, 9, tzinfo=UTC)


def test_a_charge_that_is_planned_soon_after_the_end_is_waited_for(default_world: World) -> None:
    """Stripe's last charge is on day 15: access is not taken the day before it."""
    retries = custom_schedule(3, 5, 7, at_end="past_due")
    story = subscriber(default_world, *["do_not_honor"] * 3, "ok", retries=retries).until(20)

    assert story.mails()[-2:] == [(13, "final_warning 24h"), (15, "recovered")]
    assert "revoked" not in [level for _, level, _ in story.access()]


def test_a_valuable_customer_loses_nothing_until_a_person_has_looked(default_world: World) -> None:
    """From 500 dollars on: called at the first failure, and access ends only after somebody has seen it."""
    story = subscriber(default_world, "do_not_honor", retries=RETRIES, amount=50_000).until(18)
    assert story.calls() == [
        (0, "high_value"), (3, "reminder 1"), (7, "unresolved"), (8, "attempts"), (11, "last_call"),
        (16, "reminder 2"),
    ]  # fmt: skip
    assert story.level() == ("limited", "payment_failed")

    seen = Request(Verb.ACKNOWLEDGE, by="Grace", why="called them", case=story.invoice.id)
    default_world.tell(story.customer, seen)
    story.until(21)

    assert story.level() == ("revoked", "grace_expired")
    assert story.mails()[-1][1] == "access_ended"


def test_an_annual_plan_is_announced_and_has_three_weeks(make_world: MakeWorld) -> None:
    """Told two weeks ahead that it renews; limited on day 17 and revoked on day 21, once a person knew."""
    world = make_world(policy=default_book(Policy()))
    story = subscriber(world, "do_not_honor", retries=RETRIES, interval="year", amount=19_000).until(8)
    assert story.mails()[0] == (-14.0, "renewal_notice 14d")
    assert story.calls()[0] == (0, "high_value")

    world.tell(story.customer, Request(Verb.ACKNOWLEDGE, by="Grace", why="known", case=story.invoice.id))
    story.until(20)
    world.tell(story.customer, Request(Verb.ACKNOWLEDGE, by="Grace", why="known", case=story.invoice.id))
    story.until(26)

    changes = [(day, level) for day, level, _ in story.access() if day > 0]
    assert [level for _, level in changes] == ["limited", "revoked"]
    assert [day >= least for (day, _), least in zip(changes, (17, 21), strict=True)] == [True, True]


def test_a_promise_moves_everything_behind_it(default_world: World) -> None:
    """Promised for day 9: no mail until the day after, then the team hears of the broken promise."""
    story = subscriber(default_world, "do_not_honor", retries=RETRIES).until(2)
    day = (story.renewal + timedelta(days=9)).date()
    assert day == date(2026, 2, 11)
    promise = Request(
        Verb.PROMISE, by="the customer", why="paid on the 10th", case=story.invoice.id, until=day
    )
    default_world.tell(story.customer, promise)
    story.until(20)

    between = [what for when, what in story.mails() if 2 < when < 10]
    assert between == []
    assert "promise_broken 2026-02-11" in [what for _, what in story.calls()]
    warned = {what: when for when, what in story.mails()}
    revoked = next(when for when, level, _ in story.access() if level == "revoked")
    assert revoked - warned["final_warning 72h"] >= 3


def test_a_first_payment_has_a_day_of_its_own(default_world: World) -> None:
    """Told after a quarter of an hour, four and eighteen hours; nothing was granted, nothing is taken."""
    card = Card(outcomes=("insufficient_funds",), country="GB")
    story = subscriber(default_world, card=card)
    story.renewal = story.now
    story.until(20)

    sent = [mail.message["Date"].datetime - story.renewal for mail in story.inbox]
    assert sent == [timedelta(minutes=15), timedelta(hours=4), timedelta(hours=18)]
    assert story.status == "incomplete_expired"
    assert {level for _, level, _ in story.access()} == {"revoked"}
    assert story.calls() == []


def test_a_first_payment_that_is_made_up_for_is_not_mentioned_again(default_world: World) -> None:
    """Paid after the second reminder: the third is not sent, and access begins."""
    card = Card(outcomes=("insufficient_funds",), country="GB")
    story = subscriber(default_world, card=card)
    story.renewal = story.now
    story.until(0.2)
    assert story.pay(Card())
    story.until(2)

    assert [what for _, what in story.mails()] == ["first_payment 1", "first_payment 2"]
    assert story.level() == ("full", "good_standing")


def test_a_card_that_expires_before_the_next_charge_is_told_once(default_world: World) -> None:
    """Two weeks ahead; with the new card the renewal is paid and nothing fails."""
    card = Card(exp=(1, 2026), outcomes=("ok",), country="GB")
    story = subscriber(default_world, card=card).until(-10)
    assert story.mails() == [(-14.0, "card_expiring 14d")]

    default_world.stripe.engine.save_card(story.customer, Card(country="GB"))
    default_world.settle()
    story.until(3)

    assert len(story.mails()) == 1
    assert story.level() == ("full", "good_standing")
