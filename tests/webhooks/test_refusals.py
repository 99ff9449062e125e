"""Whatever else arrives: 4xx, never 5xx, and nothing is stored."""

import random
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from time import time

import pytest

from serving.protocol import MAX_HEAD
from tests.webhooks.conftest import Query, StartReceiver
from tests.webhooks.process import ReceiverProcess
from tests.webhooks.stripe_calls import event, signature, signed
from webhooks.config import ReceiverConfig
from webhooks.http import MAX_BODY, MAX_DISCARD

BODY = event()


def test_every_wrong_signature_gets_the_same_answer(receiver: ReceiverProcess, query: Query) -> None:
    """Forged, stale, premature, malformed and missing signatures cannot be told apart from outside."""
    right = signature(BODY)
    headers: list[dict[str, str | bytes]] = [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "nonsense"},
        {"Stripe-Signature": f"t={int(time())},v0={right}"},
        {"Stripe-Signature": f"t={int(time())},v1={right[:-1]}"},
        {"Stripe-Signature": f"t={int(time())},v1=".encode() + "é☕".encode()},
        {"Stripe-Signature": f"t={int(time())},v1=".encode() + b"\xff\xfe"},
        {**signed(BODY, "whsec_test_forged")},
        {**signed(BODY, at=time() - 400)},
        {**signed(BODY, at=time() + 400)},
    ]
    answers = {
        (answer.status_code, answer.text) for answer in (receiver.post(BODY, head) for head in headers)
    }
    assert answers == {(400, "invalid webhook\n")}
    assert query("SELECT id FROM inbox") == []
    assert receiver.figures()["rejected"] == {
        "signature.header_missing": 2,
        "signature.header_malformed": 2,
        "signature.signature": 4,
        "signature.timestamp": 2,
    }


def test_signed_bodies_that_are_no_events(receiver: ReceiverProcess) -> None:
    """A right signature does not make an event of any bytes; the log says which reason it was."""
    bodies = {
        b"": "empty",
        b"[]": "envelope.not_an_object",
        b"{": "envelope.json",
        b"[" * 100_000: "envelope.json",
        b'{"id":"\xff"}': "envelope.utf8",
        event(id=None): "envelope.id",
        event(id="evt_\x00"): "envelope.id",
        event(type=None): "envelope.type",
        event(livemode=None): "envelope.livemode",
    }
    answers = [receiver.post(body, signed(body)) for body in bodies]
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, "invalid webhook\n")}
    assert receiver.figures()["rejected"] == Counter(bodies.values())
    assert [line["reason"] for line in receiver.said("webhook.rejected")] == list(bodies.values())


def test_the_largest_body_is_taken(receiver: ReceiverProcess, query: Query) -> None:
    """A signed event of exactly 256 KiB is stored, one byte more is not."""
    padding = MAX_BODY - len(event(pad=""))
    largest, larger = event(pad="x" * padding), event("evt_2", pad="x" * (padding + 1))
    assert (len(largest), len(larger)) == (MAX_BODY, MAX_BODY + 1)
    assert receiver.post(largest, signed(largest)).status_code == 200
    assert receiver.post(larger, signed(larger)).status_code == 413
    assert [row["event_id"] for row in query("SELECT event_id FROM inbox")] == ["evt_1"]


@pytest.mark.parametrize("size", [MAX_BODY + 1, MAX_DISCARD])
def test_too_much_without_a_length_is_counted_while_reading(receiver: ReceiverProcess, size: int) -> None:
    """A chunked body that declares no length is refused by what was read."""

    def chunks() -> Iterator[bytes]:
        for start in range(0, size, 50_000):
            yield b"x" * min(50_000, size - start)

    answer = receiver.client.post("/webhooks/stripe", content=chunks(), headers=signed(b""))
    assert answer.status_code == 413
    assert receiver.figures()["rejected"] == {"too_large": 1}


