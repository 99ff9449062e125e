"""The courier sends stored messages as they were stored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emails.brand import Brand
from emails.delivery import Accepted, Deferred, Delivery, Rejected
from tests.worker.chat import chat
from tests.worker.transports import Scripted
from worker.courier import Courier, Sender

STORED: dict[str, Any] = {
    "subject": "Grüße an Ada",
    "text": "Hello,\n\n.a line with a dot\n",
    "html": "<p>Hello</p>",
    "date": "2026-02-01T10:00:00+00:00",
    "thread": "payment_failed:in_1:1",
}
SENDER = Sender(
    address="Acme <billing@merchant.example>",
    reply_to="support@merchant.example",
    domain="merchant.example",
    brand=Brand("Acme", "support@merchant.example", "https://merchant.example"),
    timezone=ZoneInfo("UTC"),
    livemode=False,
)


def send(
    courier: Courier,
    *,
    channel: str = "mail",
    key: str = "final_warning:in_1:72h",
    to: str | None = "ada@customer.example",
    stored: dict[str, Any] = STORED,
) -> Delivery:
    return asyncio.run(courier.send(channel, key, to, stored))


def taken(transport: Scripted) -> EmailMessage:
    [raw] = transport.sent
    return message_from_bytes(raw, policy=policy.default)


def test_a_stored_mail_is_sent_with_all_its_headers() -> None:
    """From, To, Reply-To, Subject, Date, a Message-ID made of the key, and its place in the thread."""
    transport = Scripted(Accepted("250 ok"))
    assert send(Courier(SENDER, transport)) == Accepted("250 ok")

    message = taken(transport)
    assert message["From"] == "Acme <billing@merchant.example>"
    assert message["To"] == "ada@customer.example"
    assert message["Reply-To"] == "support@merchant.example"
    assert message["Subject"] == "Grüße an Ada"
    assert message["Date"] == "Sun, 01 Feb 2026 10:00:00 +0000"
    assert message["Message-ID"] != message["In-Reply-To"]
    assert message["In-Reply-To"].endswith("@merchant.example>")


def test_the_same_key_gives_the_same_bytes_and_another_key_another_id() -> None:
    """A copy is recognisable as one."""
    transport = Scripted(Accepted("250 ok"))
    for key in ("final_warning:in_1:72h", "final_warning:in_1:72h", "final_warning:in_1:24h"):
        send(Courier(SENDER, transport), key=key)

    first, again, other = transport.sent
    assert first == again
    assert first != other
    ids = {message_from_bytes(raw)["Message-ID"] for raw in transport.sent}
    assert len(ids) == 2


def test_the_head_of_a_thread_answers_nobody() -> None:
    """The mail whose own key heads the thread has no In-Reply-To."""
    transport = Scripted(Accepted("250 ok"))
    send(Courier(SENDER, transport), key=STORED["thread"])

    assert taken(transport)["In-Reply-To"] is None


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b.example, c@d.example", "a@b.example\nBcc: x@y.example", "<a@b.example"]
)
def test_an_impossible_address_is_refused_before_anything_is_sent(address: str) -> None:
    """The transport never hears of it, and the answer does not repeat it."""
    transport = Scripted(Accepted("250 ok"))
    answer = send(Courier(SENDER, transport), to=address)

    assert isinstance(answer, Rejected)
    assert transport.sent == []
    assert not address or address not in answer.text


def test_the_transports_answer_is_passed_on() -> None:
    """The courier adds nothing to what the mail server said."""
    for answer in (Accepted("250 ok"), Rejected(550, "no"), Deferred(451, "later")):
        assert send(Courier(SENDER, Scripted(answer))) == answer


def test_a_chat_gets_the_stored_text_as_json() -> None:
    """A Slack-compatible webhook: one POST with the text."""
    with chat() as room:
        courier = Courier(SENDER, Scripted(Accepted("")), room.url)
        assert send(courier, channel="chat", to=None, stored={"text": "Please look: <1>"}) == Accepted("200")

    assert room.heard == [{"text": "Please look: <1>"}]


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_chat_in_trouble_is_tried_again(status: int) -> None:
    """The team had better be told twice than not at all."""
    with chat() as room:
        room.answers = [status]
        answer = send(Courier(SENDER, Scripted(Accepted("")), room.url), channel="chat", stored={"text": "x"})

    assert isinstance(answer, Deferred)
    assert answer.code == status


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_a_chat_that_refuses_is_left_alone(status: int) -> None:
    """A refusal is final; a redirection is not followed with the case in hand."""
    with chat() as room:
        room.answers = [status]
        answer = send(Courier(SENDER, Scripted(Accepted("")), room.url), channel="chat", stored={"text": "x"})

    assert answer == Rejected(status, "the chat refused the message")
    assert len(room.heard) == 1


def test_a_chat_that_is_gone_from_the_settings_is_refused() -> None:
    """A row from before the webhook was taken out of the settings comes to its end."""
    answer = send(Courier(SENDER, Scripted(Accepted(""))), channel="chat", stored={"text": "x"})

    assert answer == Rejected(0, "no chat is configured any more")


def test_no_answer_tells_the_chats_secret_address() -> None:
    """The webhook's address is a secret: it is in no answer, since answers are kept."""
    with chat() as room:
        url = room.url
    answer = send(Courier(SENDER, Scripted(Accepted("")), url), channel="chat", stored={"text": "x"})

    assert isinstance(answer, Deferred)
    assert "services" not in answer.text


def test_a_sender_that_is_no_address_is_refused_like_a_recipient() -> None:
    """A mistake in the settings that got through ends as a failed mail, which calls a person."""
    courier = Courier(replace(SENDER, address="nobody"), Scripted(Accepted("250 ok")))

    assert isinstance(send(courier), Rejected)
