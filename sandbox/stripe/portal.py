"""Portal sessions: short-lived ways to the page on which a customer enters another card."""

from dataclasses import replace
from typing import Any

from sandbox.stripe import setups
from sandbox.stripe.cards import Card
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Customer, PortalSession, SetupIntent

# Stripe's own: an address nobody has opened lives for five minutes, a visit for an hour after its last step.
UNUSED = 5 * 60
IDLE = 3600


def create(
    ledger: Ledger,
    customer: Customer,
    *,
    return_url: str | None,
    locale: str | None,
    configuration: str | None,
    flow: dict[str, Any] | None,
) -> PortalSession:
    """Open a way in; `flow` is the API's `flow_data`, None for the portal's home page."""
    session_id = ledger.ids.new("bps")
    return ledger.put(
        PortalSession(
            id=session_id,
            created=ledger.now(customer.test_clock),
            customer=customer.id,
            url=f"{ledger.hosted_base_url}/hosted/portal/{session_id}",
            return_url=return_url,
            locale=locale,
            configuration=configuration,
            flow=flow,
        )
    )


def visit(ledger: Ledger, session: PortalSession) -> PortalSession | None:
    """The customer takes a step; None when they come too late."""
    now = _now(ledger, session)
    left = session.created + UNUSED if session.used_at is None else session.used_at + IDLE
    return ledger.put(replace(session, used_at=now)) if now <= left else None


def enter(ledger: Ledger, session: PortalSession, card: Card) -> SetupIntent:
    """A card entered on the page; once it is saved, it is the customer's default."""
    customer = ledger.get(Customer, session.customer)
    intent = setups.enter(ledger, customer, card, _now(ledger, session))
    ledger.put(replace(session, setup=intent.id))
    return intent


def answer(ledger: Ledger, session: PortalSession, *, confirmed: bool) -> SetupIntent:
    """What the customer has told the bank; raises ApiError when it has not asked."""
    intent = ledger.get(SetupIntent, session.setup or "")
    return setups.answer(ledger, intent, _now(ledger, session), confirmed=confirmed)


def _now(ledger: Ledger, session: PortalSession) -> int:
    return ledger.now(ledger.get(Customer, session.customer).test_clock)
