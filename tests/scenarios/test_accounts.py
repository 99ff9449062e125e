"""Two Stripe accounts and a connected one in one installation: nothing of one ever reaches another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from db.models import inbox, instructions, outbox, reconciliations
from db.reconciliations import due as due_now
from db.reconciliations import ensure, hurry
from tests.console.team_api import team_api
from tests.scenarios.accounts import CONNECTED, SECRETS, Town, gateways
from tests.scenarios.story import plain
from tests.scenarios.telling import Door
from tests.scenarios.world import TEAM_ADDRESS, World
from tests.worker.reconciling import tools as reconciling
from tests.worker.test_alarm import sound
from worker.usecases.reconcile import reconcile_each

AMOUNTS = (1900, 2900, 3900)


@pytest.fixture
def town(world: World, redis_url: str) -> Iterator[Town]:
    world.services = replace(world.services, gateways=gateways(world))
    door = Door(world, redis_url, **SECRETS)
    yield Town(world, door)
    door.close()


def of(town: Town, email: str) -> list[str]:
    return [plain(mail) for mail in town.world.inbox.to(email)]


def test_the_same_ids_in_three_accounts_never_meet(town: Town) -> None:
    """From HTTP to mails and access: one pays, one does not, one is never heard of as another."""
    bought = [account.subscribe(amount) for account, amount in zip(town, AMOUNTS, strict=True)]
    names = {customer.id for customer, _ in bought}
    assert len(names) == 1, "the ids are to be the same"
    town.settle()
    town.until(32)
    assert {level for _, level in town.levels().values()} == {"warned"}
    town.main.engine.pay_out_of_band(town.main.engine.latest_invoice(bought[0][1]))
    town.settle()
    (name,) = names
    assert town.levels() == {
        "stripe": (name, "full"),
        "stripe:de": (name, "warned"),
        f"stripe:{CONNECTED}": (name, "warned"),
    }
    with team_api(town.world.stage.database_url) as api:
        asked = {each.source: api.get(f"/v1/access/{name}?source={each.source}").json() for each in town}
    assert {source: (said["customer"], said["level"]) for source, said in asked.items()} == town.levels()
    for account, amount in zip(town, AMOUNTS, strict=True):
        first = of(town, account.email)[0]
        assert f"${amount // 100}.00" in first
        others = [str(other // 100) for other in AMOUNTS if other != amount]
        assert not any(f"${other}.00" in text for other in others for text in of(town, account.email))
    marks = [row.reference for row in town.world.rows(outbox) if row.reference]
    assert len(marks) == len(set(marks)), "a bounce of one mail is not another's"
    assert {each.account for each in town.world.stripe.requests} == {None, CONNECTED}
    assert not [each for each in town.world.stripe.requests if each.status in (401, 403)]


def test_another_accounts_secret_or_event_is_not_taken_in(town: Town) -> None:
    """Signed for another endpoint: refused. Marked as another's: put aside, with the reason."""
    town.main.subscribe(1900)
    event = next(each for each in town.main.engine.events() if each.type == "invoice.paid")
    body = town.main.body(event)
    for path, secret in (("stripe/de", "whsec_main"), ("stripe", "whsec_de"), ("stripe/connect", "whsec_de")):
        assert town.post(town.main, body, path=path, secret=secret) == 400
    assert town.post(town.main, body, path="stripe/fr") == 404
    connected = body[:-1] + f', "account": "{CONNECTED}"}}'.encode()
    context = body[:-1] + b', "context": "org_1/acct_2"}'
    assert town.post(town.main, connected) == 200
    assert town.post(town.de, context) == 200
    assert town.post(town.connected, body) == 200
    assert town.post(town.connected, context) == 200
    elsewhere, nobody = "of another account than this endpoint's", "of no connected account"
    rows = sorted(town.world.rows(inbox), key=lambda row: row.id)
    assert [(row.source, row.status, row.last_error, row.payload) for row in rows] == [
        ("stripe", "ignored", elsewhere, None),
        ("stripe:de", "ignored", elsewhere, None),
        ("stripe:connect", "ignored", nobody, None),
    ]


def test_an_event_at_the_wrong_endpoint_is_still_taken_in_at_its_own(town: Town) -> None:
    """Put aside by the one, it is no duplicate at the other."""
    town.main.subscribe(1900)
    event = next(each for each in town.main.engine.events() if each.type == "invoice.paid")
    assert town.post(town.connected, town.main.body(event)) == 200
    assert town.post(town.main, town.main.body(event)) == 200
    assert {row.source: row.status for row in town.world.rows(inbox)} == {
        "stripe:connect": "ignored",
        "stripe": "done",
    }


def test_connected_accounts_with_customers_are_reconciled_with(town: Town) -> None:
    """They are found when the platform's own events have been looked through."""
    town.connected.subscribe(1900)
    town.settle()
    tools = {source: reconciling(town.world) for source in ("stripe", town.connected.source)}

    async def look() -> None:
        async with town.world.services.engine.begin() as connection:
            await ensure(connection, "stripe")
            await hurry(connection, "stripe", ["events"])
            due = await due_now(connection)
        await reconcile_each(town.world.services, tools, due, within=60)

    town.world.run(look())
    assert {row.source for row in town.world.rows(reconciliations)} == {"stripe", town.connected.source}


def test_an_account_that_disconnects_is_left_alone_and_a_person_is_told(town: Town) -> None:
    """Access stays as it is for ever, nobody is written to, and nothing is asked any more."""
    town.connected.subscribe(1900)
    town.settle()
    town.until(33)
    town.world.stripe.disconnect(CONNECTED)
    said = town.connected.fresh()[-1]
    assert said.type == "account.application.deauthorized"
    town.connected.thin, town.connected.marks = False, {"account": CONNECTED}
    assert town.post(town.connected, town.connected.body(said)) == 200
    # Stripe tells nothing more of it.
    town.accounts.remove(town.connected)
    asked, mails = len(town.world.stripe.requests), len(of(town, town.connected.email))
    town.until(60)
    assert len(of(town, town.connected.email)) == mails
    assert [each for each in town.world.stripe.requests[asked:] if each.account] == []
    assert {level for _, level in town.levels().values()} == {"warned"}
    runs = [row for row in town.world.rows(reconciliations) if row.source == town.connected.source]
    assert [row.due_at.year > 3000 for row in runs] == [True, True], "nobody asks there at night"
    again = (
        town.connected.body(said).replace(b"deauthorized", b"authorized").replace(said.id.encode(), b"evt_2")
    )
    assert town.post(town.connected, again) == 200
    runs = [row for row in town.world.rows(reconciliations) if row.source == town.connected.source]
    assert [row.due_at.year > 3000 for row in runs] == [False, False], "it has connected again"
    (told,) = town.world.rows(instructions)
    assert (told.verb, told.by, told.why) == ("exclude", "the billing system", "its account has disconnected")
    sound(town.world)
    (call,) = [mail for mail in town.world.inbox.to(TEAM_ADDRESS) if "disconnected" in mail.subject]
    assert f"stripe:{CONNECTED}" in call.subject
