"""The HTTP applications as strangers meet them: what is genuine at each door, by rules of its own."""

from __future__ import annotations

import asyncio
import base64
import hmac
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from starlette.types import ASGIApp

from tests.chaos.hostile import Heard, Sent, ask, faults, mutated
from tests.providers import commet_events, mail_bodies, neutral
from tests.webhooks.stripe_calls import event
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import Log

NOW = 1_790_000_000
SECRET = "whsec_test_receiver"
SVIX_KEY = b"a key of twenty-four byte"
PASSWORD = "test-password-0123456789"
AT_ONCE = 40
FORM = (b"content-type", b"application/x-www-form-urlencoded")

Genuine = Callable[[Sent], bool]


@dataclass
class Campaign:
    """What was sent to the doors of one application, and what came of it."""

    app: ASGIApp
    chance: random.Random
    times: int
    requests: int = 0
    routes: int = 0
    accepted: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def forge(self, sent: Sent, genuine: Genuine) -> None:
        """Send so many mutations that nobody could take for genuine: none may be answered 2xx."""

        def forged() -> Sent:
            while genuine(one := mutated(self.chance, sent)):
                pass
            return one

        heard = await self.send(forged)
        self.accepted += [repr(one)[:500] for one, answer in heard if 200 <= answer.status < 300]

    async def send(self, make: Callable[[], Sent]) -> list[tuple[Sent, Heard]]:
        """Send so many requests, some at once: none may be a fault of ours."""
        self.routes += 1
        heard: list[tuple[Sent, Heard]] = []
        while len(heard) < self.times:
            batch = [make() for _ in range(min(AT_ONCE, self.times - len(heard)))]
            heard += zip(batch, await asyncio.gather(*(ask(self.app, one) for one in batch)), strict=True)
        self.requests += len(heard)
        self.faults += faults(heard)
        return heard

    def figures(self) -> dict[str, object]:
        """For `tell`."""
        return {
            "requests": self.requests,
            "routes": self.routes,
            "accepted": len(self.accepted),
            "faults_of_ours": len(self.faults),
        }


# the receiver


def receiver(dsn: str, redis_url: str) -> Receiver:
    """A receiver that takes everything it can take, whose clock stands still."""
    config = ReceiverConfig(
        database_dsn=dsn,
        queue_url=redis_url,
        secrets={
            "STRIPE_WEBHOOK_SECRETS": ("whsec_test_older", SECRET),
            "STRIPE_CONNECT_WEBHOOK_SECRETS": (SECRET,),
            "RESEND_WEBHOOK_SECRETS": ("whsec_" + base64.b64encode(SVIX_KEY).decode(),),
            "POSTMARK_WEBHOOK_PASSWORDS": (PASSWORD,),
            "SES_WEBHOOK_PASSWORDS": (PASSWORD,),
            "COMMET_WEBHOOK_SECRETS": (commet_events.SECRET,),
            "DUNNING_EVENT_SOURCES": (f"acme hex {SECRET}",),
        },
        livemode=False,
        host="127.0.0.1",
        port=0,
    )
    return Receiver(config, Log("json", "error", io.StringIO()), clock=lambda: float(NOW))


def stripe(body: bytes = event()) -> Sent:
    """A delivery of Stripe's."""
    headers = ((b"stripe-signature", b"t=%d,v1=%s" % (NOW, _hex(SECRET.encode(), NOW, body))),)
    return Sent("POST", b"/webhooks/stripe", headers, body)


def connected(body: bytes = event()) -> Sent:
    """The same of a connected account, at the platform's endpoint."""
    return replace(stripe(body[:-1] + b',"account":"acct_1"}'), path=b"/webhooks/stripe/connect")


def resend(body: bytes | None = None) -> Sent:
    """A delivery of Resend's, by Svix."""
    body = json.dumps(mail_bodies.resend()).encode() if body is None else body
    headers = (
        (b"svix-id", b"msg_1"),
        (b"svix-timestamp", b"%d" % NOW),
        (b"svix-signature", b"v1," + _base64(b"msg_1", b"%d" % NOW, body)),
    )
    return Sent("POST", b"/webhooks/resend", headers, body)


def postmark(body: bytes | None = None) -> Sent:
    """A delivery of Postmark's."""
    body = json.dumps(mail_bodies.postmark()).encode() if body is None else body
    return Sent("POST", b"/webhooks/postmark", (_login(),), body)


