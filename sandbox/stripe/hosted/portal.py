"""The page of the customer portal: enter another card, which is then charged by default."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.hosted import card_form
from sandbox.stripe.hosted.card_form import CardForm
from sandbox.stripe.hosted.render import Fields, missing, page, submitted, too_late
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.records import PortalSession, SetupIntent

_PATH = "/hosted/portal/{id}"


class PortalPage:
    """Saves a card, after the bank's question where it has one, and leads back to where the customer was."""

    def __init__(self, engine: BillingEngine) -> None:
        self._engine = engine

    def routes(self) -> list[BaseRoute]:
        """The page and its challenge."""
        return [
            Route(_PATH, self._show, methods=["GET"]),
            Route(_PATH, submitted(self._save), methods=["POST"]),
            Route(f"{_PATH}/challenge", self._ask, methods=["GET"]),
            Route(f"{_PATH}/challenge", submitted(self._answer), methods=["POST"]),
        ]

    def _enter(self, request: Request) -> PortalSession | Response:
        """The session, visited; or what is said instead."""
        try:
            known = self._engine.get(PortalSession, request.path_params["id"])
        except UnknownObjectError:
            return missing()
        return self._engine.visit_portal(known) or too_late(known.return_url)

    def _show(self, request: Request) -> Response:
        session = self._enter(request)
        return session if isinstance(session, Response) else self._page(session)

    def _page(
        self,
        session: PortalSession,
        form: CardForm | None = None,
        *,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        setup = self._setup(session)
        return page(
            "portal.html",
            status=status,
            session=session,
            action=f"/hosted/portal/{session.id}",
            current=self._engine.default_card(session.customer),
            saved=setup is not None and setup.status == "succeeded",
            form=form or CardForm(),
            problem=problem,
        )

    def _setup(self, session: PortalSession) -> SetupIntent | None:
        return self._engine.get(SetupIntent, session.setup) if session.setup else None

    def _save(self, request: Request, fields: Fields) -> Response:
        session = self._enter(request)
        if isinstance(session, Response):
            return session
        form = card_form.read(fields, card_form.present(session.used_at or session.created))
        if form.card is None:
            return self._page(session, form, status=422)
        return self._result(session, self._engine.enter_in_portal(session, form.card), form)

    def _result(self, session: PortalSession, setup: SetupIntent, form: CardForm | None = None) -> Response:
        if setup.status == "requires_action":
            return RedirectResponse(f"/hosted/portal/{session.id}/challenge", 303)
        if setup.decline is not None:
            return self._page(session, form, problem=setup.decline.message, status=402)
        return RedirectResponse(_afterwards(session), 303)

    def _waiting(self, session: PortalSession) -> SetupIntent | None:
        setup = self._setup(session)
        return setup if setup is not None and setup.status == "requires_action" else None

    def _ask(self, request: Request) -> Response:
        session = self._enter(request)
        if isinstance(session, Response):
            return session
        setup = self._waiting(session)
        if setup is None:
            return RedirectResponse(f"/hosted/portal/{session.id}", 303)
        return page("challenge.html", card=setup.tried.card, amount=None, currency=None)

    def _answer(self, request: Request, fields: Fields) -> Response:
        session = self._enter(request)
        if isinstance(session, Response):
            return session
        if self._waiting(session) is None:
            return RedirectResponse(f"/hosted/portal/{session.id}", 303)
        confirmed = fields.get("answer") == "complete"
        return self._result(session, self._engine.answer_in_portal(session, confirmed=confirmed))


def _afterwards(session: PortalSession) -> str:
    """Where the flow's creator wants the customer to go once the card is saved; else the page itself."""
    after = (session.flow or {}).get("after_completion", {})
    if after.get("type") == "redirect":
        return str(after["redirect"]["return_url"])
    return f"/hosted/portal/{session.id}"
