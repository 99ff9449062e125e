"""The stories themselves, the people in them, and how what was seen is compared with what must be."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sandbox.demo.cast import CUSTOMERS_PER_CLOCK, cast
from sandbox.demo.days import LAST_DAY, MORNING, at, day_of, month_before
from sandbox.demo.players import moment_on
from sandbox.demo.stories import STORIES
from sandbox.demo.story import Story
from sandbox.demo.verdict import Difference, differences
from sandbox.demo.witness import Level, Seen, Sent, in_days
from sandbox.stripe import BillingEngine

TOLD = Story(
    title="",
    name="Ann Example",
    email="ann@customer.example",
    mails="payment failed d0 d3, receipt d4",
    team="third failed charge d8",
    access="full, warned d0, full d4",
    says=("Please",),
    never_says=("stolen",),
)


AT_STRIPE = [story for story in STORIES if story.source == "stripe"]


def sent(day: int, what: str, text: str = "please pay") -> Sent:
    """A mail as the witness keeps it."""
    return Sent(day, what, "Subject", "0001.html", text)


SEEN = Seen(
    mails=(sent(0, "payment failed"), sent(3, "payment failed"), sent(4, "receipt")),
    team=(sent(8, "third failed charge"),),
    access=(Level(None, "full"), Level(0, "warned"), Level(4, "full")),
    chat=1,
    doubles=0,
)


def test_everybody_in_the_stories_is_plainly_invented() -> None:
    """No two are the same person, and no address could ever be somebody's."""
    assert len({story.email for story in STORIES}) == len({story.name for story in STORIES}) == len(STORIES)
    assert all(story.email.endswith(".example") for story in STORIES)


def test_the_stories_cover_what_the_demo_promises() -> None:
    """Each kind of ending and of decline that the demo is about is somebody's story."""
    assert len(STORIES) >= 12
    assert any(not story.mails and story.access == "full" for story in STORIES)
    assert {"jpy", "eur"} <= {story.purchase.currency for story in STORIES}
    assert any(story.locales == ("de-DE",) for story in STORIES)
    codes = {code for story in STORIES for code in story.outcomes}
    assert {"requires_action", "expired_card", "insufficient_funds", "stolen_card"} <= codes
    assert {story.retries.at_end for story in STORIES} >= {"cancel", "past_due"}


def test_everybody_is_on_a_test_clock_with_two_others_at_most() -> None:
    """Stripe allows three customers a clock; and all first payments go through but a newcomer's to come."""
    engine = BillingEngine()
    roles = cast(engine, AT_STRIPE)
    assert [role.story for role in roles] == AT_STRIPE
    clocks = [role.clock.record.id for role in roles]
    assert all(clocks.count(clock) <= CUSTOMERS_PER_CLOCK for clock in clocks)
    subscribed = [role.subscription for role in roles if role.subscription]
    assert {engine.refresh(subscription).status for subscription in subscribed} == {"active"}
    assert [role.story.newcomer for role in roles] == [role.subscription is None for role in roles]


def test_every_renewal_falls_on_its_day_and_none_comes_twice() -> None:
    """Subscriptions were made a month earlier; the next renewal lies behind the last day."""
    engine = BillingEngine()
    for role in cast(engine, AT_STRIPE):
        if role.subscription is None:
            continue
        subscription = engine.refresh(role.subscription)
        renewal = datetime.fromtimestamp(subscription.current_period_end, UTC)
        assert day_of(renewal) == role.story.renewal_day
        assert renewal < moment_on(role.clock, role.story.renewal_day, MORNING)
        following = renewal.replace(month=2, day=min(renewal.day, 28))
        assert following > at(LAST_DAY, MORNING)


def test_a_subscription_is_made_a_month_before_its_renewal() -> None:
    """December has as many days as January."""
    assert month_before(0) == datetime(2025, 12, 1, 8, tzinfo=UTC)
    assert month_before(16) == datetime(2025, 12, 17, 8, tzinfo=UTC)


def test_what_was_seen_is_put_as_the_stories_put_it() -> None:
    """Days are gathered behind the same word, and a first level has none."""
    assert in_days(SEEN.mails) == TOLD.mails
    assert in_days(SEEN.access) == TOLD.access
    assert in_days(()) == ""


def test_a_story_that_went_as_it_must_has_no_difference() -> None:
    """A control for the tests below."""
    assert differences(TOLD, SEEN) == []


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (replace(SEEN, mails=SEEN.mails[:2]), Difference("mails", TOLD.mails, "payment failed d0 d3")),
        (replace(SEEN, team=()), Difference("team", TOLD.team, "none")),
        (replace(SEEN, chat=0), Difference("chat", "1 message", "0 messages")),
        (replace(SEEN, access=SEEN.access[:2]), Difference("access", TOLD.access, "full, warned d0")),
        (replace(SEEN, doubles=1), Difference("mails that came twice", "0", "1")),
        (
            replace(SEEN, mails=(*SEEN.mails[:2], sent(4, "receipt", "Please: a Stolen card"))),
            Difference("words", 'never "stolen"', "said"),
        ),
    ],
)
def test_whatever_differs_is_named(seen: Seen, found: Difference) -> None:
    """What must be and what is stand side by side."""
    assert found in differences(TOLD, seen)


def test_a_word_that_must_be_said_is_missed() -> None:
    """The words are looked for in all mails together, in any case."""
    silent = replace(SEEN, mails=tuple(replace(mail, text="pay") for mail in SEEN.mails))
    assert differences(TOLD, silent) == [Difference("words", '"Please"', "missing")]
