"""The pages that links in mails lead to: an invoice to pay, and the portal to enter another card."""

from html import escape
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.stripe.cards import card_from_number
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ids import derived
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.records import Customer, Invoice, PaymentIntent, PortalSession

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1><p>{text}</p>{form}</html>
"""
_FORM = """<form method="post"><label>Card number
<input name="number" value="4242424242424242"></label> <button>{action}</button></form>"""


class HostedPages:
    """Simulated pages of one account; whoever has an address may use it."""

    def __init__(self, engine: BillingEngine) -> None:
        self._engine = engine

    def routes(self) -> list[BaseRoute]:
        """GET shows, POST acts and comes back."""
        return [
            Route("/hosted/invoice/{id}", self._show_invoice, methods=["GET"]),
            Route("/hosted/invoice/{id}", self._pay_invoice, methods=["POST"]),
            Route("/hosted/portal/{id}", self._show_portal, methods=["GET"]),
            Route("/hosted/portal/{id}", self._save_card, methods=["POST"]),
        ]

    def _invoice(self, request: Request) -> Invoice | None:
        if request.query_params.get("s") != derived(request.path_params["id"], "page"):
            return None
        try:
            return self._engine.get(Invoice, request.path_params["id"])
        except UnknownObjectError:
            return None

    def _show_invoice(self, request: Request) -> Response:
        invoice = self._invoice(request)
        if invoice is None:
            return _missing()
        form = _FORM.format(action="Pay") if invoice.payable else ""
        return _page(f"Invoice {invoice.number}", f"This invoice is {invoice.status}.", form)

    async def _pay_invoice(self, request: Request) -> Response:
        """With the customer present: confirm what waits for the bank, else pay with the card entered."""
        fields = dict(parse_qsl((await request.body()).decode()))
        return await run_in_threadpool(self._pay, request, fields.get("number", "4242424242424242"))

    def _pay(self, request: Request, number: str) -> Response:
        invoice = self._invoice(request)
        if invoice is None:
            return _missing()
        try:
            if self._awaits_confirmation(invoice):
                attempt = self._engine.confirm_payment(invoice)
            else:
                attempt = self._engine.pay_invoice(invoice, card=card_from_number(number), on_session=True)
        except ApiError as error:
            return _page("Not paid", str(error), "", status=error.status)
        if not (attempt.succeeded or attempt.pending):
            return _page("Not paid", "Your card was declined.", _FORM.format(action="Pay"), status=402)
        return RedirectResponse(str(request.url), 303)

    def _awaits_confirmation(self, invoice: Invoice) -> bool:
        if invoice.payment_intent is None:
            return False
        intent = self._engine.get(PaymentIntent, invoice.payment_intent)
        declined = intent.error is not None and intent.error.decline.needs_authentication
        return intent.status == "requires_action" or declined

    def _session(self, request: Request) -> PortalSession | None:
        try:
            return self._engine.get(PortalSession, request.path_params["id"])
        except UnknownObjectError:
            return None

    def _show_portal(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return _missing()
        back = f'<p><a href="{escape(session.return_url)}">Back</a></p>' if session.return_url else ""
        return _page("Your card", "Enter the card to charge.", _FORM.format(action="Save") + back)

    async def _save_card(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode()))
        return await run_in_threadpool(self._save, request, fields.get("number", "4242424242424242"))

    def _save(self, request: Request, number: str) -> Response:
        session = self._session(request)
        if session is None:
            return _missing()
        customer = self._engine.get(Customer, session.customer)
        self._engine.save_card(customer, card_from_number(number))
        return RedirectResponse(session.return_url or str(request.url), 303)


def _page(title: str, text: str, form: str, *, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), text=escape(text), form=form), status)


def _missing() -> Response:
    return _page("Not found", "There is no such page, or it has expired.", "", status=404)
