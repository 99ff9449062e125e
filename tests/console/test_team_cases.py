"""The cases as the team's API tells of them."""

from __future__ import annotations

from datetime import timedelta

from console.scopes import Scope
from sandbox.stripe import custom_schedule
from tests.console.team_api import ENV_KEY, TeamApi
from tests.console.test_access_api import is_problem
from tests.scenarios.story import subscriber
from tests.scenarios.world import World


def test_a_case_has_its_timeline_and_its_plan(world: World, team: TeamApi) -> None:
    """Steps to come with their time and reason, those held back with theirs, what was charged and sent."""
    story = subscriber(world, "insufficient_funds", retries=custom_schedule(40)).until(1)
    answer = team.get(f"/v1/cases/{story.invoice.id}")
    assert answer.status_code == 200
    said = answer.json()
    assert said["facts"]["customer"] == story.customer.id
    assert (said["facts"]["is_open"], said["facts"]["attempts"]) == (True, 1)
    assert said["access_level"] == "warned"
    assert [each["category"] for each in said["ledger"]] == ["insufficient_funds"]
    assert said["timeline"][0]["kind"] == "case.opened"
    assert [each["status"] for each in said["messages"]] == ["sent"]
    assert all(step["at"].endswith("Z") and step["reason"] for step in said["coming"])
    assert said["coming"][-1]["step"] == f"access_ended:{story.invoice.id}"
    assert all(item["reason"] for item in said["withheld"])


def test_who_has_an_answer_gets_304_until_it_changes(world: World, team: TeamApi) -> None:
    """The list and the case alike."""
    story = subscriber(world, "do_not_honor", retries=custom_schedule(40)).until(1)
    for path in ("/v1/cases", f"/v1/cases/{story.invoice.id}", "/v1/openapi.json"):
        etag = team.get(path).headers["etag"]
        assert team.get(path, if_none_match=f'W/{etag}, "other"').status_code == 304
    before = team.get("/v1/cases").headers["etag"]
    assert team.act(story.invoice.id, "stop").status_code == 200
    after = team.get("/v1/cases", if_none_match=before)
    assert (after.status_code, after.json()["cases"][0]["hold"]) == (
        200,
        "maria (key support desk) stopped it: they asked for it",
    )


def test_the_list_is_filtered(world: World, team: TeamApi) -> None:
    """By state, customer, outcome and provider, the newest first."""
    paid = subscriber(world, "do_not_honor", "ok", email="eve@customer.example").until(4)
    ours = subscriber(world, "do_not_honor", retries=custom_schedule(40)).until(4)

    def listed(query: str) -> list[str]:
        return [case["invoice"] for case in team.get(f"/v1/cases?{query}").json()["cases"]]

    both = listed("")
    assert sorted(both) == sorted([paid.invoice.id, ours.invoice.id])
    assert listed("state=open") == [ours.invoice.id]
    assert listed("state=closed") == listed("outcome=recovered") == [paid.invoice.id]
    assert listed(f"customer={paid.customer.id}&source=stripe") == [paid.invoice.id]
    assert listed("customer=cus_nobody") == listed("source=commet") == []


def test_a_key_may_do_what_its_scopes_say(world: World, team: TeamApi) -> None:
    """Anything else is 403 with the scope that is missing; keys of the settings may ask for access alone."""
    story = subscriber(world, "do_not_honor", retries=custom_schedule(40)).until(1)
    case, access = f"/v1/cases/{story.invoice.id}", f"/v1/access/{story.customer.id}"
    reads, acts, asks = (team.new_key(scope) for scope in (Scope.CASES, Scope.ACT, Scope.ACCESS))
    assert team.get(case, key=reads).status_code == team.get(access, key=asks).status_code == 200
    for path, key, missing in (
        (case, acts, "cases"),
        (case, asks, "cases"),
        (case, ENV_KEY, "cases"),
        (access, reads, "access"),
        (f"/v1/banner/{story.customer.id}", acts, "access"),
    ):
        answer = team.get(path, key=key)
        assert is_problem(answer, 403, "scope_missing")
        assert answer.headers["www-authenticate"] == (
            f'Bearer realm="dunning", error="insufficient_scope", scope="{missing}"'
        )
    ended = team.new_key(*Scope, lasts=timedelta(microseconds=1))
    assert is_problem(team.get(case, key=ended), 401, "key_unknown")
    assert is_problem(team.act(story.invoice.id, "stop", key=reads), 403, "scope_missing")
    assert is_problem(team.act(story.invoice.id, "stop", key=ENV_KEY), 403, "scope_missing")
    assert team.act(story.invoice.id, "stop", key=acts).status_code == 200


def test_an_unknown_case_is_404(team: TeamApi) -> None:
    """Also one that no database could be asked for."""
    for invoice in ("in_nobody", "%00", "in_%FF%FE", "x" * 3000, "in_1?source=commet"):
        assert is_problem(team.get(f"/v1/cases/{invoice}"), 404, "unknown_case"), invoice


WRONG = [
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=99999999999999999999999999", "limit"),
    ("limit=ten", "limit"),
    ("limit=1&limit=2", "limit"),
    ("state=ajar", "state"),
    ("outcome=", "outcome"),
    ("customer=%00", "customer"),
    ("customer=" + "x" * 256, "customer"),
    ("staet=open", "staet"),
]


def test_a_wrong_filter_is_named(team: TeamApi) -> None:
    """A misspelt one would otherwise show cases that were not meant."""
    for query, field in WRONG:
        answer = team.get(f"/v1/cases?{query}")
        assert is_problem(answer, 400, "invalid_query"), query
        assert [error["field"] for error in answer.json()["errors"]] == [field], query
    assert is_problem(team.get("/v1/cases?cursor=e30"), 400, "invalid_cursor")


def test_pages_follow_one_another(world: World, team: TeamApi) -> None:
    """By `next` and by the `Link` header alike, with the same filters; the last page has neither."""
    for name in ("ada", "eve", "joan"):
        subscriber(world, "do_not_honor", email=f"{name}@customer.example").until(0)
    first = team.get("/v1/cases?state=open&limit=2")
    second = team.get(first.links["next"]["url"])
    assert first.json()["next"] in first.links["next"]["url"]
    assert (second.json()["next"], second.links) == (None, {})
    invoices = [case["invoice"] for page in (first, second) for case in page.json()["cases"]]
    assert len(set(invoices)) == len(invoices) == 3
