"""What mail services send is taken from them alone and stored as it came; others have no path here."""

import asyncio
import binascii
import hmac
import io
import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from providers import svix_signature
from tests.providers import mail_bodies as bodies
from tests.webhooks.conftest import Query
from tests.webhooks.stripe_calls import event, signed
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import Log

KEY = b"a key of twenty-four byte"
SECRET = "whsec_" + b64encode(KEY).decode()
PASSWORD = "test-password-0123456789"
Post = Callable[..., list[httpx.Response]]
Call = tuple[str, bytes, dict[str, str]]


@pytest.fixture
def post(config: ReceiverConfig) -> Post:
    """Deliver calls to a receiver in this process, over its own store."""

    def deliver(*calls: Call, log: io.StringIO | None = None, **changes: Any) -> list[httpx.Response]:
        services = {
            "RESEND_WEBHOOK_SECRETS": ("whsec_" + b64encode(b"an older key of the same").decode(), SECRET),
            "POSTMARK_WEBHOOK_PASSWORDS": (PASSWORD,),
            "SES_WEBHOOK_PASSWORDS": ("another-password-0123", PASSWORD),
        }
        receiver = Receiver(
            replace(config, secrets={**config.secrets, **services, **changes}),
            Log("json", "info", log or io.StringIO()),
        )

        async def run() -> list[httpx.Response]:
            receiver.start()
            transport = httpx.ASGITransport(app=receiver)
            async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
                answers = [
                    await client.post(f"/webhooks/{path}", content=body, headers=headers)
                    for path, body, headers in calls
                ]
            await receiver.close()
            return answers

        return asyncio.run(run())

    return deliver


def of_resend(
    body: bytes, message_id: str = "msg_1", at: float | None = None, key: bytes = KEY
) -> dict[str, str]:
    """The headers of a genuine delivery by Svix."""
    seconds = str(int(time.time() if at is None else at))
    digest = hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, "sha256")
    signature = binascii.b2a_base64(digest, newline=False).decode()
    return {"svix-id": message_id, "svix-timestamp": seconds, "svix-signature": f"v1a,xx v1,{signature}"}


def login(password: str = PASSWORD, user: str = "dunning") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


BOUNCE = dumped(bodies.resend())
NOTIFICATION = dumped({"Type": "Notification", "MessageId": "m-1", "Message": bodies.ses()})


def test_each_service_is_stored_as_it_came(post: Post, query: Query) -> None:
    """Named by its own id, twice is once; what nobody has a use for is kept without its content."""
    opened = dumped(bodies.resend("email.opened"))
    answers = post(
        ("resend", BOUNCE, of_resend(BOUNCE)),
        ("resend", BOUNCE, of_resend(BOUNCE)),
        ("resend", opened, of_resend(opened, "msg_2")),
        ("postmark", dumped(bodies.postmark()), login()),
        ("postmark", dumped(bodies.postmark()), login(user="anybody")),
        ("ses", NOTIFICATION, login()),
        ("stripe", event(), signed(event())),
    )
    assert {answer.status_code for answer in answers} == {200}
    rows = query("SELECT source, type, status, livemode, payload FROM inbox ORDER BY id")
    assert [(row["source"], row["type"], row["status"]) for row in rows] == [
        ("resend", "email.bounced", "pending"),
        ("resend", "email.opened", "ignored"),
        ("postmark", "Bounce", "pending"),
        ("ses", "Notification", "pending"),
        ("stripe", "invoice.payment_failed", "pending"),
    ]
    assert [row["payload"] for row in rows[:2]] == [BOUNCE, None]
    assert not any(row["livemode"] for row in rows)


def test_strangers_are_told_nothing(post: Post, query: Query) -> None:
    """One answer for whatever is wrong with a signature, another that asks for a login."""
    log = io.StringIO()
    of_svix = [
        {},
        of_resend(b"other"),
        of_resend(BOUNCE, key=b"another key of that size"),
        of_resend(BOUNCE, at=time.time() - 400),
        of_resend(BOUNCE, at=time.time() + 400),
        of_resend(BOUNCE) | {"svix-id": "msg_9"},
        of_resend(BOUNCE) | {"svix-timestamp": "soon"},
        of_resend(BOUNCE) | {"svix-signature": "v1,"},
        of_resend(BOUNCE) | {"svix-signature": "telltale"},
        login(),
    ]
    answers = post(*(("resend", BOUNCE, headers) for headers in of_svix), log=log)
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, "invalid webhook\n")}
    wrong = [login("wrong-password-0123456789"), login(""), {"Authorization": "Basic ?"}]
    of_others = [{}, *wrong, {"Authorization": "Bearer x"}]
    calls = [(path, NOTIFICATION, each) for path in ("postmark", "ses") for each in of_others]
    answers = post(*calls, log=log)
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, "login needed\n")}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Basic realm="webhooks"'}
    assert query("SELECT id FROM inbox") == []
    assert "telltale" not in log.getvalue()
    assert "password" not in log.getvalue()


def test_a_service_that_nobody_set_up_has_no_path(post: Post) -> None:
    """Whatever is sent there."""
    answers = post(
        ("resend", BOUNCE, of_resend(BOUNCE)),
        ("postmark", dumped(bodies.postmark()), login()),
        ("ses", NOTIFICATION, login()),
        RESEND_WEBHOOK_SECRETS=(),
        POSTMARK_WEBHOOK_PASSWORDS=(),
        SES_WEBHOOK_PASSWORDS=(),
    )
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_what_is_no_event(post: Post) -> None:
    """Known senders, unknown content."""
    bodies_of = {"resend": b"{}", "postmark": b"[]", "ses": b'{"Type": "Notification"}'}
    answers = post(*((path, body, of_resend(body) | login()) for path, body in bodies_of.items()))
    assert [answer.status_code for answer in answers] == [400, 400, 400]


def test_a_secret_is_what_resend_shows() -> None:
    """The key is the base64 after the prefix."""
    assert svix_signature.key_of(SECRET) == KEY
    for wrong in ("", "whsec_", "whsec_?", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_")):
        with pytest.raises(ValueError, match=r"whsec_|16 bytes"):
            svix_signature.key_of(wrong)
