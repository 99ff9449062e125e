"""Mail services: what they say of a mail that they took from us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from providers import svix_signature
from providers.door import Door, Header, body_alone, logged_in
from providers.envelope import Envelope
from providers.system import Process, Secrets, Sender

if TYPE_CHECKING:
    from settings.field import Settings

RESEND, POSTMARK, SES = "resend", "postmark", "ses"
RESEND_SECRETS = "RESEND_WEBHOOK_SECRETS"
POSTMARK_PASSWORDS = "POSTMARK_WEBHOOK_PASSWORDS"
SES_PASSWORDS = "SES_WEBHOOK_PASSWORDS"


class MailServices(Sender):
    """Resend, Postmark and Amazon SES: a door each here, and a reader in `providers.mail.services`."""

    families = (RESEND, POSTMARK, SES)

    def settings(self) -> Mapping[Process, type[Settings]]:
        from providers.mail.settings import MailService, MailWebhooks

        return {"receiver": MailWebhooks, "worker": MailService}

    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        from providers.mail import webhooks

        found: dict[str, Door] = {}
        if signed_with := secrets.get(RESEND_SECRETS):
            found["/webhooks/resend"] = _resend([svix_signature.key_of(secret) for secret in signed_with])
        if passwords := secrets.get(POSTMARK_PASSWORDS):
            read = body_alone(webhooks.postmark)
            found["/webhooks/postmark"] = Door(POSTMARK, logged_in(passwords), read, login=True)
        if passwords := secrets.get(SES_PASSWORDS):
            # Amazon SNS logs in only once it was asked to. Its own signature is checked by the worker, which
            # can fetch the certificate.
            found["/webhooks/ses"] = Door(SES, logged_in(passwords), body_alone(webhooks.ses), login=True)
        return found


def _resend(keys: list[bytes]) -> Door:
    from providers.mail import webhooks

    def check(header: Header, body: bytes, now: float) -> None:
        named, at = header(svix_signature.ID_HEADER), header(svix_signature.TIME_HEADER)
        svix_signature.verify(named, at, header(svix_signature.SIGNATURE_HEADER), body, keys, now)

    def read(header: Header, body: bytes) -> Envelope:
        return webhooks.resend(header(svix_signature.ID_HEADER), body)

    return Door(RESEND, check, read)


SYSTEM: Final = MailServices()
