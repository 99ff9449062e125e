"""What the team decides over the API, to its effect in the tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from db import models
from sandbox.stripe import custom_schedule
from tests.console.team_api import WHY, TeamApi
from tests.console.test_access_api import is_problem
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

# Stripe tries again only when everything of ours is over.
LATER = custom_schedule(40)


def debtor(world: World, day: float, outcome: str = "do_not_honor", **options: Any) -> Story:
    """A customer whose renewal has failed, seen on a day after that."""
    return subscriber(world, outcome, retries=LATER, **options).until(day)


def told(world: World) -> list[tuple[str, str, str]]:
    """Verb, name and reason of all that was said, in its order."""
    rows = sorted(world.rows(models.instructions), key=lambda row: row.id)
    return [(row.verb, row.by, row.why) for row in rows]


def test_every_action_does_what_its_command_does(world: World, team: TeamApi) -> None:
    """In an order in which each is possible; who said so, by which key and why is written down."""
    story = debtor(world, 4, "merchant_not_accepting")
    ref = story.invoice.id
    day = str((story.now + timedelta(days=5)).date())
    sent: list[tuple[str, dict[str, Any], str]] = [
        ("extend", {"days": 7}, "Access in"),
        ("promise", {"until": day}, f"The customer pays by {day}"),
        ("pause", {"days": 9}, "Nothing is done about"),
        ("resume", {}, "The program goes on"),
        ("hand-over", {"to": "grace"}, "grace has"),
        ("stop", {}, "Nothing is done about"),
        ("forgive", {}, "The debt is dropped"),
    ]
    for action, said, holds in sent:
        answer = team.act(ref, action, **said)
        assert answer.status_code == 200, answer.text
        effect = answer.json()
        assert effect["holds"].startswith(holds), effect["holds"]
        assert (effect["case"], effect["verb"]) == (ref, action.replace("-", "_"))
    assert told(world) == [
        (action.replace("-", "_"), "maria (key support desk)", "they asked for it") for action, _, _ in sent
    ]
    facts = team.get(f"/v1/cases/{ref}").json()
    assert (facts["facts"]["outcome"], facts["access_reason"]) == ("forgiven", "past_due")
    assert "maria (key support desk)" in str(facts["timeline"])


def test_a_call_is_acknowledged(world: World, team: TeamApi) -> None:
    """Once: there is none since, which is a refusal like that of the command."""
    story = debtor(world, 4, "fraudulent")
    assert team.act(story.invoice.id, "acknowledge").status_code == 200
    again = team.act(story.invoice.id, "acknowledge")
    assert is_problem(again, 409, "already_so")
    assert "Every call was acknowledged" in again.json()["detail"]
    assert len(told(world)) == 1


def test_without_a_name_the_key_stands_for_whoever_says_so(world: World, team: TeamApi) -> None:
    """Its label, which the person who made it has chosen."""
    story = debtor(world, 1)
    key = team.new_key("act", label="crm")
    answer = team.ask(
        "POST",
        f"/v1/cases/{story.invoice.id}/stop",
        json={"reason": "they dispute it"},
        headers={"authorization": f"Bearer {key}", "idempotency-key": '"quoted"'},
    )
    assert answer.status_code == 200
    assert told(world) == [("stop", "key crm", "they dispute it")]


def test_what_is_refused_changes_nothing(world: World, team: TeamApi) -> None:
    """The refusal is the command's own sentence, with its cure."""
    story = debtor(world, 1)
    refused = team.act(story.invoice.id, "extend", days=3000)
    assert is_problem(refused, 409, "refused")
    assert refused.json()["detail"].startswith("The policy extends a case by")
    assert is_problem(team.act("in_nobody", "stop"), 404, "unknown_case")
    assert told(world) == []


def test_a_program_can_tell_refusals_apart(world: World, team: TeamApi) -> None:
    """What is so already needs nothing, and a case that is closed never will."""
    ref = debtor(world, 1).invoice.id
    for action, said in (("stop", {}), ("hand-over", {"to": "grace"}), ("forgive", {})):
        assert team.act(ref, action, **said).status_code == 200
        code = "case_closed" if action == "forgive" else "already_so"
        assert is_problem(team.act(ref, action, **said), 409, code), action
    assert is_problem(team.act(ref, "resend"), 409, "case_closed")


