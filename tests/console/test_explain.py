"""The story as a support person reads it."""

from collections.abc import Sequence
from datetime import timedelta

from console.cases import facts
from console.explain import explain
from console.file import case_file
from console.story import Explanation, Line, Story
from console.view import look
from db.accounts import Loaded
from dunning.declines import Category
from dunning.fold import empty
from dunning.takeover import take_over
from sandbox.stripe import custom_schedule
from tests.console.views import view_of
from tests.dunning.builders import CUSTOMER, POLICY, day, failures, subscription
from tests.scenarios import story as scenario
from tests.scenarios.story import subscriber
from tests.scenarios.world import World


def told(story: scenario.Story) -> Explanation:
    """The explanation of a scenario's customer."""
    return explain(view_of(story))


def only(explanation: Explanation) -> Story:
    """Its only story."""
    [story] = explanation.stories
    return story


def text(lines: Sequence[Line]) -> str:
    """All sentences."""
    return "\n".join(line.text for line in lines)


def test_a_customer_in_good_standing_needs_few_words(world: World) -> None:
    """Access and why, and no story."""
    explanation = told(subscriber(world))
    assert explanation.summary == "Full access: everything is paid. No renewal has ever failed."
    assert explanation.stories == ()


def test_an_open_case_tells_all_five_parts(world: World) -> None:
    """What happened, was done, was held back, comes next, and what would change it, each with its reason."""
    story = subscriber(world, "insufficient_funds", name="Ada Example").until(3)
    explanation = told(story)
    one = only(explanation)
    assert explanation.summary.startswith("Full access, with a warning")
    assert explanation.access.until
    assert "$19.00" in one.headline
    assert text(one.happened).count("there was not enough money (insufficient_funds)") == 2
    assert "Mail 1 about the open payment: accepted by the mail server. Why: mail 1 of the ladder" in text(
        one.done
    )
    assert "Access became: full access, with a warning" in text(one.done)
    assert "Access revoked: held back, because no final warning" in text(one.withheld)
    ends = ("Stripe", "Final", "Access", "Mail that")
    assert [line.text.partition(".")[0] for line in one.coming if line.text.startswith(ends)] == [
        "Stripe charges again",
        "Access limited",
        "Final warning, 72 h before the end",
        "Final warning, 24 h before the end",
        "Access revoked",
        "Mail that access has ended",
        "Access ends only 72 hours after a final warning has been accepted",
    ]
    assert "A payment of the invoice closes the case: full access. Then: Receipt" in text(one.changes)
    assert "A cancellation at the end of the period" in text(one.changes)


def test_times_are_in_order(world: World) -> None:
    """Each part reads from top to bottom; what has no time comes last."""
    one = only(told(subscriber(world, "do_not_honor").until(15)))
    for part in (one.happened, one.done, one.coming):
        times = [line.at for line in part if line.at]
        assert times == sorted(times)
        assert [line.at is None for line in part] == sorted(line.at is None for line in part)


def test_a_stolen_card_is_named_with_a_warning(world: World) -> None:
    """The team may know, the customer must not be told; and counted attempts are not charges."""
    one = only(told(subscriber(world, "stolen_card").until(8)))
    assert "stolen_card" in text(one.happened)
    assert "never tell the customer" in one.headline
    assert "Attempts as Stripe counts them: 3; really made: 1." in text(one.happened)
    assert "will not make on this card" in text(one.coming)
    assert "only another payment method" in text(one.changes)


def test_a_recovered_case_has_an_end_and_no_outlook(world: World) -> None:
    """Paid on a retry: the receipt is told, and nothing would change it any more."""
    one = only(told(subscriber(world, "insufficient_funds", "ok").until(4)))
    assert one.headline == "$19.00, closed: it was paid."
    assert "Receipt for the late payment: accepted" in text(one.done)
    assert "Access became: full access. Why: everything is paid." in text(one.done)
    assert (one.coming, one.changes) == ((), ())


