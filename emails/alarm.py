"""What the merchant's team is told when everything is held back: about no customer, so it is no case's mail.

Plain on purpose: it must be readable when little else works, and has nothing to translate or to brand.
"""

from datetime import datetime
from html import escape

from emails.render import RenderedMail

RELEASE = 'dunning breaker release --by YOUR_NAME --why "..."'


def alarm_mail(*, brand: str, reason: str, by: str | None, at: datetime) -> RenderedMail:
    """The mail about a breaker that tripped at `at` (an aware time), or was tripped by somebody."""
    subject = f"{brand}: dunning is on hold"
    paragraphs = _paragraphs(reason, by, at)
    html = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    head = f'<html lang="en"><head><title>{escape(subject)}</title></head>'
    page = f"<!DOCTYPE html>\n{head}<body>\n{html}\n</body></html>\n"
    return RenderedMail(subject, "\n\n".join(paragraphs) + "\n", page)


def alarm_chat(*, brand: str, reason: str, by: str | None, at: datetime) -> str:
    """The same for a Slack-compatible chat, whose own three characters are escaped."""
    said = "\n".join([f"*{brand}: dunning is on hold*", *_paragraphs(reason, by, at)])
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _paragraphs(reason: str, by: str | None, at: datetime) -> list[str]:
    who = f"{by} has put it on hold: " if by else ""
    return [
        f"Since {at:%B} {at.day}, {at:%Y, %H:%M %Z}, we send customers no mail, take nobody's access and "
        "charge nothing.",
        f"Why: {who}{reason}.",
        "Receipts, calls to you and access for those who pay go on. Nothing is lost: what is due waits, and "
        "whoever pays meanwhile hears nothing of it.",
        "Please find out whether so many customers can really have failed to pay. `dunning breaker` shows "
        "the figures.",
        f"When all is well, or as it should be: {RELEASE}",
    ]
