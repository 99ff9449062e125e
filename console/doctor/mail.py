"""The mail server: does it let us in, and does anybody listen in? Nothing is sent."""

from __future__ import annotations

from console.doctor.finding import Finding, fault, good, risk
from console.doctor.values import Values
from emails.smtp_probe import Probe, UnreachableError, probe
from settings.connections import Smtp

AREA = "Mail server"
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
