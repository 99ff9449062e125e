"""Money that is given back."""

from dataclasses import replace

from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Charge


def refund(ledger: Ledger, charge: Charge, now: int, *, amount: int | None = None) -> Charge:
    """Give back `amount` in minor units, or all that is left; raises ApiError where there is not so much."""
    left = charge.amount - charge.amount_refunded if charge.paid else 0
    given = left if amount is None else amount
    if left == 0:
        message = f"Charge {charge.id} has already been refunded."
        raise ApiError.invalid(message, code="charge_already_refunded")
    if not 0 < given <= left:
        raise ApiError.invalid(
            f"Refund amount ({given}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    refunded = replace(charge, amount_refunded=charge.amount_refunded + given)
    return ledger.change("charge.refunded", refunded, at=now)
