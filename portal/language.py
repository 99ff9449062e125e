"""Which language a reader is shown: what they chose, else the customer's own, else the browser's."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from language.accept import wanted
from portal.door import Behind
from portal.render import PAGES

A_YEAR = 365 * 24 * 3600  # seconds


def choose(request: Request, behind: Behind | None, *, secure: bool) -> tuple[str, str]:
    """The language, and the locale for dates and amounts.

    `behind` is what stands behind a link that opens its page, or None: nothing of the customer is shown then,
    not even their language.
    """
    known = list(behind.account.customer.locales) if behind else []
    known += wanted(request.headers.get("accept-language", ""))
    chosen = [request.cookies.get(_name(secure)), behind.link.locale if behind else None]
    language, locale = PAGES.choose([tag for tag in chosen if tag in PAGES.languages()] + known)
    # Whoever has chosen a language keeps the region that is known of them.
    regional = next((tag for tag in known if PAGES.language_of(tag) == language), locale)
    return language, PAGES.choose([regional])[1]


def remember(response: Response, language: str, *, secure: bool) -> None:
    """Keep a choice in the reader's browser."""
    response.set_cookie(
        _name(secure), language, max_age=A_YEAR, path="/", secure=secure, httponly=True, samesite="lax"
    )


def _name(secure: bool) -> str:
    """Over https the prefix keeps other hosts of the domain from setting it."""
    return "__Host-language" if secure else "language"
