"""Mail cannot be delivered, Stripe cannot be asked: nobody is lost, and nothing is done twice."""

from datetime import timedelta

import pytest
import structlog

from sandbox.stripe import Card, Fault, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

TO_THE_END = custom_schedule(3, 5, 4, at_end="past_due")
ONCE = custom_schedule(30, at_end="past_due")
OUT_OF_ORDER = Fault(status=503, times=100_000)


def test_class_28_without_an_address_the_team_is_called_and_access_kept(world: World) -> None:
    """Nobody can be warned, so nobody is locked out: a person is called, once for each reason."""
    story = subscriber(world, "insufficient_funds", email=None, retries=ONCE)
    for day in (0, 11, 13, 14, 20):
        story.until(day)
        world.no_address_comes()

    assert story.calls() == [(0, "undeliverable"), (14, "unwarned")]
    assert story.level()[0] == "warned"
    assert "sent" not in [status for step, status in world.effects() if not step.startswith("escalation")]


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_mails_that_bounce_call_the_team_and_cost_no_access(world: World, where: str) -> None:
    """The customer's server refuses every mail for good: the team is called, access is kept at expiry."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    for day in (0, 3, 7, 11, 13, 14, 20):
        if day != 14:
            world.inbox.refuse(1, "550 5.1.1 <ada@customer.example> no such user", at=where)  # type: ignore[arg-type]  # one of the literals
        story.until(day, stops=())

    assert story.mails() == []
    assert story.calls() == [(0, "undeliverable"), (14, "unwarned")]
    assert story.level()[0] == "warned"


def test_an_address_corrected_in_time_is_warned_and_keeps_to_the_plan(world: World) -> None:
    """The first mail bounced; the customer then gives another address: warnings go there, and count."""
    world.inbox.refuse(1, "550 5.1.1 no such user", at="rcpt")
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(1)
    world.change_customer(story.customer, email="ada@new.example")
    story.email = "ada@new.example"
    story.until(14)

    assert story.mails() == [
        (3, "payment_failed 2"),
        (7, "payment_failed 3"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
    ]


def test_a_mail_server_that_is_down_for_hours_gets_each_mail_once(world: World) -> None:
    """Three hours without a mail server: then the mail arrives, with the date it was written at."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    with world.inbox.down():
        story.until(0)
        for _ in range(18):
            world.machine_time(timedelta(minutes=10))
    assert story.mails() == []
    world.machine_time(timedelta(hours=1))
    world.machine_time(timedelta(hours=1))

    assert story.mails() == [(0, "payment_failed 1")]
    assert world.effects() == [(f"payment_failed:{story.invoice.id}:1", "sent")]


def test_a_mail_delayed_until_the_next_one_is_due_is_replaced_by_it(world: World) -> None:
    """The first notice never left; when the second is due, only that one is sent."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END)
    with world.inbox.down():
        story.until(3)
    world.machine_time(timedelta(hours=1))

    assert story.mails() == [(3, "payment_failed 2")]
    assert story.withheld() == [("payment_failed 1", "suppressed")]


def test_a_mail_delayed_until_the_payment_is_not_sent(world: World) -> None:
    """Paid while the mail server was away: neither the failure nor a receipt is news any more."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END)
    with world.inbox.down():
        story.until(1)
    assert story.pay(Card())
    world.machine_time(timedelta(hours=1))

    assert story.mails() == []
    assert world.unfinished() == 0


