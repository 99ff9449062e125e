"""What people say, through the real command, to its effect in the plan, the tables and the mails."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.words import step_title
from db import models
from dunning.policy import Policy
from sandbox.inbox import Inbox
from sandbox.stripe import RetryPolicy, custom_schedule
from tests.cli.forking import dunning
from tests.cli.test_lookups import Ask
from tests.console.views import view_of
from tests.console.worlds import world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker.queues import MAIL

WHY = ("--why", "they asked for it", "--by", "maria")
# Stripe tries again only when everything of ours is over.
LATER = custom_schedule(40)


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning` on the test's database, its output going into a pipe."""
    return lambda *arguments: dunning(
        *arguments, cwd=tmp_path, DATABASE_URL=database_url, DUNNING_LIVEMODE="false"
    )


def debtor(world: World, day: float, outcome: str = "do_not_honor", **options: Any) -> Story:
    """A customer whose renewal has failed, seen on a day after that."""
    return subscriber(world, outcome, retries=LATER, **options).until(day)


def say(ask: Ask, verb: str, ref: str, *options: str, group: str = "case") -> dict[str, Any]:
    """Give an instruction; what the command says came of it."""
    done = ask(group, verb, ref, *WHY, *options, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(ask: Ask, verb: str, ref: str, *options: str, group: str = "case") -> str:
    """Why an instruction was not given, on one line."""
    done = ask(group, verb, ref, *WHY, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.replace("\u2502", " ").split())


def told(world: World) -> list[str]:
    """The verbs of all instructions that were written down, in their order."""
    return [row.verb for row in sorted(world.rows(models.instructions), key=lambda row: row.id)]


def coming(effect: dict[str, Any]) -> list[str]:
    """The steps to come, without the invoice."""
    return [step["step"].replace(effect["case"] or "-", "*") for step in effect["coming"]]


def date_of(story: Story, days: float) -> str:
    """So many days from the story's present."""
    return str((story.now + timedelta(days=days)).date())


def test_a_stop_ends_everything_until_it_is_resumed(world: World, ask: Ask) -> None:
    """No mail, no warning, no end of access; resumed, the customer is warned before access ends."""
    story = debtor(world, 1)
    ref, mails = story.invoice.id, len(story.inbox)
    effect = say(ask, "stop", ref)
    assert (effect["coming"], effect["access_until"]) == ([], None)
    assert "maria stopped it: they asked for it" in {item["reason"] for item in effect["withheld"]}
    assert story.until_when() is None
    story.until(20)
    assert (len(story.inbox), story.level()[0]) == (mails, "warned")
    assert any(step.startswith("final_warning:*:") for step in coming(say(ask, "resume", ref)))
    world.tick()
    story.until(27)
    names = [name for _, name in story.mails()]
    assert names[-1] == "access_ended"
    assert names.count("final_warning 72h") == 1
    assert story.level()[0] == "revoked"
    assert told(world) == ["stop", "resume"]


def test_class_37_a_stop_survives_the_next_failure(world: World, ask: Ask) -> None:
    """Stripe's next attempts, and even the next period's invoice, change nothing about it."""
    story = subscriber(world, *["do_not_honor"] * 9, retries=custom_schedule(3, 5, 40)).until(1)
    ref, mails = story.invoice.id, len(story.inbox)
    say(ask, "stop", ref)
    story.until(9)
    assert len(story.charges) == 4
    story.until(30)
    assert story.invoice.id != ref
    assert set(view_of(story).account.cases) == {ref, story.invoice.id}
    assert (len(story.inbox), view_of(story).planned.steps) == (mails, ())


def test_a_paused_case_wakes_up_by_itself(world: World, ask: Ask) -> None:
    """Silent to the end of the day that was named, then everything goes on, later."""
    story = debtor(world, 1)
    before = story.until_when()
    effect = say(ask, "pause", story.invoice.id, "--until", date_of(story, 13))
    assert (before, effect["access"]["level"]) == (10, "warned")
    mails = len(story.inbox)
    story.until(14)
    assert len(story.inbox) == mails
    story.until(26)
    days = [day for day, name in story.mails() if name == "final_warning 72h"]
    assert len(days) == 1
    assert days[0] > 14
    assert story.level()[0] == "revoked"
    assert min(day for day, level, _ in story.access() if level == "revoked") >= 17.5


def test_a_case_is_extended_once_and_within_its_policy(world: World, ask: Ask) -> None:
    """Grace ends a week later; a second time, or more than a week, is refused with the cure."""
    story = debtor(world, 1)
    ref = story.invoice.id
    assert "by 7 days at most" in refused(ask, "extend", ref, "--days", "8")
    before = json.loads(ask("case", "list", "--json").stdout)[0]["access_until"]
    after = say(ask, "extend", ref, "--days", "7")["access_until"]
    assert (before[:10], after[:10]) == ("2026-02-16", "2026-02-23")
    assert "once is all" in refused(ask, "extend", ref, "--days", "1")
    assert told(world) == ["extend"]


def test_forgiving_gives_back_exactly_what_was_taken(world: World, ask: Ask) -> None:
    """In the transaction of the command: access, the receipt of what was taken, and no mail ever again."""
    story = debtor(world, 16)
    ref = story.invoice.id
    assert story.level() == ("revoked", "grace_expired")
    effect = say(ask, "forgive", ref)
    assert (effect["access"]["level"], effect["coming"]) == ("warned", [])
    assert story.level() == ("warned", "past_due")
    assert story.outcome() == "forgiven"
    [returned] = [row for row in story.journal() if row.kind == "access.returned"]
    assert (returned.data["before"], returned.data["level"]) == ("warned", "revoked")
    mails = len(story.inbox)
    story.until(20)
    assert (len(story.inbox), story.level()[0]) == (mails, "warned")
    assert "it was forgiven" in refused(ask, "forgive", ref)


def test_forgiving_drops_what_waits_to_be_sent(world: World, ask: Ask) -> None:
    """A mail that was decided and not sent yet is dropped at once."""
    world.held = {MAIL}
    story = debtor(world, 0)
    assert "pending" in [status for _, status in world.effects()]
    say(ask, "forgive", story.invoice.id)
    assert {status for _, status in world.effects()} == {"suppressed"}


def test_a_stop_drops_what_waits_when_its_turn_comes(world: World, ask: Ask) -> None:
    """Whoever delivers asks again."""
    world.held = {MAIL}
    story = debtor(world, 0)
    say(ask, "stop", story.invoice.id)
    world.held = set()
    world.machine_time(timedelta(minutes=1))
    assert {status for _, status in world.effects()} == {"suppressed"}
    assert story.inbox == []


def test_a_promise_moves_mails_retry_and_grace_together(world: World, ask: Ask) -> None:
    """Nothing before the day after the promised one, and access three days later at the earliest."""
    world.services = replace(world.services, policy=Policy(retries="worker"))
    never = RetryPolicy(delays=(), at_end="past_due")
    story = subscriber(world, "insufficient_funds", retries=never).until(5)
    effect = say(ask, "promise", story.invoice.id, "--until", date_of(story, 9))
    due = {step["step"].split(":")[0]: step["at"] for step in reversed(effect["coming"])}
    assert due["retry"][:10] == date_of(story, 9)
    assert due["final_warning"][:10] >= date_of(story, 10)
    assert effect["access_until"][:10] >= date_of(story, 13)
    mails = len(story.inbox)
    story.until(14)
    assert len(story.inbox) == mails


def test_a_broken_promise_calls_the_team_and_is_remembered(world: World, ask: Ask) -> None:
    """The day after, a person hears of it; no further promise is taken, and everybody is told why."""
    story = debtor(world, 2)
    ref = story.invoice.id
    assert "10 days ahead at most" in refused(ask, "promise", ref, "--days", "12")
    assert "has passed" in refused(ask, "promise", ref, "--until", date_of(story, -1))
    promised = date_of(story, 3)
    say(ask, "promise", ref, "--until", promised)
    assert "one promise at a time" in refused(ask, "promise", ref, "--days", "5")
    story.until(7)
    assert f"promise_broken {promised}" in [name for _, name in story.calls()]
    assert "no further promise is taken" in refused(ask, "promise", ref, "--days", "5")
    shown = ask("explain", story.customer.id).stdout
    assert "A promise to pay was broken." in shown
    assert f"Promise to pay noted for {promised}, by maria. Why: they asked for it." in shown
    assert f"Call to the team (a promise was broken: {promised})" in shown


def test_a_kept_promise_leaves_nothing(world: World, ask: Ask) -> None:
    """Paid on the day: a receipt, and nobody is called."""
    story = subscriber(world, "do_not_honor", "ok", retries=LATER).until(2)
    say(ask, "promise", story.invoice.id, "--days", "3")
    assert story.pay()
    story.until(8)
    assert (story.calls(), story.mails()[-1][1]) == ([], "recovered")


def test_whoever_takes_a_case_over_is_reminded(world: World, ask: Ask) -> None:
    """The customer hears nothing more from us; the call is repeated though somebody has taken over."""
    story = debtor(world, 8)
    ref, calls, mails = story.invoice.id, len(story.calls()), len(story.inbox)
    assert calls
    effect = say(ask, "hand-over", ref, "--to", "nora")
    assert [step.rpartition(":")[0] for step in coming(effect)][:1] == ["escalation:*:reminder"]
    assert "nora has it already" in refused(ask, "hand-over", ref, "--to", "nora")
    shown = ask("case", "show", ref).stdout
    assert "Taken over by" in shown
    assert "nora has taken it over" in ask("explain", story.customer.id).stdout
    story.until(20)
    assert len(story.inbox) == mails
    assert len(story.calls()) > calls
    assert story.level()[0] == "limited" or story.level()[0] == "warned"


def test_a_call_is_acknowledged_once(world: World, ask: Ask) -> None:
    """Before any call and after all have been seen there is nothing to acknowledge; a new call may be."""
    story = debtor(world, 1)
    ref = story.invoice.id
    assert "no call to acknowledge" in refused(ask, "acknowledge", ref)
    story.until(8)
    effect = say(ask, "acknowledge", ref)
    assert "somebody has acknowledged the call" in {item["reason"] for item in effect["withheld"]}
    assert "there is none since" in refused(ask, "acknowledge", ref)


def test_an_excluded_customer_is_left_alone_for_good(world: World, ask: Ask) -> None:
    """By address, for all that fails later too; a case is not resumed by itself, the customer is."""
    story = debtor(world, 1)
    mails = len(story.inbox)
    effect = say(ask, "exclude", story.email, group="customer")
    assert (effect["case"], effect["coming"]) == (None, [])
    story.until(30)
    assert len(story.inbox) == mails
    shown = ask("explain", story.customer.id).stdout
    assert "Customer excluded from dunning, by maria: they asked for it." in shown
    assert "resume the customer" in refused(ask, "resume", story.invoice.id)
    assert "Nothing is done" in refused(ask, "exclude", story.customer.id, group="customer")
    assert say(ask, "resume", story.customer.id, group="customer")["coming"]


def test_a_whole_customer_is_paused(world: World, ask: Ask) -> None:
    """Every case waits for the same day."""
    story = debtor(world, 1)
    effect = say(ask, "pause", story.customer.id, "--days", "9", group="customer")
    mails = [step["at"][:10] for step in effect["coming"] if step["step"].startswith("payment_failed")]
    assert all(day > date_of(story, 9) for day in mails)
    assert "for as long already" in refused(ask, "pause", story.customer.id, "--days", "3", group="customer")


def test_somebody_says_that_an_address_works(world: World, ask: Ask) -> None:
    """What came back is sent once more; with nothing that came back there is nothing to say."""
    story = debtor(world, 1)
    ref = story.customer.id
    assert "nothing to change" in refused(ask, "address-works", ref, group="customer")
    row = next(row for row in world.rows(models.outbox) if row.name == "payment_failed")

    async def bounces() -> None:
        async with world.services.engine.begin() as connection:
            values = {"outbox_id": row.id, "kind": "hard_bounce", "at": story.now, "by": "resend"}
            await connection.execute(
                models.mail_results.insert().values(**values, details="550 no such user")
            )

    world.run(bounces())
    shown = " ".join(ask("explain", ref).stdout.split())
    assert "accepted by the mail server, but it came back (550 no such user). Why" in shown
    assert "mails to the customer come back, and no other address is known" in shown
    effect = say(ask, "address-works", ref, group="customer")
    assert effect["coming"][0]["title"] == f"{step_title(row.step)}, once more"
    world.tick()
    story.until(2)
    assert [step for step, _ in world.effects()][-1] == f"{row.step}~2"
    shown = " ".join(ask("explain", ref).stdout.split())
    assert "Mails may go again to where some came back from, for all of the customer, by maria" in shown


def test_a_dry_run_shows_the_same_and_changes_nothing(world: World, ask: Ask) -> None:
    """Neither the instruction nor what would follow from it stays."""
    story = debtor(world, 16)
    tried = say(ask, "forgive", story.invoice.id, "--dry-run")
    assert tried.pop("dry_run") is True
    assert (told(world), story.level()[0], story.outcome()) == ([], "revoked", None)
    done = say(ask, "forgive", story.invoice.id)
    assert done.pop("dry_run") is False
    assert tried == done


@pytest.mark.parametrize("verb", ["stop", "forgive"])
def test_said_twice_at_once_it_is_done_once(world: World, ask: Ask, verb: str) -> None:
    """One of two people is told that somebody was there before."""
    story = debtor(world, 1)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: ask("case", verb, story.invoice.id, *WHY), range(2)))
    assert sorted(done.returncode for done in both) == [0, 1]
    assert told(world) == [verb]
    assert [row.kind for row in story.journal()].count(f"instruction.{verb}") == 1


