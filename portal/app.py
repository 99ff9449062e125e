"""The page where a customer fixes a failed payment.

`GET /p/{token}` shows it, changes nothing and asks no provider: mail scanners follow links. What changes
something is a POST with a field that is bound to the link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from db import links
from dunning.zones import zone_of
from emails.brand import Brand
from emails.context import Reader
from portal import forms, language
from portal.actions import ACTIONS, Action, Leave
from portal.door import Behind, Door, Opened
from portal.facts import facts
from portal.forms import Binding, UnboundError
from portal.fresh import send_fresh_link
from portal.headers import Guarded
from portal.limits import Limits
from portal.links import Verdict, short
from portal.render import PAGES, Pages
from portal.view import offered, template_of, view
from worker.services import Services

log = structlog.get_logger()

# Seconds a closed door takes to open at least, be it unknown, too old or revoked.
EVENLY = 0.1
AWAY = (SQLAlchemyError, OSError, TimeoutError)
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Merchant:
    """In whose name the page speaks. `billing_page` is where customers go for what cannot be done here.

    `zone` is for customers whose own is not known; `secure` says that the page is reached by https.
    """

    brand: Brand
    billing_page: str
    zone: str
    secure: bool
    mail_templates: Path | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    """What each form on a page needs."""

    path: str
    field: str


class Portal:
    """The endpoints."""

    def __init__(
        self,
        services: Services,
        door: Door,
        binding: Binding,
        limits: Limits,
        merchant: Merchant,
        actions: Sequence[Action],
    ) -> None:
        self._services = services
        self._door = door
        self._binding = binding
        self._limits = limits
        self._merchant = merchant
        self._actions = actions
        self._pages = Pages(merchant.brand)

    # what is read

    async def page(self, request: Request) -> Response:
        """The page of a link, or the closed door."""
        token = self._token(request)
        opened = await self._open(token)
        return self._shown(request, opened)

    async def stylesheet(self, request: Request) -> Response:
        """The one style sheet, under its present name only."""
        if request.url.path != self._pages.style.path:
            raise HTTPException(404)
        return Response(
            self._pages.style.text, headers={"cache-control": FOREVER}, media_type="text/css; charset=utf-8"
        )

    async def healthz(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """The process can look links up; 503 otherwise."""
        try:
            async with asyncio.timeout(2), self._services.engine.connect() as connection:
                await connection.execute(text("SELECT digest FROM links LIMIT 0"))
        except AWAY:
            return JSONResponse({"status": "unavailable", "database": "down"}, 503)
        return JSONResponse({"status": "ready", "database": "up"})

    # what is done

    async def act(self, request: Request) -> Response:
        """Whatever a form asks for: another language, a fresh link, or one of the actions."""
        token = self._token(request)
        name = request.path_params["action"]
        action = next((each for each in self._actions if each.name == name), None)
        if action is None and name not in ("language", "fresh"):
            raise HTTPException(404)
        form = await forms.read(request)
        forms.check_origin(request)
        self._binding.check(token, form.get(forms.FIELD, ""))
        if name == "language":
            return await self._speak(token, form)
        if action is None:
            after = BackgroundTask(send_fresh_link, self._services, self._door, token)
            return self._message(request, token, "sent.html", background=after)
        return await self._run(request, token, action, form)

    async def _speak(self, token: str, form: forms.Form) -> Response:
        wished = form.get("language", "")
        answer = RedirectResponse(f"/p/{token}", 303)
        if wished in PAGES.languages():
            language.remember(answer, wished, secure=self._merchant.secure)
            digest = self._door.digest(token)
            if digest:
                async with self._services.engine.begin() as connection:
                    await links.speak(connection, digest, wished)
        return answer

    async def _run(self, request: Request, token: str, action: Action, form: forms.Form) -> Response:
        opened = await self._open(token)
        behind = opened.behind
        if opened.verdict is not Verdict.OK or behind is None:
            return self._shown(request, opened)
        if action not in offered(self._actions, facts(behind.context)):
            return self._shown(request, opened)  # it has been paid meanwhile, for instance
        answer = await action.run(self._services, behind, form)
        log.info("action.done", action=action.name, link=short(behind.link.digest))
        if isinstance(answer, Leave):
            if not action.may_lead_to(answer.url):
                raise HTTPException(500)
            return RedirectResponse(answer.url, 303)
        return self._shown(request, await self._open(token), notice=answer.notice)

    # what they have in common

    def _token(self, request: Request) -> str:
        """The token of the address, if whoever asks may ask: raises HTTPException 404 or 429."""
        token = str(request.path_params["token"])
        if not self._limits.allow(request, self._door.digest(token)):
            raise HTTPException(429, headers={"retry-after": "60"})
        return _presentable(token)

    async def _open(self, token: str) -> Opened:
        began = asyncio.get_running_loop().time()
        opened = await self._door.open(token)
        link = opened.behind.link if opened.behind else None
        log.info("page.asked", verdict=opened.verdict, link=short(link.digest) if link else None)
        if opened.verdict is not Verdict.OK:
            await asyncio.sleep(began + EVENLY - asyncio.get_running_loop().time())
        return opened

    def _shown(self, request: Request, opened: Opened, *, notice: str | None = None) -> Response:
        if opened.verdict is not Verdict.OK or opened.behind is None:
            return self._message(request, opened.token, "link.html", 404)
        return self._page(request, opened.token, opened.behind, notice)

    def _page(self, request: Request, token: str, behind: Behind, notice: str | None) -> Response:
        tongue, locale = language.choose(request, behind, secure=self._merchant.secure)
        seen = facts(behind.context)
        reader = Reader(locale, zone_of(behind.account, self._merchant.zone))
        folder = self._merchant.mail_templates
        shown = view(seen, reader, self._actions, plan=behind.link.plan, folder=folder)
        more = {"form": self._form(token), "billing_page": self._merchant.billing_page, "notice": notice}
        return HTMLResponse(self._pages.fill(template_of(seen), tongue, locale, shown | more))

    def _message(
        self,
        request: Request,
        token: str,
        template: str,
        status: int = 200,
        background: BackgroundTask | None = None,
    ) -> Response:
        """A page that says nothing of anybody, so that it is the same for every link."""
        tongue, locale = language.choose(request, None, secure=self._merchant.secure)
        page = self._pages.fill(template, tongue, locale, {"form": self._form(token)})
        return HTMLResponse(page, status, background=background)

    def _form(self, token: str) -> _Form:
        return _Form(f"/p/{token}", self._binding.field(token))

    # what goes wrong

    async def refused(self, request: Request, error: Exception) -> Response:
        """No such page, too many requests, or a form that none of our pages sends."""
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class; tells mypy
        why = {404: "nowhere", 429: "busy"}.get(error.status_code, "wrong")
        return self._problem(request, error.status_code, why, error.headers)

    async def late(self, request: Request, _: Exception) -> Response:
        """A form that is not bound to its link, or not any more. Nothing was done."""
        token = _presentable(str(request.path_params["token"]))
        return self._problem(request, 403, "late", path=f"/p/{token}")

    async def away(self, request: Request, error: Exception) -> Response:
        """The database does not answer."""
        log.warning("database.unreachable", error=type(error).__name__)
        return self._problem(request, 503, "away", {"retry-after": "30"})

    async def fault(self, request: Request, _: Exception) -> Response:
        """A fault of ours, which uvicorn logs. Nothing of it is shown."""
        return self._problem(request, 500, "away")

    def _problem(
        self, request: Request, status: int, why: str, headers: object = None, *, path: str = "/"
    ) -> Response:
        tongue, locale = language.choose(request, None, secure=self._merchant.secure)
        page = self._pages.fill("message.html", tongue, locale, {"why": why, "path": path})
        return HTMLResponse(page, status, headers if isinstance(headers, dict) else None)


def _presentable(token: str) -> str:
    """What cannot be a token is not repeated: neither in a form's address nor in a redirect."""
    return token if _SHAPE.issuperset(token) else "-"


_SHAPE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def create_app(
    services: Services,
    door: Door,
    binding: Binding,
    limits: Limits,
    merchant: Merchant,
    actions: Sequence[Action] = ACTIONS,
) -> ASGIApp:
    """The ASGI application. It closes the services' engine with its lifespan."""
    portal = Portal(services, door, binding, limits, merchant, actions)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await services.engine.dispose()

    app = Starlette(
        routes=[
            Route("/p/{token}", portal.page),
            Route("/p/{token}/{action}", portal.act, methods=["POST"]),
            Route("/assets/{name}", portal.stylesheet),
            Route("/healthz", portal.healthz),
            Route("/readyz", portal.readyz),
        ],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: portal.refused,
            UnboundError: portal.late,
            **dict.fromkeys(AWAY, portal.away),
            Exception: portal.fault,
        },
    )
    app.router.redirect_slashes = False
    targets = sorted({target for action in actions for target in action.targets})
    return Guarded(app, logo_url=merchant.brand.logo_url, form_targets=targets)
