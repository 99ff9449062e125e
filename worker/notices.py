"""A notice to the team in the form that each channel sends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from emails.alarm import Notice, alarm_chat, alarm_mail


def stored(notice: Notice, channel: str, at: datetime) -> dict[str, Any]:
    """What `Courier.send` takes; `at` is the date of the mail."""
    if channel == "chat":
        return {"text": alarm_chat(notice)}
    if channel != "mail":
        return {"title": notice.headline, "text": "\n\n".join(notice.paragraphs)}
    mail = alarm_mail(notice)
    date = at.astimezone(UTC).isoformat()
    return {"subject": mail.subject, "text": mail.text, "html": mail.html, "date": date, "thread": None}
