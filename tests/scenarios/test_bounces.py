"""A mail that comes back, over real HTTP: to the billing contact, then to a person, and access is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from db import models
from sandbox.mail_service import SECRET, MailService
from sandbox.stripe import custom_schedule
from settings.urls import for_asyncpg
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.webhooks.process import ReceiverProcess
from webhooks.config import ReceiverConfig

# Stripe tries again when all of ours is over, and leaves the end of access to us.
LATER = custom_schedule(40, at_end="past_due")
ADA, BILLS = "ada+bounce@customer.example", "bills+bounce@customer.example"


@pytest.fixture
def receiver(world: World, redis_url: str) -> Iterator[ReceiverProcess]:
    """The real receiver on the world's database."""
    url = world.services.engine.url.render_as_string(hide_password=False)
    process = ReceiverProcess.serve(
        ReceiverConfig(
            database_dsn=for_asyncpg(url),
            queue_url=redis_url,
            secrets={"STRIPE_WEBHOOK_SECRETS": ("whsec_test",), "RESEND_WEBHOOK_SECRETS": (SECRET,)},
            livemode=False,
            host="127.0.0.1",
            port=0,
            log_format="json",
        )
    )
    yield process
    process.stop()


@pytest.fixture
def service(world: World, receiver: ReceiverProcess) -> MailService:
    """The mail service behind the world's inbox."""
    return MailService(world.inbox, f"http://127.0.0.1:{receiver.port}/webhooks/resend")


def heard(story: Story, service: MailService) -> None:
    """The service says what became of the mails since, until nothing new is sent for it."""
    while service.tell():
        story.world.machine_time(timedelta(seconds=11))


def test_a_bounce_leads_to_the_billing_contact_then_to_a_person(world: World, service: MailService) -> None:
    """Nobody has read a warning, so access stays until the address is mended; then it ends as promised."""
    story = subscriber(world, "do_not_honor", email=ADA, retries=LATER, metadata={"billing_email": BILLS})
    story.until(0)
    heard(story, service)
    assert [mail.recipients for mail in world.inbox.messages[:2]] == [(ADA,), (BILLS,)]
    assert story.calls() == [(0, "unreachable")]
    assert not world.unfinished()

    for day in (3, 7, 11, 14, 20):
        story.until(day)
        heard(story, service)
    assert len(world.inbox.to(ADA)) + len(world.inbox.to(BILLS)) == 2
    assert story.level()[0] in ("full", "warned")
    reasons = [row.reason for row in story.journal() if row.kind == "mail.bounced"]
    assert reasons == ["hard_bounce", "hard_bounce"]

    story.email = "ada@customer.example"
    world.change_customer(story.customer, email=story.email)
    heard(story, service)
    story.until(27)
    heard(story, service)
    assert story.mails() == [(20, "final_warning 72h"), (22, "final_warning 24h"), (23, "access_ended")]
    assert story.access()[1:] == [(0, "warned", "payment_failed"), (23, "revoked", "grace_expired")]
    assert story.calls() == [(0, "unreachable")]
    assert {row.kind for row in world.rows(models.mail_results)} == {"hard_bounce", "delivered"}
