"""A customer with a rich story is forgotten through the real command: the person goes, the money stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db import endpoints, links, models
from dunning.instructions import THE_CUSTOMER, Verb
from dunning.requests import Request
from outbound.signing import new_secret
from sandbox.inbox import Inbox
from sandbox.stripe import Card, custom_schedule
from tests.cli.forking import dunning
from tests.cli.test_lookups import Ask
from tests.console.team_api import team_api
from tests.console.worlds import world_on
from tests.portal.conftest import PAGES
from tests.remains import remains
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import SENDER, World
from tests.worker.breaking import commit
from tests.worker.test_mail_results import about, hear

# It is in everything that says who she is, and in nothing else.
MARK = "xylograph"
ADA, BILLS, PAYER = (f"{name}@{MARK}.example" for name in ("ada", "bills", "payer"))
METADATA = {"billing_email": BILLS, "phone": f"+49 30 {MARK}"}
FRESH = Card(last4="1111")
LATER = custom_schedule(40, at_end="past_due")


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose mails lead to pages of our own."""
    with world_on(database_url, inbox) as world:
        world.courier = replace(world.courier, sender=replace(SENDER, pages=PAGES))
        yield world


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning` on the test's database."""
    return lambda *arguments: dunning(
        *arguments, cwd=tmp_path, DATABASE_URL=database_url, DUNNING_LIVEMODE="false"
    )


def ada(world: World) -> Story:
    """She owes, was mailed, and nothing else has happened yet."""
    who = {"email": ADA, "name": f"Ada {MARK.title()}", "metadata": METADATA, "country": "GB"}
    return subscriber(world, "do_not_honor", retries=LATER, **who).until(3.5)


def told(world: World, story: Story, database_url: str) -> None:
    """Everything by which a person can get into the tables."""
    case, who = story.invoice.id, f"Ada {MARK.title()}"
    commit(world, lambda connection: endpoints.add(connection, "http://127.0.0.1:9/", new_secret()))
    step = next(row.step for row in world.rows(models.outbox) if row.kind == "mail")
    bounce = {"type": "Transient", "subType": "MailboxFull", "message": f"<{ADA}> is full"}
    assert hear(world, about(step, bounce=bounce, to=[ADA])) == ["done"]
    named = Request(Verb.NAME_PAYER, THE_CUSTOMER, "on the page", case=case, to=PAYER)
    world.tell(story.customer, named)
    world.tell(story.customer, replace(named, verb=Verb.CONFIRM_PAYER))
    note = Request(Verb.EXTEND, "maria", f"{who} called", case=case, span=timedelta(days=2))
    world.tell(story.customer, note)
    with team_api(database_url, lambda: world.now) as team:
        said = {"reason": f"{who} wrote from {ADA}", "by": "maria"}
        for action in ("resend", "stop"):
            assert team.act(case, action, **said).status_code == 200
    world.tick()
    digest = next(row.digest for row in world.rows(models.links) if row.made_by != "banner")
    commit(world, lambda connection: links.speak(connection, digest, "en"))
    _row(world, "dead", f'{{"customer": "{story.customer.id}", "email": "{ADA.upper()}"}}')
    _row(world, "done", f'{{"to": "{PAYER}"}}', source="resend")
    commit(
        world,
        lambda connection: connection.execute(
            text("UPDATE outbox SET last_error = 'refused with 550: ' || recipient WHERE kind = 'mail'")
        ),
    )


def _row(world: World, status: str, payload: str, source: str = "stripe") -> None:
    row = {
        "source": source,
        "event_id": f"{source}_{status}",
        "type": "x",
        "livemode": False,
        "status": status,
        "payload": payload.encode(),
        "last_error": f"could not read {MARK}",
    }
    commit(world, lambda connection: connection.execute(models.inbox.insert().values(row)))


def left(world: World) -> set[str]:
    return commit(world, lambda connection: remains(connection, MARK))


def of_money(ask: Ask) -> Any:
    """The report of everything, without when it was made."""
    done = ask("report", "--json", "--test-clocks")
    assert done.returncode == 0, done.stderr
    return {name: part for name, part in json.loads(done.stdout).items() if name not in ("now", "made_at")}


def paid_at(world: World, invoice: str) -> Any:
    return next(row.paid_at for row in world.rows(models.invoices) if row.ref == invoice)


EVERYWHERE = {
    "api_requests.answer",
    "customers.email",
    "customers.metadata",
    "customers.name",
    "inbox.last_error",
    "inbox.payload",
    "instructions.to",
    "instructions.why",
    "journal.data",
    "journal.reason",
    "mail_results.details",
    "outbox.last_error",
    "outbox.reason",
    "outbox.recipient",
    "outbox.rendered",
}


def test_the_person_goes_and_the_money_stays(world: World, ask: Ask, database_url: str) -> None:
    """A rich story: nothing in any column says who she was; reports are the same, and nothing is mailed."""
    story = ada(world)
    told(world, story, database_url)
    assert left(world) >= EVERYWHERE
    assert story.pay(FRESH)
    world.tick()
    cus, before, access = story.customer.id, of_money(ask), story.level()
    shown = ask("forget", ADA)
    assert shown.returncode == 0, shown.stderr
    assert "Nothing was changed" in shown.stdout
    assert left(world) >= EVERYWHERE
    done = ask("forget", ADA, "--yes", "--json", "--by", "maria")
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert counted["known"] == ["email", "name", "country", "metadata", "card"]
    assert all(counted["erased"][name] > 0 for name in counted["erased"].keys() - {"waiting"})
    assert left(world) == set()
    assert world.rows(models.links) == []
    assert (of_money(ask), story.level()) == (before, access)
    for command in ("explain", "access", "case show"):
        asked = story.invoice.id if command == "case show" else cus
        again = ask(*command.split(), asked)
        assert again.returncode == 0, again.stderr
        assert MARK not in again.stdout.lower()
    [entry] = [row for row in story.journal() if row.kind == "instruction.forget"]
    assert entry.data == {"by": "maria"}
    again = ask("forget", cus, "--yes", "--json")
    assert json.loads(again.stdout)["already"]
    assert [row.verb for row in world.rows(models.instructions)].count("forget") == 1


def test_no_later_word_brings_them_back_until_it_is_lifted(world: World, ask: Ask) -> None:
    """Stripe names her again, her next renewal fails: it counts, without a name, and nobody is written to."""
    story = ada(world)
    assert story.pay(FRESH)
    step = next(row.step for row in world.rows(models.outbox) if row.kind == "mail")
    assert ask("forget", story.customer.id, "--yes").returncode == 0
    bounce = {"type": "Transient", "subType": "MailboxFull", "message": f"<{ADA}> is full"}
    assert hear(world, about(step, bounce=bounce, to=[ADA])) == ["done"]
    assert world.rows(models.mail_results)
    mails = len(world.inbox.messages)
    world.change_customer(story.customer, name=f"Ada {MARK.title()} again", email=ADA)
    assert left(world) == set()
    story.until(45)
    assert left(world) == set()
    assert len(world.inbox.messages) == mails
    lifted = ask("forget", story.customer.id, "--lift", "--yes")
    assert lifted.returncode == 0, lifted.stderr
    world.change_customer(story.customer, name=f"Ada {MARK.title()} herself")
    assert {"customers.email", "customers.name"} <= left(world)


def test_whoever_owes_is_forgotten_only_on_purpose(world: World, ask: Ask) -> None:
    """Then nothing is asked of them any more; access stays until the provider ends it."""
    story = ada(world)
    refused = ask("forget", story.customer.id, "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--even-with-open-case" in refused.stderr
    assert left(world) >= {"customers.email", "outbox.rendered"}
    mails, owed = len(world.inbox.messages), story.invoice
    done = ask("forget", story.customer.id, "--yes", "--even-with-open-case")
    assert done.returncode == 0, done.stderr
    story.until(38)
    assert left(world) == set()
    assert len(world.inbox.messages) == mails
    assert story.level()[0] in ("full", "warned")
    said = ask("case", "stop", story.invoice.id, "--why", "x", "--by", "maria")
    assert "dunning forget CUSTOMER --lift" in " ".join(said.stderr.split())
    assert story.pay(FRESH, invoice=owed)
    assert paid_at(world, owed.id)
    assert len(world.inbox.messages) == mails
