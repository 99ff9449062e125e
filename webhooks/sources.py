"""Who may send us webhooks, and how each of them is known: one entry a path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from providers import basic_login, hex_signature, svix_signature
from providers.commet import webhook as commet_webhook
from providers.envelope import Envelope
from providers.mail import webhooks as mail_webhooks
from providers.neutral import webhook as standard_webhook
from providers.stripe import webhook as stripe_webhook
from webhooks.config import ReceiverConfig
from webhooks.http import Answer, answer

# The same for every reason: what is wrong with a forged request is nobody's business.
INVALID = answer(400, b"invalid webhook\n")
# Amazon SNS logs in only once it was asked to.
LOGIN = answer(401, b"login needed\n", www_authenticate='Basic realm="webhooks"')

Header = Callable[[bytes], bytes]
"""A header's value by its name in small letters; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """One sender. `check` raises BadSignature for what is not theirs, `read` BadEnvelope for no event.

    `check` is given the headers, the body and the time in unix seconds; `stranger` is the answer to others.
    """

    name: str
    check: Callable[[Header, bytes, float], None]
    read: Callable[[Header, bytes], Envelope]
    stranger: Answer = INVALID


def sources(config: ReceiverConfig) -> Mapping[str, Source]:
    """Of those with a secret in the configuration, by path."""
    found = {"/webhooks/stripe": _stripe(_encoded(config.stripe_webhook_secrets))}
    if config.resend_webhook_secrets:
        keys = [svix_signature.key_of(secret) for secret in config.resend_webhook_secrets]
        found["/webhooks/resend"] = _resend(keys)
    if config.postmark_webhook_passwords:
        known = partial(_logs_in, _encoded(config.postmark_webhook_passwords))
        read = _body_alone(mail_webhooks.postmark)
        found["/webhooks/postmark"] = Source(mail_webhooks.POSTMARK, known, read, LOGIN)
    if config.ses_webhook_passwords:
        known = partial(_logs_in, _encoded(config.ses_webhook_passwords))
        # Amazon's own signature is checked by the worker, which can fetch its certificate.
        found["/webhooks/ses"] = Source(mail_webhooks.SES, known, _body_alone(mail_webhooks.ses), LOGIN)
    if config.commet_webhook_secrets:
        found["/webhooks/commet"] = _commet(_encoded(config.commet_webhook_secrets))
    for line in config.event_sources:
        source = standard_webhook.read_source(line)
        check = standard_webhook.checker(source)
        found[f"/webhooks/events/{source.name}"] = Source(
            source.name, check, _body_alone(standard_webhook.envelope)
        )
    return found


def _stripe(secrets: list[bytes]) -> Source:
    def check(header: Header, body: bytes, now: float) -> None:
        stripe_webhook.verify(header(stripe_webhook.SIGNATURE_HEADER), body, secrets, now)

    return Source("stripe", check, _body_alone(stripe_webhook.envelope))


def _commet(secrets: list[bytes]) -> Source:
    def check(header: Header, body: bytes, now: float) -> None:
        hex_signature.verify(header(commet_webhook.SIGNATURE_HEADER), body, secrets)

    return Source("commet", check, _body_alone(commet_webhook.envelope))


def _resend(keys: list[bytes]) -> Source:
    def check(header: Header, body: bytes, now: float) -> None:
        named, at = header(svix_signature.ID_HEADER), header(svix_signature.TIME_HEADER)
        svix_signature.verify(named, at, header(svix_signature.SIGNATURE_HEADER), body, keys, now)

    def read(header: Header, body: bytes) -> Envelope:
        return mail_webhooks.resend(header(svix_signature.ID_HEADER), body)

    return Source(mail_webhooks.RESEND, check, read)


def _logs_in(passwords: list[bytes], header: Header, body: bytes, now: float) -> None:
    basic_login.verify(header(basic_login.HEADER), passwords)


def _body_alone(read: Callable[[bytes], Envelope]) -> Callable[[Header, bytes], Envelope]:
    return lambda header, body: read(body)


def _encoded(secrets: tuple[str, ...]) -> list[bytes]:
    return [secret.encode() for secret in secrets]