def test_revoked_access_says_how_to_come_back(world: World) -> None:
    """What was taken and why, and that a payment gives it back."""
    one = only(told(subscriber(world, "do_not_honor", retries=custom_schedule(25)).until(16)))
    assert "Access was taken. Why: grace ended without a payment." in text(one.done)
    assert "A payment of the invoice closes the case: full access" in text(one.changes)
    assert "Voiding the invoice closes the case: no access" in text(one.changes)


def test_what_was_left_unsaid_is_told_with_its_reason(world: World) -> None:
    """A fault that passed before anybody was told of it: no mail, and no receipt either."""
    story = subscriber(world, "processing_error", "ok").until(1)
    assert story.pay()
    one = only(told(story))
    assert one.done[0].text.startswith("Access became")
    assert "the customer was never told of the failure" in text(one.withheld)


def test_the_facts_of_a_case(world: World) -> None:
    """Attempts really made, category, deadline and next step, as lists show them."""
    story = subscriber(world, "stolen_card").until(8)
    view = view_of(story)
    [case] = view.account.cases.values()
    about = facts(view, case)
    assert (about.attempts, about.attempts_counted) == (1, 3)
    assert (about.category, about.decline_code) == (Category.MASKED, "stolen_card")
    assert (about.amount, about.currency) == (1900, "usd")
    assert not about.retried_by_provider
    assert about.access_until == case.grace_ends_at
    assert about.next
    assert about.next.step == f"escalation:{case.invoice}:reminder:1"


def test_the_file_of_a_case_holds_every_message_and_moment(world: World) -> None:
    """The ledger, the timeline from the journal, and each message with its recipient and outcome."""
    story = subscriber(world, "insufficient_funds").until(9)
    view = view_of(story)
    [case] = view.account.cases.values()
    file = case_file(view, case)
    assert len(file.ledger) == 3
    assert {(one.recipient, one.status) for one in file.messages if one.title.startswith("Mail")} == {
        (story.email, "sent")
    }
    assert any(one.title.startswith("Call to the team") for one in file.messages)
    kinds = [moment.kind for moment in file.timeline]
    assert kinds[0] == "case.opened"
    assert {"event.applied", "mail.decided", "mail.sent", "access.changed", "team.called"} <= set(kinds)


def test_an_upcoming_renewal_is_told_without_any_case(world: World) -> None:
    """An annual plan renews: what will be written, when, and before which charge."""
    story = subscriber(world, interval="year")
    explanation = told(story)
    assert explanation.stories == ()
    charged, notice = explanation.upcoming[::-1]
    assert charged.text.startswith("Stripe charges ")
    assert notice.text == (
        "Mail that the plan renews, 14 days before the renewal. Why: an annual plan renews soon."
    )
    assert charged.at
    assert notice.at
    assert charged.at - timedelta(days=15) < notice.at < charged.at


def test_a_card_near_its_ceiling_is_told(world: World) -> None:
    """From half of what the networks let pass on, and not before."""
    story = subscriber(world, *["insufficient_funds"] * 9).until(3)
    assert "that may fail" not in text(only(told(story)).happened)
    for _ in range(3):
        assert not story.pay()
    assert "of 8 charges that may fail in 14 days." in text(only(told(story)).happened)


def test_a_case_that_was_taken_over_says_so() -> None:
    """When the customer first hears of us, or why nobody does."""
    nobody = empty("stripe", CUSTOMER)
    running = take_over(nobody, failures(0, 3, 7), POLICY, day(9))
    story = only(explain(look(Loaded(1, running), POLICY, day(9))))
    assert "It was taken over: the customer first hears of us on 2026-03-1" in text(story.happened)
    assert "Mail 3 about the open payment. Why: mail 3 of the ladder, on the customer's turn" in text(
        story.coming
    )
    over = take_over(nobody, [*failures(0), subscription(5, "unpaid")], POLICY, day(9))
    story = only(explain(look(Loaded(1, over), POLICY, day(9))))
    assert "Stripe had ended it before: nobody is told of that again." in text(story.happened)
    assert story.coming == ()