def test_a_warning_delayed_by_the_mail_server_moves_the_end(world: World) -> None:
    """Accepted only on day 13, the first warning still gives its full 72 hours."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(10)
    with world.inbox.down():
        story.until(13)
    world.machine_time(timedelta(hours=1))
    story.until(20)

    assert [day for day, level, _ in story.access() if level == "revoked"] == [16]
    assert [what for _, what in story.mails()] == [
        "payment_failed 1",
        "payment_failed 2",
        "payment_failed 3",
        "final_warning 72h",
        "final_warning 24h",
        "access_ended",
    ]


def test_without_stripe_access_is_kept_and_taken_when_stripe_is_back(world: World) -> None:
    """At the deadline Stripe cannot be asked whether it is still unpaid: access stays until it can."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(13)
    world.stripe.faults.add(OUT_OF_ORDER)
    story.until(15)
    assert story.level()[0] == "warned"
    assert "access.kept" in [entry.kind for entry in story.journal()]

    world.stripe.faults.clear()
    world.tick()

    assert story.access()[-1] == (15, "revoked", "grace_expired")
    assert story.mails()[-1] == (15, "access_ended")


def test_who_paid_while_stripe_could_not_be_asked_keeps_access(world: World) -> None:
    """The payment's own event is late and Stripe was away: asked at last, Stripe says paid."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(13)
    world.stripe.faults.add(OUT_OF_ORDER)
    story.until(15)
    world.stripe.faults.clear()
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    delayed = world.hear()
    world.tick()

    assert delayed
    assert "revoked" not in [level for _, level, _ in story.access()]
    assert story.mails()[-1][1] == "recovered"


def test_an_event_waits_for_its_reason_and_is_told_once(world: World) -> None:
    """Stripe's API is away when the charge fails: the event waits, then one mail with the true reason."""
    story = subscriber(world, "expired_card", retries=ONCE)
    world.stripe.faults.add(OUT_OF_ORDER)
    story.until(0)
    assert story.mails() == []

    world.stripe.faults.clear()
    world.machine_time(timedelta(minutes=5))

    assert story.mails() == [(0, "payment_failed 1")]
    assert "has expired" in story.text()


def test_a_reason_nobody_can_tell_is_unknown_and_improves_the_next_mail(world: World) -> None:
    """Ten minutes without Stripe: told as "your bank declined", not told again when the reason is known."""
    story = subscriber(world, "expired_card", retries=custom_schedule(3, at_end="past_due"))
    world.stripe.faults.add(OUT_OF_ORDER)
    story.until(0)
    world.now += timedelta(minutes=11)
    for _ in range(6):
        world.machine_time(timedelta(minutes=5))
    assert story.mails() == [(0, "payment_failed 1")]
    assert "Your bank declined the charge" in story.text()
    assert "https://merchant.example/billing" in story.text()

    world.stripe.faults.clear()
    story.until(3)

    assert story.mails() == [(0, "payment_failed 1"), (3, "payment_failed 2")]
    assert "has expired" in story.text()


def test_no_log_line_tells_who_or_how_much(make_world: MakeWorld, caplog: pytest.LogCaptureFixture) -> None:
    """A story with every fault in it: no address, name, amount, link, card or secret in any log event."""
    world = make_world()
    with structlog.testing.capture_logs(processors=[structlog.processors.format_exc_info]) as events:
        world.inbox.refuse(2, "450 4.2.0 <ada@customer.example> come back later")
        story = subscriber(world, "insufficient_funds", name="Ada Example", amount=198765, retries=TO_THE_END)
        story.until(3)
        world.machine_time(timedelta(hours=1))
        world.inbox.refuse(1, "550 5.1.1 <ada@customer.example> no such user", at="rcpt")
        story.until(8)
        world.stripe.faults.add(OUT_OF_ORDER)
        story.until(11)
        world.stripe.faults.clear()
        story.until(16)
        story.pay(Card())

    said = repr(events) + caplog.text
    assert {"mail.sent", "mail.failed", "effect.postponed", "account.decided"} <= {e["event"] for e in events}
    for secret in (
        "customer.example", "Ada", "1987", "1,987", "4242", "hosted/invoice", world.stripe.api_key,
        "insufficient_funds", "merchant.example",
    ):  # fmt: skip
        assert secret not in said
    said_to_the_journal = repr(story.journal())
    assert "customer.example" not in said_to_the_journal
    assert "1987" not in said_to_the_journal
