"""Everything that reads bytes of strangers, each with what it may say of those that it cannot understand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.problems import ProblemError
from console.team import cursor
from db.lookups import Place
from dunning.policy_file import PolicyFileError, read_policy
from emails.addresses import AddressError, parse_address
from emails.names import clean_name
from language.accept import wanted
from outbound.addresses import ForbiddenError, read_url
from portal.forms import Binding, UnboundError
from portal.links import Links
from providers import basic_login, svix_signature
from providers.envelope import BadEnvelope, BadSignature
from providers.lookup import MalformedEventError
from providers.mail import postmark, resend, ses, sns
from providers.mail import webhooks as mail_webhooks
from providers.mail.ses_reader import SesReader
from providers.stripe import webhook as stripe_webhook
from providers.systems import normalise
from tests.providers import bodies, mail_bodies

NOW = 1_790_000_000.0
SECRET = "a-secret-of-the-tests-which-is-long-enough"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
PLACE = Place(datetime.fromtimestamp(NOW, UTC), 1, "in_1")
LINKS = Links([SECRET])
BINDING = Binding([SECRET], lambda: datetime.fromtimestamp(NOW, UTC))


@dataclass(frozen=True, slots=True)
class Parser:
    """`read` is given bytes and raises nothing but `refuses`; `genuine` is what it does understand."""

    read: Callable[[bytes], object]
    refuses: tuple[type[Exception], ...]
    genuine: bytes


def _json(read: Callable[[Any], object]) -> Callable[[bytes], object]:
    """For what is handed JSON that has been read: the receiver has refused the rest."""

    def parse(data: bytes) -> object:
        try:
            content = json.loads(data.decode())
        except (ValueError, RecursionError):
            return None
        return read(content)

    return parse


def _mapping(read: Callable[[Mapping[str, Any]], object]) -> Callable[[bytes], object]:
    """The same for what is handed objects alone."""
    return _json(lambda content: read(content) if isinstance(content, dict) else None)


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _svix(data: bytes) -> None:
    named, at, signatures, *body = (data + b"\n\n\n").split(b"\n", 3)
    svix_signature.verify(named, at, signatures, b"".join(body), [b"a key of sixteen"], NOW)


def _sns(message: Mapping[str, Any]) -> None:
    """All that is asked of a message, with a certificate that is none."""
    for ask in (sns.certificate_url, sns.confirmation_url, sns.signed_text):
        try:
            ask(message)
        except sns.NotGenuineError:
            continue
    sns.verify(message, b"no certificate")


async def _nothing(_: str) -> bytes:
    return b"no certificate"


def _reader(message: Mapping[str, Any]) -> object:
    return asyncio.run(SesReader([TOPIC], fetch=_nothing).read(message))


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()


_SNS = {
    "Type": "Notification",
    "MessageId": "m-1",
    "TopicArn": TOPIC,
    "Timestamp": "2026-03-02T09:05:00.000Z",
    "SignatureVersion": "2",
    "Signature": "c2ln",
    "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
    "Message": mail_bodies.ses(),
}
_BODY = bodies.body("invoice_payment_failed", bodies.NEW_SHAPE)

POLICY = b"""grace = "14d"
time_zone = "Europe/Berlin"
mail_hours = "08:00-20:00"

[ladder]
insufficient_funds = ["0d", "4d", "8d"]

[[segment]]
name = "annual"
match = { interval = "year" }
grace = "21d"
"""

PARSERS: Mapping[str, Parser] = {
    "stripe's signature": Parser(
        lambda data: stripe_webhook.verify(data, b"{}", [b"whsec_x"], NOW),
        (BadSignature,),
        b"t=1790000000,v1=" + b"0a" * 32,
    ),
    "svix' signature": Parser(_svix, (BadSignature,), b"msg_1\n1790000000\nv1,c2lnbmF0dXJl\n{}"),
    "a login": Parser(
        lambda data: basic_login.verify(data, [b"test-password"]), (BadSignature,), b"Basic ZHVubmluZzp4"
    ),
    "stripe's envelope": Parser(stripe_webhook.envelope, (BadEnvelope,), _dumped(_BODY)),
    "resend's envelope": Parser(
        lambda data: mail_webhooks.resend(data[:9], data), (BadEnvelope,), _dumped(mail_bodies.resend())
    ),
    "postmark's envelope": Parser(mail_webhooks.postmark, (BadEnvelope,), _dumped(mail_bodies.postmark())),
    "sns' envelope": Parser(mail_webhooks.ses, (BadEnvelope,), _dumped(_SNS)),
    "stripe's events": Parser(
        _json(lambda event: normalise("stripe", event)), (MalformedEventError,), _dumped(_BODY)
    ),
    "resend's events": Parser(
        _mapping(resend.normalise), (MalformedEventError,), _dumped(mail_bodies.resend())
    ),
    "postmark's events": Parser(
        _mapping(postmark.normalise), (MalformedEventError,), _dumped(mail_bodies.postmark())
    ),
    "ses' events": Parser(_mapping(ses.normalise), (MalformedEventError,), _dumped(_SNS)),
    "sns' messages": Parser(_mapping(_sns), (sns.NotGenuineError,), _dumped(_SNS)),
    "sns' reader": Parser(_mapping(_reader), (sns.NotGenuineError, MalformedEventError), _dumped(_SNS)),
    "a policy file": Parser(_text(read_policy), (PolicyFileError,), POLICY),
    "languages": Parser(_text(wanted), (), b"de-AT, en;q=0.5, *;q=0.1"),
    "a link": Parser(_text(LINKS.read), (), LINKS.mint().token.encode()),
    "a form's field": Parser(
        _text(lambda field: BINDING.check("token", field)), (UnboundError,), BINDING.field("token").encode()
    ),
    "a cursor": Parser(
        _text(cursor.read), (ProblemError,), b"WyIyMDI2LTAxLTAxVDA5OjAwOjAwKzAwOjAwIiwgMSwgImluXzEiXQ"
    ),
    "an endpoint's url": Parser(_text(read_url), (ForbiddenError,), b"https://shop.example:8443/hooks?x=1"),
    "a mail address": Parser(_text(parse_address), (AddressError,), b"Ada <ada@customer.example>"),
    "a name": Parser(_text(clean_name), (), "Zoë O'Neill \U0001f469\u200d\U0001f680 evil.example".encode()),
}


def fault(parser: Parser, data: bytes) -> str | None:
    """What a parser has raised that it may not; None where it has understood or refused."""
    try:
        parser.read(data)
    except parser.refuses:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300] + f" for {data[:300]!r}"
    return None
