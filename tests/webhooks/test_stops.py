"""The receiver is stopped or killed while it has work."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.webhooks.conftest import Query, event_ids
from tests.webhooks.process import ReceiverProcess, wait_until


def burst(receiver: ReceiverProcess, send: signal.Signals) -> tuple[set[str], int]:
    """Deliver 600 events at once and signal the receiver midway.

    Returns the ids of the events that were answered 200, and the number of those that got no answer.
    """
    acknowledged: list[str] = []
    unanswered: list[str] = []

    def one(event_id: str) -> None:
        try:
            if receiver.deliver(event_id) == 200:
                acknowledged.append(event_id)
        except httpx.TransportError:
            unanswered.append(event_id)
        if event_id == "evt_200":
            receiver.popen.send_signal(send)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(one, [f"evt_{number}" for number in range(600)]))
    return set(acknowledged), len(unanswered)


def test_killed_in_a_burst(receiver: ReceiverProcess, query: Query) -> None:
    """kill -9 amid a burst: every event that was answered 200 has its row."""
    acknowledged, unanswered = burst(receiver, signal.SIGKILL)
    assert receiver.wait() == -signal.SIGKILL
    assert unanswered
    assert acknowledged
    assert acknowledged <= event_ids(query)


def test_stopped_in_a_burst(receiver: ReceiverProcess, query: Query) -> None:
    """SIGTERM amid a burst: what was taken in is finished and stored, and the exit code is 0."""
    acknowledged, _ = burst(receiver, signal.SIGTERM)
    assert receiver.wait() == 0
    (stopped,) = receiver.said("receiver.stopped")
    assert stopped["accepted"] == len(event_ids(query))
    assert acknowledged
    assert acknowledged <= event_ids(query)
    assert stopped["unavailable"] == {}


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(receiver: ReceiverProcess, first: signal.Signals) -> None:
    """A request that hangs holds up a clean stop, but not a second signal."""
    with socket.create_connection(("127.0.0.1", receiver.port)) as hanging:
        hanging.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert receiver.client.get("/healthz").status_code == 200
        receiver.popen.send_signal(first)
        wait_until(lambda: receiver.said("receiver.stopping"), "the stop to begin")
        assert receiver.popen.poll() is None
        receiver.popen.send_signal(signal.SIGTERM)
        assert receiver.wait() == 1
