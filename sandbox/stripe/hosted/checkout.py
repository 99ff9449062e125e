"""The page of a Checkout session: what is bought, and the card to pay it with."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.errors import ApiError
from sandbox.stripe.hosted import card_form
from sandbox.stripe.hosted.card_form import CardForm
from sandbox.stripe.hosted.render import Fields, missing, page, submitted
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import CheckoutSession

_PATH = "/hosted/checkout/{id}"


class CheckoutPage:
    """Sells once; a session that is complete or has expired only says so."""

    def __init__(self, engine: BillingEngine) -> None:
        self._engine = engine

    def routes(self) -> list[BaseRoute]:
        """The page and its challenge."""
        return [
            Route(_PATH, self._show, methods=["GET"]),
            Route(_PATH, submitted(self._buy), methods=["POST"]),
            Route(f"{_PATH}/challenge", self._ask, methods=["GET"]),
            Route(f"{_PATH}/challenge", submitted(self._answer), methods=["POST"]),
        ]

    def _session(self, request: Request) -> CheckoutSession | Response:
        """The session if it is open; or what is said instead."""
        try:
            known = self._engine.get(CheckoutSession, request.path_params["id"])
        except UnknownObjectError:
            return missing()
        return known if known.status == "open" else self._closed(known)

    def _closed(self, session: CheckoutSession) -> Response:
        status = 410 if session.status == "expired" else 200
        return page("checked_out.html", status=status, session=session)

    def _show(self, request: Request) -> Response:
        session = self._session(request)
        return session if isinstance(session, Response) else self._page(session)

    def _page(
        self,
        session: CheckoutSession,
        form: CardForm | None = None,
        *,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        return page(
            "checkout.html",
            status=status,
            session=session,
            action=f"/hosted/checkout/{session.id}",
            on_file=self._engine.default_card(session.customer),
            form=form or CardForm(),
            problem=problem,
        )

    def _buy(self, request: Request, fields: Fields) -> Response:
        """Without a number, the customer's default card pays."""
        session = self._session(request)
        if isinstance(session, Response):
            return session
        with self._engine.ledger.lock:
            now = self._engine.ledger.now(session.test_clock)
        form = card_form.read(fields, card_form.present(now)) if "number" in fields else CardForm()
        if form.errors:
            return self._page(session, form, status=422)
        try:
            return self._result(session, self._engine.check_out(session, form.card), form)
        except ApiError as error:
            return self._failed(session, error)

    def _result(self, session: CheckoutSession, attempt: Attempt, form: CardForm | None = None) -> Response:
        if attempt.action_required:
            return RedirectResponse(f"/hosted/checkout/{session.id}/challenge", 303)
        if attempt.decline is not None:
            return self._page(session, form, problem=attempt.decline.message, status=402)
        return RedirectResponse(session.back, 303)

    def _failed(self, session: CheckoutSession, error: ApiError) -> Response:
        """The session was closed in another window meanwhile, or there is no card on file."""
        known = self._engine.refresh(session)
        if known.status != "open":
            return self._closed(known)
        return self._page(known, problem=str(error), status=error.status)

    def _ask(self, request: Request) -> Response:
        session = self._session(request)
        if isinstance(session, Response):
            return session
        if session.asked is None:
            return RedirectResponse(f"/hosted/checkout/{session.id}", 303)
        amount = session.total if session.charges else None
        return page("challenge.html", card=session.asked.card, amount=amount, currency=session.currency)

    def _answer(self, request: Request, fields: Fields) -> Response:
        session = self._session(request)
        if isinstance(session, Response):
            return session
        if session.asked is None:
            return RedirectResponse(f"/hosted/checkout/{session.id}", 303)
        confirmed = fields.get("answer") == "complete"
        try:
            return self._result(session, self._engine.answer_in_checkout(session, confirmed=confirmed))
        except ApiError as error:
            return self._failed(session, error)
