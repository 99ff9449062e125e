"""The document of the API tells of everything that is served, and is true whatever is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from console.scopes import Scope
from db import endpoints
from outbound.signing import new_secret
from sandbox.stripe import custom_schedule
from tests.console.conftest import StartApi
from tests.console.process import ROOT
from tests.console.team_api import TeamApi
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

# So many requests of each kind and mode on a push; PROPERTY_EXAMPLES asks for more, with another seed.
EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
FEW = 2
# They take what `resume` takes, so that a push has no need of them.
ALIKE = ("/stop", "/forgive", "/acknowledge")


def served(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of everything that an application answers."""
    for route in routes:
        if isinstance(route, Mount):
            yield from served(list(route.routes), prefix + route.path)
        elif isinstance(route, Route):
            yield from ((method, prefix + route.path) for method in (route.methods or {}) - {"HEAD"})


def described(team: TeamApi) -> dict[str, Any]:
    """The document, as anybody gets it."""
    answer = team.ask("GET", "/v1/openapi.json", headers={})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = answer.json()
    return found


def test_every_route_is_described_and_nothing_else(team: TeamApi) -> None:
    """Path and method; each has a summary and a name of its own, and says which scope it wants."""
    app: Starlette = team.app
    paths = described(team)["paths"]
    operations = {
        (method.upper(), path): each for path, found in paths.items() for method, each in found.items()
    }
    assert set(operations) == set(served(list(app.routes)))
    assert len({each["operationId"] for each in operations.values()}) == len(operations)
    for (_, path), each in operations.items():
        assert each["summary"]
        public = path in ("/healthz", "/readyz", "/v1/openapi.json") or path.startswith("/v1/banner.")
        assert bool(each["security"]) != public, path
        assert public or each["security"][0]["key"][0] in set(Scope)


def test_every_name_of_the_document_is_defined(team: TeamApi) -> None:
    """No reference leads nowhere."""
    document = described(team)
    names = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            names.update({value["$ref"]} if isinstance(value.get("$ref"), str) else set())
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(document)
    assert names == {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_every_code_has_its_cure_in_the_manual(team: TeamApi) -> None:
    """Each of the document is told of in docs/api.md or, where only access is asked for, docs/access.md."""
    told = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("api.md", "access.md"))
    for found in described(team)["paths"].values():
        for operation in found.values():
            for status, answer in operation["responses"].items():
                codes = re.findall("`([a-z_]+)`", answer["description"])
                assert codes or status in ("200", "304")
                assert not [code for code in codes if f"`{code}`" not in told], status


def test_whatever_is_sent_is_answered_as_the_document_says(
    world: World, team: TeamApi, start_api: StartApi
) -> None:
    """By schemathesis: what fits is taken, what does not is refused, and nothing is a fault of ours."""
    story = subscriber(world, "do_not_honor", retries=custom_schedule(40)).until(1)
    process = start_api()
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{process.port}/v1/openapi.json")
    endpoint = world.run(an_endpoint(world))
    real = {
        "invoice": story.invoice.id,
        "customer": story.customer.id,
        "version": "none",
        "endpoint": str(endpoint),
    }
    headers = {"Authorization": f"Bearer {team.key}"}
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(ALIKE) and not EXAMPLES:
            continue
        fuzz(operation, GenerationMode.POSITIVE, real, headers)
        if operation.query or operation.body:
            fuzz(operation, GenerationMode.NEGATIVE, real, headers)


async def an_endpoint(world: World) -> int:
    """The number of an endpoint that is there when the asking begins."""
    async with world.services.engine.begin() as connection:
        number = await endpoints.add(connection, "https://shop.example/hooks", new_secret())
    assert number is not None
    return number


def fuzz(
    operation: APIOperation[Any, Any, Any],
    mode: GenerationMode,
    real: dict[str, str],
    headers: dict[str, str],
) -> None:
    """Send some requests to an operation, about what there is and about what there is not."""

    @settings(
        max_examples=EXAMPLES or FEW,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        if mode is GenerationMode.NEGATIVE:
            case.call_and_validate(headers=headers)
            return
        # What `next` said cannot be guessed, nor which months there were, and a name is taken once.
        for name in ("cursor", "from", "to"):
            case.query.pop(name, None)
        new = {"Idempotency-Key": str(uuid4())} if operation.body else {}
        case.call_and_validate(headers=headers | new)
        if case.path_parameters:
            case.path_parameters.update((name, real[name]) for name in case.path_parameters)
            new = {"Idempotency-Key": str(uuid4())} if operation.body else {}
            case.call_and_validate(headers=headers | new)

    send()