def test_the_effect_is_told_in_sentences(world: World, ask: Ask) -> None:
    """What holds, what is held back, what comes next; and who said so where the case is looked at."""
    story = debtor(world, 1)
    ref = story.invoice.id
    done = ask("case", "stop", ref, *WHY)
    assert done.stdout.splitlines()[0].startswith(
        f"Nothing is done about the case of {ref} until it is resumed"
    )
    assert "Held back: " in done.stdout
    assert "Nothing comes next by itself." in done.stdout
    shown = ask("explain", story.customer.id).stdout
    assert "Stopped, by maria. Why: they asked for it." in shown
    assert "held back, because maria stopped it: they asked for it." in shown
    assert "Nothing, because maria stopped it: they asked for it." in shown
    file = ask("case", "show", ref).stdout
    assert "On hold" in file
    assert "Stopped: by maria" in file


def test_whoever_is_logged_in_has_said_it(world: World, ask: Ask) -> None:
    """Without --by it is the name of the system's user; without --why it is no instruction."""
    story = debtor(world, 1)
    assert ask("case", "stop", story.invoice.id).returncode == 2
    assert ask("case", "stop", story.invoice.id, "--why", "test").returncode == 0
    [row] = world.rows(models.instructions)
    assert row.by == getpass.getuser()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("case", "stop", "in_nothing"), 1, "There is no case of in_nothing"),
        (("customer", "exclude", "cus_nobody"), 1, "Nothing is known of cus_nobody"),
        (("case", "pause", "in_nothing", "--until", "2026-03-01", "--days", "3"), 2, "not both"),
        (("case", "pause", "in_nothing", "--until", "tomorrow"), 2, "tomorrow"),
    ],
)
def test_what_cannot_be_meant_is_refused(ask: Ask, arguments: tuple[str, ...], code: int, words: str) -> None:
    """With an exit code and a sentence."""
    done = ask(*arguments, *WHY)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
