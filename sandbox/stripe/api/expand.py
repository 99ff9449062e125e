"""`expand`: ids replaced by the objects they name, through lists and nested objects."""

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.objects import Json, confirmation_secret, line_items, render
from sandbox.stripe.objects.common import list_of
from sandbox.stripe.objects.customers import deleted_customer
from sandbox.stripe.records import CheckoutSession, Customer, Invoice, InvoicePayment, Subscription
from sandbox.stripe.versions import ApiVersion

# Stripe's limit, counted in path segments, the `data` of lists included.
MAX_LEVELS = 4


class Expansion:
    """Expands rendered bodies in place, in one API version."""

    def __init__(self, ledger: Ledger, version: ApiVersion) -> None:
        self._ledger = ledger
        self._version = version

    def apply(self, body: Json, paths: Sequence[str]) -> Json:
        """Raises ApiError (400) for a property that does not exist, cannot be expanded or lies too deep."""
        for path in paths:
            steps = path.split(".")
            if len(steps) > MAX_LEVELS:
                raise ApiError.invalid(
                    f"You cannot expand more than {MAX_LEVELS} levels of a property. Property: {path}",
                    code="property_expansion_max_depth",
                )
            self._walk(body, steps, path)
        return body

    def _walk(self, node: Any, steps: Sequence[str], path: str) -> None:
        if isinstance(node, list):
            for each in node:
                self._walk(each, steps, path)
            return
        if node is None or (isinstance(node, dict) and node.get("deleted")):
            # Of a deleted object nothing is left to expand, which is no fault of the path.
            return
        name, rest = steps[0], steps[1:]
        if name not in node:
            node[name] = self._included(node, name, path)
        if isinstance(node[name], str):
            node[name] = self._fetch(node[name], name)
        if rest:
            self._walk(node[name], rest, path)
        elif not isinstance(node[name], dict | list | None):
            raise _unexpandable(name)

    def _fetch(self, object_id: str, name: str) -> Json:
        record = self._ledger.find(object_id)
        if record is None:
            raise _unexpandable(name)
        if isinstance(record, Customer) and record.deleted:
            return deleted_customer(record)
        return render(record, self._version)

    def _included(self, node: Json, name: str, path: str) -> Any:
        """Properties that are only sent when asked for."""
        includable: dict[tuple[str, str], Callable[[str], Any]] = {
            ("customer", "subscriptions"): self._subscriptions,
            ("customer", "sources"): lambda owner: list_of([], f"/v1/customers/{owner}/sources"),
            ("customer", "tax_ids"): lambda owner: list_of([], f"/v1/customers/{owner}/tax_ids"),
            ("checkout.session", "line_items"): self._line_items,
            ("charge", "refunds"): lambda owner: list_of([], f"/v1/charges/{owner}/refunds"),
        }
        if self._version.basil:
            includable["invoice", "payments"] = self._payments
            includable["invoice", "confirmation_secret"] = self._confirmation_secret
        make = includable.get((str(node.get("object")), name))
        if make is None:
            inside = node.get("object") == "list"
            raise _unexpandable(name, hint=f"data.{path}" if inside else None)
        return make(node["id"]) if "id" in node else None

    def _payments(self, invoice_id: str) -> Json:
        payments = self._ledger.of(InvoicePayment, invoice_id)
        return list_of(
            [render(each, self._version) for each in payments], f"/v1/invoices/{invoice_id}/payments"
        )

    def _confirmation_secret(self, invoice_id: str) -> Json | None:
        return confirmation_secret(self._ledger.get(Invoice, invoice_id))

    def _line_items(self, session_id: str) -> Json:
        return line_items(self._ledger.get(CheckoutSession, session_id), self._version)

    def _subscriptions(self, customer_id: str) -> Json:
        live = [each for each in self._ledger.of(Subscription, customer_id) if not each.ended]
        return list_of(
            [render(each, self._version) for each in live], f"/v1/customers/{customer_id}/subscriptions"
        )


def _unexpandable(name: str, *, hint: str | None = None) -> ApiError:
    message = f"This property cannot be expanded ({name})."
    if hint is not None:
        message += f" You may want to try expanding '{hint}' instead."
    return ApiError.invalid(message)