def ses(body: bytes | None = None) -> Sent:
    """A delivery of Amazon SNS."""
    message = {"Type": "Notification", "MessageId": "m-1", "Message": mail_bodies.ses()}
    body = json.dumps(message).encode() if body is None else body
    return Sent("POST", b"/webhooks/ses", (_login(),), body)


def commet(body: bytes | None = None) -> Sent:
    """A delivery of Commet's."""
    body = commet_events.dumped(commet_events.event("payment.failed")) if body is None else body
    signature = hmac.digest(commet_events.SECRET.encode(), body, "sha256").hex().encode()
    return Sent("POST", b"/webhooks/commet", ((b"x-commet-signature", signature),), body)


def acme(body: bytes | None = None) -> Sent:
    """A delivery of a system that speaks the neutral format, in its plainest signature."""
    body = json.dumps(neutral.ORIGIN).encode() if body is None else body
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex().encode()
    return Sent("POST", b"/webhooks/events/acme", ((b"x-signature", signature),), body)


def is_commets(sent: Sent) -> bool:
    """Whether the body's own signature is among the headers."""
    own = hmac.digest(commet_events.SECRET.encode(), sent.body, "sha256").hex().encode()
    return any(own in value for value in sent.values(b"x-commet-signature"))


def is_acmes(sent: Sent) -> bool:
    """The same for the other."""
    own = hmac.digest(SECRET.encode(), sent.body, "sha256").hex().encode()
    return any(own in value for value in sent.values(b"x-signature"))


def is_stripes(sent: Sent) -> bool:
    """Whether one signature was made over the body by somebody who has the secret."""
    pairs = [part.strip() for value in sent.values(b"stripe-signature") for part in value.split(b",")]
    times = [part[2:] for part in pairs if part.startswith(b"t=") and part[2:].isdigit()]
    return any(b"v1=" + _hex(SECRET.encode(), int(at), sent.body) in pairs for at in times if len(at) < 13)


def is_resends(sent: Sent) -> bool:
    """The same for Svix."""
    named, at, signatures = (
        b",".join(sent.values(name)) for name in (b"svix-id", b"svix-timestamp", b"svix-signature")
    )
    return b"v1," + _base64(named, at, sent.body) in signatures.split()


def is_logged_in(sent: Sent) -> bool:
    """Whether a login with the password is among the headers."""
    for value in sent.values(b"authorization"):
        try:
            login = base64.b64decode(value.partition(b" ")[2].strip())
        except ValueError:
            continue
        if login.partition(b":")[2] == PASSWORD.encode():
            return True
    return False


DOORS: tuple[tuple[Callable[..., Sent], Genuine], ...] = (
    (stripe, is_stripes),
    (connected, is_stripes),
    (resend, is_resends),
    (postmark, is_logged_in),
    (ses, is_logged_in),
    (commet, is_commets),
    (acme, is_acmes),
)


def _hex(secret: bytes, at: int, body: bytes) -> bytes:
    return hmac.digest(secret, b"%d.%b" % (at, body), "sha256").hex().encode()


def _base64(named: bytes, at: bytes, body: bytes) -> bytes:
    return base64.b64encode(hmac.digest(SVIX_KEY, b".".join((named, at, body)), "sha256"))


def _login() -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + base64.b64encode(f"dunning:{PASSWORD}".encode())


# the API and the page


def holds_key(key: str) -> Genuine:
    """Whether the key stands whole in a header."""
    return lambda sent: any(key.encode() in value for value in sent.values(b"authorization"))


def is_bound(token: str, bound: str) -> Genuine:
    """Whether a form holds its field and goes to its own link."""

    def genuine(sent: Sent) -> bool:
        given = dict(parse_qsl(sent.body.decode("latin-1"), keep_blank_values=True)).get("bound", "")
        return token.encode() in sent.path and given == bound

    return genuine


def form(token: str, action: str, **fields: str) -> Sent:
    """A form as the page sends it."""
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    return Sent("POST", f"/p/{token}/{action}".encode(), (FORM,), body)


def with_key(chance: random.Random, sent: Sent, key: str) -> Callable[[], Sent]:
    """The request with something changed, by somebody who has a key."""
    bearer = (b"authorization", b"Bearer " + key.encode())

    def make() -> Sent:
        changed = mutated(chance, sent)
        return replace(changed, headers=(*(each for each in changed.headers if each[0] != bearer[0]), bearer))

    return make
