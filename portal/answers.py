"""What the portal answers: a customer's page, a page that knows nobody, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import structlog
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dunning.zones import zone_of
from emails.brand import Brand
from emails.context import Reader
from portal import language
from portal.actions import Action, Shown, reachable, seen_through
from portal.door import Behind, Opened
from portal.forms import Binding
from portal.links import Verdict
from portal.render import Pages
from portal.view import day_of, template_of, view
from providers.lookup import Gateway

log = structlog.get_logger()

NOTHING = Shown()


@dataclass(frozen=True, slots=True)
class Merchant:
    """In whose name the page speaks. `billing_page` is where customers go for what cannot be done here.

    `zone` is for customers whose own is not known; `base` is the page's public address without a slash.
    """

    brand: Brand
    billing_page: str
    zone: str
    base: str
    mail_templates: Path | None = None

    @property
    def secure(self) -> bool:
        """Whether it is reached by https."""
        return self.base.startswith("https:")


@dataclass(frozen=True, slots=True)
class FormFrame:
    """What each form on a page needs."""

    path: str
    field: str
    click: str


class Answers:
    """Writes answers in the reader's language."""

    def __init__(
        self,
        merchant: Merchant,
        binding: Binding,
        actions: Sequence[Action],
        gateways: Mapping[str, Gateway],
    ) -> None:
        self.pages = Pages(merchant.brand)
        self._merchant = merchant
        self._binding = binding
        self._actions = actions
        self._gateways = gateways

    def shown(
        self, request: Request, opened: Opened, *, said: Shown = NOTHING, back: bool = False
    ) -> Response:
        """The page of a link, or the closed door. `said` is what was just done.

        `back`: the reader has just been on a page of the provider's.
        """
        if opened.verdict is not Verdict.OK or opened.behind is None:
            return self.message(request, opened.token, "link.html", 404)
        return self._page(request, opened.token, opened.behind, said, back=back)

    def _page(self, request: Request, token: str, behind: Behind, said: Shown, *, back: bool) -> Response:
        tongue, locale = language.choose(request, behind, secure=self._merchant.secure)
        seen = seen_through(behind)
        reader = Reader(locale, zone_of(behind.account, self._merchant.zone))
        folder = self._merchant.mail_templates
        able = reachable(self._actions, behind, self._gateways)
        actions = [each for each in able if back or not each.on_return]
        shown = view(seen, reader, actions, plan=behind.link.plan, folder=folder)
        page = self._merchant.billing_page
        more = {
            "form": self._form(token),
            "billing_page": page,
            "pay_page": behind.link.pay_url or behind.context.s.invoice.pay_url or page,
            "notice": said.notice,
            "back": back,
            "dates": {name: day_of(value, reader) for name, value in said.dates.items()},
        }
        return HTMLResponse(self.pages.fill(template_of(seen), tongue, locale, shown | more))

    def message(
        self,
        request: Request,
        token: str,
        template: str,
        status: int = 200,
        background: BackgroundTask | None = None,
    ) -> Response:
        """A page that says nothing of anybody, so that it is the same for every link."""
        tongue, locale = language.choose(request, None, secure=self._merchant.secure)
        page = self.pages.fill(template, tongue, locale, {"form": self._form(token)})
        return HTMLResponse(page, status, background=background)

    def _form(self, token: str) -> FormFrame:
        return FormFrame(f"/p/{token}", self._binding.field(token), token_urlsafe(16))

    # what goes wrong

    async def refused(self, request: Request, error: Exception) -> Response:
        """No such page, too many requests, or a form that none of our pages sends."""
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class; tells mypy
        why = {404: "nowhere", 429: "busy"}.get(error.status_code, "wrong")
        return self._problem(request, error.status_code, why, error.headers)

    async def late(self, request: Request, _: Exception) -> Response:
        """A form that is not bound to its link, or not any more. Nothing was done."""
        token = presentable(str(request.path_params["token"]))
        return self._problem(request, 403, "late", path=f"/p/{token}")

    async def away(self, request: Request, error: Exception) -> Response:
        """The database does not answer."""
        log.warning("database.unreachable", error=type(error).__name__)
        return self._problem(request, 503, "away", {"retry-after": "30"})

    async def fault(self, request: Request, _: Exception) -> Response:
        """A fault of ours, which uvicorn logs. Nothing of it is shown."""
        return self._problem(request, 500, "away")

    def _problem(
        self,
        request: Request,
        status: int,
        why: str,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/",
    ) -> Response:
        tongue, locale = language.choose(request, None, secure=self._merchant.secure)
        page = self.pages.fill("message.html", tongue, locale, {"why": why, "path": path})
        return HTMLResponse(page, status, headers)


def presentable(token: str) -> str:
    """What cannot be a token is not repeated: neither in a form's address nor in a redirect."""
    return token if _SHAPE.issuperset(token) else "-"


_SHAPE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
