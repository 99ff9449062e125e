"""The page where a customer fixes a failed payment.

`GET /p/{token}` shows it, changes nothing and asks no provider: mail scanners follow links. What changes
something is a POST with a field that is bound to the link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from db import links, schema
from portal import forms, language
from portal.actions import Action, Asked, Leave, reachable, seen_through
from portal.actions.method import BACK
from portal.answers import Answers, Merchant, presentable
from portal.door import Door, Opened
from portal.forms import Binding, UnboundError
from portal.fresh import send_fresh_link
from portal.headers import Guarded, origin
from portal.limits import Limits
from portal.links import Verdict, short
from portal.render import PAGES
from portal.view import offered
from worker.services import Services

log = structlog.get_logger()

# Seconds a closed door takes to open at least, be it unknown, too old or revoked.
EVENLY = 0.1
AWAY = (SQLAlchemyError, OSError, TimeoutError)
FOREVER = "public, max-age=31536000, immutable"


class Portal:
    """The endpoints."""

    def __init__(
        self,
        services: Services,
        door: Door,
        binding: Binding,
        limits: Limits,
        answers: Answers,
        actions: Sequence[Action],
        targets: Collection[str],
        merchant: Merchant,
    ) -> None:
        self._services = services
        self._door = door
        self._binding = binding
        self._limits = limits
        self._merchant = merchant
        self._actions = actions
        self._targets = targets
        self._answers = answers

    # what is read

    async def page(self, request: Request) -> Response:
        """The page of a link, or the closed door."""
        token = self._token(request)
        opened = await self._open(token)
        return self._answers.shown(request, opened, back=BACK in request.query_params)

    async def back(self, request: Request) -> Response:
        """To the page, for a browser that asks again for the address of a form: a phone that was put away."""
        return RedirectResponse(f"/p/{self._token(request)}", 303)

    async def stylesheet(self, request: Request) -> Response:
        """The one style sheet, under its present name only."""
        if request.url.path != self._answers.pages.style.path:
            raise HTTPException(404)
        return Response(
            self._answers.pages.style.text,
            headers={"cache-control": FOREVER},
            media_type="text/css; charset=utf-8",
        )

    async def healthz(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """The process can look links up; 503 otherwise."""
        try:
            async with asyncio.timeout(2), self._services.engine.connect() as connection:
                await connection.execute(text("SELECT digest FROM links LIMIT 0"))
                found = await schema.read(connection)
        except AWAY:
            return JSONResponse({"status": "unavailable", "database": "down"}, 503)
        if found.standing == "behind":
            return JSONResponse({"status": "unavailable", "database": "behind"}, 503)
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
            return self._answers.message(request, token, "sent.html", background=after)
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
            return self._answers.shown(request, opened)
        able = reachable(self._actions, behind, self._services.gateways)
        if action not in offered(able, seen_through(behind)):
            return self._answers.shown(request, opened)  # it has been paid meanwhile, for instance
        answer = await action.run(Asked(self._services, behind, form, f"{self._merchant.base}/p/{token}"))
        log.info("action.done", action=action.name, link=short(behind.link.digest))
        if isinstance(answer, Leave):
            if origin(answer.url) not in self._targets:
                log.error("page.refused", action=action.name, origin=origin(answer.url))
                raise HTTPException(500)
            return RedirectResponse(answer.url, 303)
        return self._answers.shown(request, await self._open(token), said=answer)

    # what they have in common

    def _token(self, request: Request) -> str:
        """The token of the address, if whoever asks may ask: raises HTTPException 404 or 429."""
        token = str(request.path_params["token"])
        if not self._limits.allow(request, self._door.digest(token)):
            raise HTTPException(429, headers={"retry-after": "60"})
        return presentable(token)

    async def _open(self, token: str) -> Opened:
        began = asyncio.get_running_loop().time()
        opened = await self._door.open(token)
        link = opened.behind.link if opened.behind else None
        log.info("page.asked", verdict=opened.verdict, link=short(link.digest) if link else None)
        if opened.verdict is not Verdict.OK:
            await asyncio.sleep(began + EVENLY - asyncio.get_running_loop().time())
        return opened


def create_app(
    services: Services,
    door: Door,
    binding: Binding,
    limits: Limits,
    merchant: Merchant,
    actions: Sequence[Action],
    targets: Collection[str] = (),
) -> ASGIApp:
    """The ASGI application. It closes the services' engine with its lifespan.

    `targets` are the origins that customers may be sent to.
    """
    answers = Answers(merchant, binding, actions, services.gateways)
    portal = Portal(services, door, binding, limits, answers, actions, targets, merchant)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await services.engine.dispose()

    app = Starlette(
        routes=[
            Route("/p/{token}", portal.page),
            Route("/p/{token}/{action}", portal.act, methods=["POST"]),
            Route("/p/{token}/{action}", portal.back),
            Route("/assets/{name}", portal.stylesheet),
            Route("/healthz", portal.healthz),
            Route("/readyz", portal.readyz),
        ],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: answers.refused,
            UnboundError: answers.late,
            **dict.fromkeys(AWAY, answers.away),
            Exception: answers.fault,
        },
    )
    app.router.redirect_slashes = False
    return Guarded(app, logo_url=merchant.brand.logo_url, form_targets=targets)
