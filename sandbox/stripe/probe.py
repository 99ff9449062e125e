"""A card that is tried before there is anything to charge: a refusal leaves nothing behind."""

from sandbox.stripe import payments
from sandbox.stripe.declines import APPROVED, ASKING, under_way
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import PaymentMethod


def attempt(ledger: Ledger, method: PaymentMethod) -> Attempt:
    """What the issuer would say: a decline, a question, or neither, and then the charge is still to be made.

    A decline counts as a charge of the card. Stripe keeps a failed charge of it, which belongs to no invoice.
    """
    outcome = ledger.coming_outcome(method)
    if outcome in ASKING:
        return Attempt(method=method, action_required=True)
    if outcome == APPROVED or under_way(outcome):
        return Attempt(method=method)
    ledger.next_outcome(method)
    return Attempt(method=method, decline=payments.refusal(method, outcome))
