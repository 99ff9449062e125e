"""What becomes of an event that arrives: stored once, byte for byte, before it is acknowledged."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.webhooks.conftest import Query, StartReceiver
from tests.webhooks.process import ReceiverProcess
from tests.webhooks.stripe_calls import event, signed
from webhooks.config import ReceiverConfig


def test_a_handled_event_is_stored_byte_for_byte(receiver: ReceiverProcess, query: Query) -> None:
    """200 means a pending row with the raw body, the provider's time and mode, due in ten seconds."""
    body = event()
    answer = receiver.post(body, signed(body))
    assert (answer.status_code, answer.text) == (200, "ok\n")
    (row,) = query("SELECT *, due_at - received_at AS delay FROM inbox")
    assert (row["source"], row["event_id"], row["type"]) == ("stripe", "evt_1", "invoice.payment_failed")
    assert row["created_at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (row["livemode"], row["status"], row["attempts"], row["last_error"]) == (False, "pending", 0, None)
    assert row["payload"] == body
    assert 9.9 < row["delay"].total_seconds() < 10.1
    assert receiver.figures()["accepted"] == 1


def test_a_thin_event_is_stored_for_fetching(receiver: ReceiverProcess, query: Query) -> None:
    """A thin event waits like a snapshot, under its own type."""
    body = json.dumps(
        {
            "id": "evt_test_65",
            "object": "v2.core.event",
            "type": "v1.invoice.payment_failed",
            "created": "2026-10-28T12:00:00.000Z",
            "livemode": False,
            "related_object": {"id": "in_1", "type": "invoice", "url": "/v1/invoices/in_1"},
        }
    ).encode()
    assert receiver.post(body, signed(body)).status_code == 200
    (row,) = query("SELECT type, status, payload, created_at FROM inbox")
    assert (row["type"], row["status"], row["payload"]) == ("v1.invoice.payment_failed", "pending", body)
    assert row["created_at"] == datetime(2026, 10, 28, 12, tzinfo=UTC)


def test_an_unhandled_type_is_acknowledged_without_its_payload(
    receiver: ReceiverProcess, query: Query
) -> None:
    """Other types are named in the inbox and nothing more: no payload, no work, no nudge."""
    body = event(type="invoice.created")
    assert receiver.post(body, signed(body)).status_code == 200
    (row,) = query("SELECT status, payload, last_error FROM inbox")
    assert row == {"status": "ignored", "payload": None, "last_error": "type not handled"}
    assert (receiver.figures()["ignored"], receiver.figures()["accepted"]) == (1, 0)


@pytest.mark.parametrize("livemode", [False, True])
def test_the_other_mode_never_waits(
    start_receiver: StartReceiver, config: ReceiverConfig, query: Query, livemode: bool
) -> None:
    """An event of the other mode is acknowledged, noted as ignored and counted."""
    receiver = start_receiver(replace(config, livemode=livemode))
    body = event(livemode=not livemode)
    assert receiver.post(body, signed(body)).status_code == 200
    (row,) = query("SELECT livemode, status, payload, last_error FROM inbox")
    assert (row["livemode"], row["status"], row["payload"]) == (not livemode, "ignored", None)
    assert row["last_error"] == "live and test mode do not mix"
    assert receiver.figures()["wrong_mode"] == 1


def test_each_secret_is_good(receiver: ReceiverProcess, query: Query) -> None:
    """While a secret is rolled, events signed with either are taken."""
    older, newer = event("evt_older"), event("evt_newer")
    assert receiver.post(older, signed(older, "whsec_test_older")).status_code == 200
    assert receiver.post(newer, signed(newer)).status_code == 200
    assert len(query("SELECT id FROM inbox")) == 2


def test_a_duplicate_changes_nothing(receiver: ReceiverProcess, query: Query) -> None:
    """A second delivery is acknowledged, counted, and leaves the first row as it was."""
    body, other = event(), event(created=1_800_000_000)
    assert receiver.post(body, signed(body)).status_code == 200
    before = query("SELECT * FROM inbox")
    assert receiver.post(other, signed(other)).status_code == 200
    assert query("SELECT * FROM inbox") == before
    figures = receiver.figures()
    assert (figures["accepted"], figures["duplicate"]) == (1, 1)
    assert figures["heard"]["stripe"] == 2


def test_one_event_a_hundred_times_at_once(
    start_receiver: StartReceiver, config: ReceiverConfig, query: Query
) -> None:
    """Two receivers get one event a hundred times at once: one row, and 200 each time."""
    receivers = [start_receiver(config), start_receiver(config)]
    body = event()
    headers = signed(body)
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda number: receivers[number % 2].post(body, headers), range(100))
        assert {answer.status_code for answer in answers} == {200}
    assert len(query("SELECT id FROM inbox")) == 1
    figures = [receiver.figures() for receiver in receivers]
    assert sum(each["accepted"] for each in figures) == 1
    assert sum(each["duplicate"] for each in figures) == 99


def test_requests_at_once_share_commits(receiver: ReceiverProcess, query: Query) -> None:
    """Sixty-four clients at once: every event has its row, in fewer commits than there were events."""
    bodies = [event(f"evt_{number}") for number in range(640)]
    with ThreadPoolExecutor(64) as pool:
        answers = pool.map(lambda body: receiver.post(body, signed(body)), bodies)
        assert {answer.status_code for answer in answers} == {200}
    stored = query("SELECT count(*) AS events, count(DISTINCT xmin::text) AS commits FROM inbox")[0]
    assert stored["events"] == 640
    assert stored["commits"] < 640
    assert receiver.figures()["commits"] == stored["commits"]