def talk(port: int, *parts: bytes) -> bytes:
    """Everything the receiver says to these bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        said = b""
        while more := connection.recv(65536):
            said += more
        return said


def test_a_huge_declared_length_is_refused_unread(receiver: ReceiverProcess) -> None:
    """A Content-Length beyond reason is answered before a byte of the body arrives."""
    for length in (b"1048577", b"99999999999999999"):
        said = talk(
            receiver.port, b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\n\r\n" % length
        )
        assert said.startswith(b"HTTP/1.1 413 ")


def test_slow_clients_are_let_go(start_receiver: StartReceiver, config: ReceiverConfig) -> None:
    """A body that does not come is answered 408; headers that do not come end the connection."""
    receiver = start_receiver(replace(config, read_limit=0.2))
    head = b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
    assert talk(receiver.port, head + b"\r\nonly this").startswith(b"HTTP/1.1 408 ")
    assert talk(receiver.port, head) == b""
    assert talk(receiver.port) == b""
    assert receiver.figures()["rejected"] == {"too_slow": 1}


def test_endless_headers_are_cut_off(receiver: ReceiverProcess) -> None:
    """A request's head has a size limit."""
    said = talk(receiver.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-Long: " + b"x" * MAX_HEAD)
    assert said.startswith(b"HTTP/1.1 400 ")


def test_a_client_that_goes_away_costs_nothing(receiver: ReceiverProcess) -> None:
    """A connection that ends in the middle of a body is no error and leaves no trace."""
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        connection.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert receiver.figures()["rejected"] == {}
    assert receiver.stop() == 0
    assert {line["level"] for line in receiver.log} == {"info"}


def mutated(chance: random.Random) -> tuple[bytes, dict[str, bytes]]:
    """A genuine delivery with something changed in its body, its signature or its headers."""
    body, head = bytearray(BODY), bytearray(signed(BODY)["Stripe-Signature"].encode())
    target = chance.choice([body, head])
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(target))
        match chance.choice(["change", "remove", "insert", "cut"]):
            case "change":
                target[at] ^= chance.randrange(1, 256)
            case "remove" if len(target) > 1:
                del target[at]
            case "insert":
                target.insert(at, chance.randrange(256))
            case _:
                del target[max(at, 1) :]
    name = chance.choice(["Stripe-Signature"] * 9 + ["Stripe-Signatur", "X-Stripe-Signature"])
    # What HTTP itself forbids in a header would be refused before the receiver sees it.
    return bytes(body), {name: bytes(byte for byte in head if byte >= 0x20 and byte != 0x7F).strip()}


def is_still_genuine(body: bytes, headers: dict[str, bytes]) -> bool:
    """Whether a mutation left a good delivery, for instance by adding a field nobody reads."""
    fields = headers.get("Stripe-Signature", b"").split(b",")
    stamps = [field.strip()[2:] for field in fields if field.strip().startswith(b"t=")]
    if len(stamps) != 1 or not stamps[0].isdigit():
        return False
    return b"v1=" + signature(body, at=int(stamps[0])).encode() in [field.strip() for field in fields]


def test_a_thousand_mutations(receiver: ReceiverProcess, query: Query) -> None:
    """Of a thousand changed deliveries none is accepted and none is answered 5xx."""
    chance = random.Random(20261028)  # noqa: S311 -- a seed, not a secret
    statuses: list[int] = []
    while len(statuses) < 1_000:
        body, headers = mutated(chance)
        if not is_still_genuine(body, headers):
            statuses.append(receiver.post(body, headers).status_code)
    assert set(statuses) == {400}
    assert query("SELECT id FROM inbox") == []
    assert receiver.said("webhook.failed") == []


def test_no_line_of_the_log_holds_anything_of_a_request(receiver: ReceiverProcess) -> None:
    """Refusals are logged by reason alone."""
    receiver.post(BODY, {"Stripe-Signature": "t=1,v1=telltale"})
    receiver.post(b'["telltale"]', signed(b'["telltale"]'))
    talk(receiver.port, b"telltale\r\n\r\n")
    assert receiver.stop() == 0
    assert len(receiver.said("webhook.rejected")) == 2
    assert "telltale" not in str(receiver.log)
    assert "whsec" not in str(receiver.log)


def test_routes(receiver: ReceiverProcess) -> None:
    """Three paths exist, each with its methods."""
    answers = {
        f"{method} {path}": receiver.client.request(method, path)
        for method in ("GET", "HEAD", "PUT", "DELETE")
        for path in ("/", "/webhooks/stripe", "/webhooks/commet", "/healthz", "/readyz")
    }
    found = {request for request, answer in answers.items() if answer.status_code == 200}
    assert found == {"GET /healthz", "HEAD /healthz", "GET /readyz", "HEAD /readyz"}
    refused = {request for request, answer in answers.items() if answer.status_code == 405}
    assert refused == {f"{method} /webhooks/stripe" for method in ("GET", "HEAD", "PUT", "DELETE")} | {
        f"{method} {path}" for method in ("PUT", "DELETE") for path in ("/healthz", "/readyz")
    }
    assert answers["GET /webhooks/stripe"].headers["allow"] == "POST"
    assert {answer.status_code for answer in answers.values()} == {200, 404, 405}
    assert receiver.client.post("/webhooks/stripe/").status_code == 404
