"""Stripe's own pages, made for one click: their addresses live for minutes and belong in no mail."""

from __future__ import annotations

from typing import Any

from providers.fields import text
from providers.lookup import ProviderUnavailableError
from providers.stripe.client import RefusedError, StripeApi


async def method_page(api: StripeApi, customer: str, back: str) -> str:
    """The customer portal's flow for a payment method (API reference: billing_portal/sessions, flow_data).

    Stripe refuses it where the portal was never set up in the dashboard: a person has to, so that is raised
    as ProviderUnavailableError.
    """
    flow: Any = {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": back}},
    }
    return await _made(
        api.v1.billing_portal.sessions.create_async(
            {"customer": customer, "return_url": back, "flow_data": flow}
        ),
        api,
    )


async def _made(call: Any, api: StripeApi) -> str:
    try:
        session = await api.have_done(call)
    except RefusedError as refused:
        raise ProviderUnavailableError(refused.code) from None
    url = text(session, "url")
    if url is None:
        raise ProviderUnavailableError("no_page")
    return url
