"""What the merchant's application shows a customer: a banner above everything, or a wall before it.

Plain words and addresses for `static/banner.js`, or for an application that draws its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from babel import Locale

from console.banner import BANNERS, banner, date_text
from db.access import AccessRow, CaseLink
from dunning.access import Level, Reason
from language.catalogues import Message
from portal.links import Pages, Verdict, verdict

PAY: Final = Message("Fix the payment")
RETURN: Final = Message("Start again")
CLOSE: Final = Message("Close")
LEAVE: Final = Message("Sign out")

# Whoever has paid for nothing any more meets a wall; everybody else goes on working below a banner.
_FORMS: Final[Mapping[str, str]] = {Level.WARNED: "banner", Level.LIMITED: "banner", Level.REVOKED: "wall"}
_PAID_BY_COMING_BACK: Final = frozenset(
    {Reason.CANCELED_FOR_NONPAYMENT, Reason.CANCELED, Reason.NO_SUBSCRIPTION}
)


def notice(
    row: AccessRow,
    link: CaseLink | None,
    *,
    now: datetime,
    tags: Sequence[str],
    zone: tzinfo,
    pages: Pages | None,
) -> dict[str, Any]:
    """The answer as plain JSON values; with full access there is nothing to show, and `show` is null.

    `deadline` is when the level ends by itself, while that lies ahead. `link` leads to the customer's page
    while one of its case's links opens it, else null. `tags` are the reader's languages; where they say
    nothing, the customer's own count.
    """
    at = row.clock or now
    wanted = [*tags, *row.locales]
    language, locale = BANNERS.choose(wanted)
    text = banner(row.level, row.reason, row.until, now=at, tags=wanted, zone=zone)
    until = row.until if text and row.until and row.until > at else None
    known = Locale.parse(locale, sep="-")
    say = BANNERS.translations(language).gettext
    return {
        "customer": row.customer,
        "level": row.level,
        "show": _FORMS.get(row.level),
        "lang": locale,
        "dir": "rtl" if known.character_order == "right-to-left" else "ltr",
        "text": text,
        "deadline": f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if until else None,
        "deadline_text": date_text(until, locale, zone) if until else None,
        "link": _address(link, pages, at) if text else None,
        "labels": {
            "link": say(RETURN if row.reason in _PAID_BY_COMING_BACK else PAY),
            "close": say(CLOSE),
            "leave": say(LEAVE),
        },
    }


def _address(link: CaseLink | None, pages: Pages | None, at: datetime) -> str | None:
    """The address of the customer's page, if it would open: nobody is led to a closed door."""
    if link is None or pages is None:
        return None
    opens = verdict(made_at=link.made_at, revoked_at=None, closed_at=link.closed_at, now=at)
    return pages.banner_url(link.digest) if opens is Verdict.OK else None
