"""The pages of the simulated Stripe on which customers pay, confirm with their bank, and change cards."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.hosted.checkout import CheckoutPage
from sandbox.stripe.hosted.invoice import InvoicePage
from sandbox.stripe.hosted.portal import PortalPage
from sandbox.stripe.hosted.render import STYLE, stylesheet

__all__ = ["hosted_pages"]


def hosted_pages(engine: BillingEngine) -> Sequence[BaseRoute]:
    """Routes of one account's pages: GET shows, POST acts. Whoever has an address may use it."""
    return [
        Route(STYLE, stylesheet, methods=["GET"]),
        *InvoicePage(engine).routes(),
        *PortalPage(engine).routes(),
        *CheckoutPage(engine).routes(),
    ]
