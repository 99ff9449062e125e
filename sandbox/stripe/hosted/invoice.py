"""The page of an invoice: what is owed, and how to pay it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.errors import ApiError
from sandbox.stripe.hosted import card_form
from sandbox.stripe.hosted.card_form import CardForm
from sandbox.stripe.hosted.render import Fields, missing, page, submitted, too_late
from sandbox.stripe.ids import derived
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import Customer, Invoice

_PATH = "/hosted/invoice/{id}"


class InvoicePage:
    """Pays with the card on file or with another one, and puts the bank's question on a page of its own."""

    def __init__(self, engine: BillingEngine) -> None:
        self._engine = engine

    def routes(self) -> list[BaseRoute]:
        """The page and its challenge; both want the secret of their address."""
        return [
            Route(_PATH, self._show, methods=["GET"]),
            Route(_PATH, submitted(self._pay), methods=["POST"]),
            Route(f"{_PATH}/challenge", self._ask, methods=["GET"]),
            Route(f"{_PATH}/challenge", submitted(self._answer), methods=["POST"]),
        ]

    def _invoice(self, request: Request) -> Invoice | None:
        if request.query_params.get("s") != derived(request.path_params["id"], "page"):
            return None
        try:
            return self._engine.get(Invoice, request.path_params["id"])
        except UnknownObjectError:
            return None

    def _now(self, invoice: Invoice) -> int:
        with self._engine.ledger.lock:
            return self._engine.ledger.now(invoice.test_clock)

    def _show(self, request: Request) -> Response:
        invoice = self._invoice(request)
        if invoice is None:
            return missing()
        return too_late() if self._now(invoice) > invoice.hosted_until else self._page(invoice)

    def _page(
        self, invoice: Invoice, form: CardForm | None = None, *, problem: str | None = None, status: int = 200
    ) -> Response:
        return page(
            "invoice.html",
            status=status,
            invoice=invoice,
            action=_address(invoice),
            customer=self._engine.get(Customer, invoice.customer),
            asked=self._engine.asked_by_bank(invoice),
            on_file=self._engine.card_on_file(invoice),
            processing=self._engine.is_under_way(invoice),
            form=form or CardForm(),
            problem=problem,
        )

    def _pay(self, request: Request, fields: Fields) -> Response:
        """Without a number, the card on file pays, or the bank's question is answered."""
        invoice = self._invoice(request)
        if invoice is None:
            return missing()
        now = self._now(invoice)
        if now > invoice.hosted_until:
            return too_late()
        form = card_form.read(fields, card_form.present(now)) if "number" in fields else CardForm()
        if form.errors:
            return self._page(invoice, form, status=422)
        if form.card is None and self._engine.asked_by_bank(invoice):
            return RedirectResponse(_address(invoice, "/challenge"), 303)
        try:
            attempt = self._engine.pay_on_page(invoice, form.card)
        except ApiError as error:
            return self._page(self._engine.refresh(invoice), problem=str(error), status=error.status)
        return self._result(invoice, attempt, form)

    def _result(self, invoice: Invoice, attempt: Attempt, form: CardForm | None = None) -> Response:
        if attempt.action_required:
            return RedirectResponse(_address(invoice, "/challenge"), 303)
        if attempt.decline is not None:
            refused = self._engine.refresh(invoice)
            return self._page(refused, form, problem=attempt.decline.message, status=402)
        return RedirectResponse(_address(invoice), 303)

    def _ask(self, request: Request) -> Response:
        invoice = self._invoice(request)
        if invoice is None:
            return missing()
        method = self._engine.asked_by_bank(invoice)
        if method is None:
            return RedirectResponse(_address(invoice), 303)
        return page("challenge.html", card=method.card, amount=invoice.total, currency=invoice.currency)

    def _answer(self, request: Request, fields: Fields) -> Response:
        invoice = self._invoice(request)
        if invoice is None:
            return missing()
        if self._engine.asked_by_bank(invoice) is None:
            return RedirectResponse(_address(invoice), 303)
        confirmed = fields.get("answer") == "complete"
        return self._result(invoice, self._engine.answer_bank(invoice, confirmed=confirmed))


def _address(invoice: Invoice, step: str = "") -> str:
    return f"/hosted/invoice/{invoice.id}{step}?s={derived(invoice.id, 'page')}"
