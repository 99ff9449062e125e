"""Amazon's messages are believed if Amazon signed them, for a topic of ours; nobody else is asked."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dunning.results import Result
from providers.lookup import ProviderUnavailableError
from providers.mail import sns
from providers.mail.ses_reader import LONGEST, SesReader, get
from providers.mail.sns import NotGenuineError
from tests.providers import mail_bodies as bodies

TOPIC = "arn:aws:sns:eu-central-1:123456789012:dunning-mail"
HOST = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb"

Sign = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(key: RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def sign(key: RSAPrivateKey) -> Sign:
    def signed(version: str = "2", **changes: Any) -> dict[str, Any]:
        message = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": bodies.ses(),
            "Timestamp": "2026-03-02T09:05:00.000Z",
            "SigningCertURL": CERTIFICATE,
            "SignatureVersion": version,
        } | changes
        digest = SHA1() if version == "1" else SHA256()  # noqa: S303  # Amazon's version 1
        signature = key.sign(sns.signed_text(message), PKCS1v15(), digest)
        return message | {"Signature": b64encode(signature).decode()}

    return signed


class Amazon:
    """What is asked of Amazon, and what it answers."""

    def __init__(self, certificate: bytes) -> None:
        self.certificate, self.asked = certificate, list[str]()

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self.certificate


def read(amazon: Amazon, *messages: dict[str, Any]) -> list[list[Any]]:
    reader = SesReader([TOPIC], amazon)

    async def each() -> list[list[Any]]:
        return [await reader.read(message) for message in messages]

    return asyncio.run(each())


def test_the_text_that_is_signed() -> None:
    """Names and values in the order of Amazon's documents, each on a line, the subject if there is one."""
    message = {"Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": "m", "Timestamp": "now"}
    lines = ["Message", "m", "MessageId", "1", "Timestamp", "now", "TopicArn", "t", "Type", "Notification"]
    assert sns.signed_text(message).decode() == "".join(f"{line}\n" for line in lines)
    assert b"Subject\ns\nTimestamp" in sns.signed_text(message | {"Subject": "s"})


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_genuine_message_is_read(certificate: bytes, sign: Sign, version: str) -> None:
    """By either version of the signature; the certificate is fetched once."""
    amazon = Amazon(certificate)
    first, second = read(amazon, sign(version), sign(version, Subject="Amazon SES Email Event"))
    assert [each.kind for each in (*first, *second)] == [Result.HARD_BOUNCE] * 2
    assert amazon.asked == [CERTIFICATE]


def test_a_subscription_of_our_topic_is_confirmed(certificate: bytes, sign: Sign) -> None:
    """At the address in the message, which has to be the one for that."""
    amazon = Amazon(certificate)
    asked = {"Type": "SubscriptionConfirmation", "Token": "2336412f37fb", "Message": "You have chosen..."}
    assert read(amazon, sign(SubscribeURL=CONFIRM, **asked)) == [[]]
    assert amazon.asked == [CERTIFICATE, CONFIRM]
    for url in (CONFIRM.replace("ConfirmSubscription", "DeleteTopic"), CONFIRM.replace("dunning", "other")):
        with pytest.raises(NotGenuineError, match="confirmation"):
            read(Amazon(certificate), sign(SubscribeURL=url, **asked))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Message": bodies.ses("Delivery")}, "signature"),
        ({"Timestamp": "2026-03-03T09:05:00.000Z"}, "signature"),
        ({"Signature": "bm8="}, "signature"),
        ({"Signature": "?"}, "unreadable"),
        ({"SignatureVersion": "3"}, "version"),
        ({"Type": "UnsubscribeConfirmation"}, "type"),
        ({"Message": 7}, "fields"),
        ({"Message": "half a character: \ud800"}, "fields"),
        ({"TopicArn": ["of", "another", "kind"]}, "topic"),
    ],
)
def test_whatever_was_changed_is_not_believed(
    certificate: bytes, sign: Sign, changes: dict[str, Any], reason: str
) -> None:
    """The reason is a code, for whoever looks at what was retired."""
    with pytest.raises(NotGenuineError, match=f"^{reason}$"):
        read(Amazon(certificate), sign() | changes)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789.pem",
        "https://sns.eu-central-1.amazonaws.com:444/SimpleNotificationService-0123456789.pem",
        "https://me@sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789.pem",
        "https://sns.eu-central-1.amazonaws.com/other/SimpleNotificationService-0123456789.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789.pem?x=1",
        "https://evil.s3.amazonaws.com/SimpleNotificationService-0123456789.pem",
        "https://127.0.0.1/SimpleNotificationService-0123456789.pem",
        "https://[::1/SimpleNotificationService-0123456789.pem",
        "",
    ],
)
def test_no_other_place_is_asked(certificate: bytes, sign: Sign, url: str) -> None:
    """A stranger's certificate would make anything genuine, and an inner address is nobody's business."""
    amazon = Amazon(certificate)
    with pytest.raises(NotGenuineError):
        read(amazon, sign() | {"SigningCertURL": url})
    assert amazon.asked == []


def test_another_topic_is_not_believed(certificate: bytes, sign: Sign) -> None:
    """Though Amazon has signed it: anybody can have a topic. Nothing is asked for it."""
    amazon = Amazon(certificate)
    with pytest.raises(NotGenuineError, match="topic"):
        read(amazon, sign(TopicArn=TOPIC.replace("123456789012", "210987654321")))
    assert amazon.asked == []


@pytest.fixture(scope="module")
def somewhere() -> Iterator[str]:
    """A server that answers well, at length, with a redirect or not at all well."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # named by the library
            status = int(self.path[1:4])
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/200")
            self.end_headers()
            self.wfile.write(b"x" * (LONGEST + 1 if self.path.endswith("long") else 9))

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_is_fetched_is_bounded(somewhere: str) -> None:
    """A short 200 and nothing else; whatever else comes, the event waits and nobody is believed."""
    assert asyncio.run(get(f"{somewhere}/200")) == b"x" * 9
    for path in ("/302", "/404", "/503", "/200long"):
        with pytest.raises(ProviderUnavailableError):
            asyncio.run(get(f"{somewhere}{path}"))
    with pytest.raises(ProviderUnavailableError):
        asyncio.run(get("http://127.0.0.1:9"))
