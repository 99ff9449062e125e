"""One trace from the webhook to the mail, in a real collector."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from db import models
from settings import SettingsError, WorkerSettings
from settings.urls import for_asyncpg
from tests.scenarios.conftest import empty_stage, in_background, make_world, stage, world
from tests.scenarios.story import subscriber
from tests.scenarios.world import World
from tests.settings.examples import from_env
from tests.tracing.collector import Collector, collecting
from tests.webhooks.process import ReceiverProcess
from tests.webhooks.stripe_calls import SECRET
from tracing import spans
from tracing.ids import of_event
from webhooks.config import ReceiverConfig

__all__ = ["empty_stage", "in_background", "make_world", "stage", "world"]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that hears this process, until it has heard everything."""
    with collecting() as listening:
        spans.start("worker", listening.url)
        try:
            yield listening
        finally:
            spans.stop()


def trace_of(event_id: str) -> str:
    """The id of an event's trace."""
    return f"{of_event('stripe', event_id)[0]:032x}"


def test_what_follows_from_an_event_is_one_trace(world: World, collector: Collector) -> None:
    """From reading it, Stripe asked, to the mail, whose link was asked for, and the server that took it.

    Attributes are ids and codes: no address, no amount, and nothing of a mail.
    """
    story = subscriber(world, "insufficient_funds").until(1)
    applied = [row for row in story.journal() if row.kind == "event.applied"]
    # Several events tell of the failure; whichever opened the case has the mail in its trace.
    [effect] = [row for row in world.rows(models.outbox) if row.kind == "mail"]
    spans.stop()
    trace = effect.trace.split("-")[1]
    assert trace in {trace_of(row.data["event"]) for row in applied}
    tree = collector.tree(trace)
    assert "event.enact > effect.send > deliver" in tree
    assert "event.enact > effect.send > stripe" in tree
    assert any(path.startswith("event.read") for path in tree)
    read = [span for span in collector.spans if span.name == "event.read"]
    asked = {span.parent for span in collector.spans if span.name == "stripe"}
    assert asked & {span.id for span in read}, "Stripe is asked while an event is read"
    firsts = {f"{of_event('stripe', row.data['event'])[1]:016x}" for row in applied}
    assert {span.parent for span in read} >= firsts
    said = str([span.attributes for span in collector.spans])
    assert "customer.example" not in said
    assert "@" not in said
    [sent] = [span for span in collector.trace(trace).values() if span.name == "deliver"]
    assert sent.attributes == {"dunning.channel": "mail", "dunning.outcome": "accepted"}


def test_the_webhook_is_the_first_span_of_that_trace(
    database_url: str, redis_url: str, collector: Collector
) -> None:
    """The real receiver sends it for each new event, before anybody works on it; a duplicate has none."""
    config = ReceiverConfig(
        for_asyncpg(database_url),
        redis_url,
        {"STRIPE_WEBHOOK_SECRETS": (SECRET,)},
        livemode=False,
        host="127.0.0.1",
        port=0,
        traces_url=collector.url,
        log_format="json",
    )
    receiver = ReceiverProcess.serve(config)
    for event_id in ("evt_1", "evt_2", "evt_1"):
        assert receiver.deliver(event_id) == 200
    assert receiver.stop() == 0
    received = [span for span in collector.spans if span.process == "dunning-receiver"]
    assert [(span.name, span.trace, span.id, span.parent) for span in received] == [
        ("webhook", f"{trace:032x}", f"{first:016x}", "")
        for trace, first in (of_event("stripe", event_id) for event_id in ("evt_1", "evt_2"))
    ]
    assert received[0].attributes == {
        "dunning.event": "evt_1",
        "dunning.type": "invoice.payment_failed",
        "dunning.status": "pending",
    }


def test_a_fault_is_told_by_its_class_alone(collector: Collector) -> None:
    """What an exception says may hold what must not leave."""
    with pytest.raises(ValueError, match="telltale"), spans.span("work"):
        raise ValueError("telltale")
    spans.stop()
    [span] = collector.spans
    assert (span.status["message"], span.status["code"]) == ("ValueError", "STATUS_CODE_ERROR")


def test_without_a_collector_nothing_is_loaded_or_remembered() -> None:
    """Not even where everything of the worker is: tracing costs a look at a variable."""
    program = (
        "import sys, worker.main, webhooks.server; from tracing import spans\n"
        "with spans.span('x', event='y'): assert spans.current() is spans.event('s', 'e') is None\n"
        "spans.start('worker', None); spans.arrived('s', 'e', 0); spans.note(a=1); spans.stop()\n"
        "print('tracing.otel' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_collector_without_the_extra_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""
    monkeypatch.setattr("settings.traces.find_spec", lambda name: None)
    with pytest.raises(SettingsError) as caught:
        from_env(WorkerSettings, DUNNING_TRACES_URL="http://127.0.0.1:4318/v1/traces")
    assert "pip install 'dunning-worker[otel]'" in str(caught.value)


def test_ids_are_the_same_everywhere_and_differ_by_event() -> None:
    """A receiver and a worker that never met agree."""
    assert of_event("stripe", "evt_1") == of_event("stripe", "evt_1")
    assert len({of_event("stripe", f"evt_{number}") for number in range(1000)}) == 1000
    assert spans.event("stripe", "evt_1") is None