WRONG: list[tuple[str, Any, str]] = [
    ("stop", {}, "reason"),
    ("stop", {"reason": ""}, "reason"),
    ("stop", {"reason": " "}, "reason"),
    ("stop", {"reason": "a\x00b"}, "reason"),
    ("stop", {"reason": "two\nlines"}, "reason"),
    ("stop", {"reason": "x" * 501}, "reason"),
    ("stop", {"reason": 7}, "reason"),
    ("stop", WHY | {"by": None}, "by"),
    ("pause", WHY | {"days": 3, "until": None}, "until"),
    ("stop", WHY | {"by": "x" * 81}, "by"),
    ("stop", WHY | {"days": 3}, "days"),
    ("stop", [], ""),
    ("stop", "stop", ""),
    ("extend", WHY, "days"),
    ("extend", WHY | {"days": 0}, "days"),
    ("extend", WHY | {"days": 10**400}, "days"),
    ("extend", WHY | {"days": "7"}, "days"),
    ("extend", WHY | {"days": True}, "days"),
    ("pause", WHY, ""),
    ("pause", WHY | {"days": 3, "until": "2026-03-01"}, ""),
    ("pause", WHY | {"until": "0001-01-01"}, "until"),
    ("pause", WHY | {"until": "9999-12-31"}, "until"),
    ("promise", WHY | {"until": "soon"}, "until"),
    ("hand-over", WHY, "to"),
]


def test_a_wrong_body_names_its_field(team: TeamApi) -> None:
    """Before anybody looks whether there is such a case."""
    for action, body, field in WRONG:
        answer = team.ask(
            "POST",
            f"/v1/cases/in_1/{action}",
            json=body,
            headers={"authorization": f"Bearer {team.key}", "idempotency-key": "1"},
        )
        assert is_problem(answer, 400, "invalid_body"), (action, body)
        assert answer.json()["errors"][0]["field"] == field, (action, body)


RAW: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"{", {}, 400, "invalid_body"),
    (b"", {}, 400, "invalid_body"),
    (b'{"reason": "\xff"}', {}, 400, "invalid_body"),
    (b'{"reason": "\\ud800"}', {}, 400, "invalid_body"),
    (b"[" * 16_000, {}, 400, "invalid_body"),
    (b'{"reason": "' + b"x" * 16_384 + b'"}', {}, 413, "body_too_large"),
    (b"{}", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
    (b"{}", {"content-type": "application/json; charset=utf-16"}, 415, "unsupported_media_type"),
    (b"{}", {"content-type": 'application/json; v=1; charset="UTF-8"'}, 400, "invalid_body"),
    (b"{}", {"content-type": ""}, 415, "unsupported_media_type"),
    (b"{}", {"idempotency-key": ""}, 400, "idempotency_key_invalid"),
    (b"{}", {"idempotency-key": "x" * 256}, 400, "idempotency_key_invalid"),
    (b"{}", {"idempotency-key": "caf\u00e9"}, 400, "idempotency_key_invalid"),
]


def test_odd_requests_are_told_what_is_odd(team: TeamApi) -> None:
    """And never a fault of ours."""
    usual = {"content-type": "application/json", "idempotency-key": "1"}
    for body, headers, status, code in RAW:
        wanted = {"authorization": f"Bearer {team.key}", **usual, **headers}
        encoded = {name: value.encode("latin-1") for name, value in wanted.items()}
        answer = team.ask("POST", "/v1/cases/in_1/stop", content=body, headers=encoded)
        assert is_problem(answer, status, code), (body[:30], headers)


def test_a_request_without_a_name_is_refused(team: TeamApi) -> None:
    """It could not be repeated without being done twice."""
    answer = team.ask("POST", "/v1/cases/in_1/stop", json=WHY)
    assert is_problem(answer, 400, "idempotency_key_missing")


def test_a_wrong_method_hears_of_the_right_one(team: TeamApi) -> None:
    """405 with `Allow`; an action that does not exist is 404."""
    answer = team.ask("DELETE", "/v1/cases/in_1/stop")
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert is_problem(team.ask("POST", "/v1/cases/in_1/explode", json=WHY), 404, "not_found")
