"""From a template to an answer, and from a submitted form to its fields."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from dunning.money import Money, format_money
from sandbox.stripe.cards import PUBLISHED, Card

STYLE: Final = "/hosted/style.css"
Fields = dict[str, str]

_TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def page(template: str, *, status: int = 200, **facts: Any) -> Response:
    """A filled page; a fact that is missing raises jinja2.UndefinedError."""
    body = _environment.get_template(template).render(style=STYLE, numbers=PUBLISHED, **facts)
    return HTMLResponse(body, status, _HEADERS)


def missing() -> Response:
    """404 for whatever nobody was given the address of."""
    return page("missing.html", status=404)


def too_late(back: str | None = None) -> Response:
    """410; `back` leads to where a fresh address is made."""
    return page("expired.html", status=410, back=back)


def submitted(handler: Callable[[Request, Fields], Response]) -> Callable[[Request], Any]:
    """An endpoint that hands the form's fields to `handler`, which may block."""

    async def endpoint(request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        return await run_in_threadpool(handler, request, fields)

    return endpoint


def stylesheet(request: Request) -> Response:
    """The one style sheet."""
    return FileResponse(_TEMPLATES / "style.css", media_type="text/css")


def money(amount: int, currency: str) -> str:
    """An amount in the minor unit, as written in English."""
    return format_money(Money(amount, currency), "en")


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%B %-d, %Y}"


def _named(card: Card) -> str:
    kind = card.brand.capitalize() if card.type == "card" else "Bank account"
    return f"{kind} \u2022\u2022\u2022\u2022 {card.last4}"


_environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(money=money, day=_day, named=_named)
