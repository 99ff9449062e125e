"""The load generator against real servers: it counts what was answered, and does not let errors pass."""

from collections.abc import Iterator
from itertools import islice

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.experiments import receivers
from benchmarks.generator import requests
from benchmarks.house import SECRET, House
from benchmarks.load import lookups
from benchmarks.programs import Program
from benchmarks.world.accounts import EVENT_BYTES, event_template
from providers.stripe import webhook as stripe_webhook


@pytest.fixture
def bare(servers: House) -> Iterator[Program]:
    """A running peer that says yes to everything."""
    recipe = receivers.bare(servers)
    server = servers.start_server(recipe.name, recipe.command, recipe.environment, recipe.port_setting)
    yield server
    server.stop()


def test_a_generated_event_is_one_the_receiver_takes() -> None:
    """4 KB, signed, with an id of its own; copies are the same event."""
    made = list(requests.events("/webhooks/stripe", SECRET, event_template(), first=7, count=2, copies=2))
    seen = []
    for request in made:
        head, _, body = request.partition(b"\r\n\r\n")
        header = head.partition(b"Stripe-Signature: ")[2]
        stripe_webhook.verify(header, body, [SECRET.encode()], float(header[2:].partition(b",")[0]))
        seen.append(stripe_webhook.envelope(body).event_id)
        assert len(body) == EVENT_BYTES
    assert seen == ["evt_bench_000000000007"] * 2 + ["evt_bench_000000000008"] * 2


def test_lookups_go_round() -> None:
    """As many as anybody may want."""
    first = [request.split()[1] for request in islice(requests.lookups(["/a", "/b"]), 3)]
    assert first == [b"/a", b"/b", b"/a"]


def test_a_flood_is_answered(servers: House, bare: Program) -> None:
    """Everything that was sent has its answer, the warm-up's too."""
    result = servers.generator.flood(bare.port, lookups(["/"]), warm_up=0.01, seconds=0.05)
    assert result["statuses"] == {"200": result["answers"]}


def test_a_paced_request_has_its_time(servers: House, bare: Program) -> None:
    """When it was due counts, not when it could be sent."""
    bodies = {"kind": "bodies", "path": "/", "secret": SECRET, "bodies": ["{}"] * 5}
    due = servers.generator.pace(bare.port, bodies, per_second=100)
    assert [later - due[0] for later in due] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])


def test_a_refused_request_spoils_the_measurement(servers: House) -> None:
    """A server that refuses is fast, and its figures mean nothing."""
    recipe = receivers.receiver(servers)
    server = servers.start_server(recipe.name, recipe.command, recipe.environment, recipe.port_setting)
    forged = {"kind": "bodies", "path": receivers.PATH, "secret": "whsec_test_forged", "bodies": ["{}"]}
    with pytest.raises(BenchmarkError, match="1 requests were refused"):
        servers.generator.pace(server.port, forged, per_second=100)
    server.stop()


def test_nobody_listens(servers: House, bare: Program) -> None:
    """An error, and the generator goes on."""
    bare.stop()
    with pytest.raises(BenchmarkError, match="the load failed"):
        servers.generator.flood(bare.port, lookups(["/"]), warm_up=0.0, seconds=0.05)
