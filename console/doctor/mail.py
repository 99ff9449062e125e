"""The mail server: does it let us in, does anybody listen in, do bounces come back? Nothing is sent."""

from __future__ import annotations

from console.doctor.finding import Finding, fault, good, risk
from console.doctor.values import Values
from emails.smtp_probe import Probe, UnreachableError, probe
from providers.mail.settings import MailService, MailWebhooks
from settings.connections import Smtp

AREA, RESULTS = "Mail server", "Mail results"
PATIENCE = 5.0  # seconds


async def look(values: Values) -> list[Finding]:
    settings = values.of(Smtp)
    if settings is None:
        return []
    try:
        found = await probe(settings.smtp_url.get_secret_value(), patience=PATIENCE)
    except UnreachableError as error:
        harm = "No customer is told anything; after most of a working day without it the team is called."
        return [
            fault(AREA, f"cannot be used: {error}", harm, "Look at SMTP_URL: name, port, user, password.")
        ]
    return judge(found)


def judge(found: Probe) -> list[Finding]:
    if not (found.encrypted or found.local):
        harm = "Names, amounts and links that open pages can be read on the way."
        cure = "Write smtps:// or add ?tls=required to SMTP_URL."
        return [risk(AREA, "is spoken to without encryption", harm, cure)]
    how = ["encrypted" if found.encrypted else "on this machine"]
    how += ["logged in"] if found.logged_in else []
    return [good(AREA, f"reached, {', '.join(how)}")]


async def results(values: Values) -> list[Finding]:
    """Whether anybody tells us of a mail that comes back after it was accepted."""
    service, webhooks = values.of(MailService), values.of(MailWebhooks)
    if service is None or webhooks is None:
        return []
    harm = "A warning that bounces later counts as one, and access is taken from somebody who never read it."
    if service.mail_service is None:
        cure = "Set DUNNING_MAIL_SERVICE as docs/mail-results.md describes, if yours is one of the three."
        return [risk(RESULTS, "no mail service tells what becomes of mails", harm, cure)]
    known = {
        "resend": ("RESEND_WEBHOOK_SECRETS", webhooks.resend_webhook_secrets),
        "postmark": ("POSTMARK_WEBHOOK_PASSWORDS", webhooks.postmark_webhook_passwords),
        "ses": ("SES_WEBHOOK_PASSWORDS", webhooks.ses_webhook_passwords),
    }
    name, given = known[service.mail_service]
    if given:
        return [good(RESULTS, f"{service.mail_service} tells what becomes of mails")]
    cure = f"Set {name} for the receiver; docs/mail-results.md goes through it."
    return [risk(RESULTS, f"{service.mail_service} has no way to tell what becomes of mails", harm, cure)]
