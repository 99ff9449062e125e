"""What an issuer, or Stripe itself, answers to a charge that does not go through."""

from dataclasses import dataclass, replace

# Stripe executes no automatic retry after one of these until there is a new payment method
# (docs.stripe.com, "Automate payment retries").
HARD_DECLINES = frozenset(
    {
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "stolen_card",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "authentication_required",
        "highest_risk_level",
        "transaction_not_allowed",
    }
)

APPROVED = "ok"
# The intent asks for 3D Secure before any charge is made: no charge exists and `last_payment_error` is empty.
REQUIRES_ACTION = "requires_action"
# What a customer who is there can answer with 3D Secure.
ASKING = (REQUIRES_ACTION, "authentication_required")
# "processing:5:ok": the charge is pending for five days, and then it is "ok".
PROCESSING = "processing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """One refusal, in the terms of Stripe's `last_payment_error` and `charge.outcome`."""

    reason: str
    type: str = "card_error"
    code: str = "card_declined"
    decline_code: str | None
    message: str = "Your card was declined."
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    blocked: bool = False

    @property
    def hard(self) -> bool:
        """Whether Stripe refuses to charge the same card again on its own."""
        return self.reason in HARD_DECLINES

    @property
    def needs_authentication(self) -> bool:
        """Whether the customer can put it right by confirming with the bank."""
        return self.reason == "authentication_required"


# reason: (error code, message, advice code, network decline code)
_KNOWN: dict[str, tuple[str, str, str | None, str | None]] = {
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
        None,
        None,
    ),
    "call_issuer": ("card_declined", "Your card was declined.", None, "02"),
    "card_not_supported": ("card_declined", "Your card is not supported.", None, "57"),
    "card_velocity_exceeded": (
        "card_declined",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
        "try_again_later",
        "65",
    ),
    "do_not_honor": ("card_declined", "Your card was declined.", "try_again_later", "05"),
    "expired_card": ("expired_card", "Your card has expired.", "confirm_card_data", "54"),
    "fraudulent": ("card_declined", "Your card was declined.", "do_not_try_again", "59"),
    "generic_decline": ("card_declined", "Your card was declined.", "try_again_later", "01"),
    "incorrect_cvc": (
        "incorrect_cvc",
        "Your card's security code is incorrect.",
        "confirm_card_data",
        "82",
    ),
    "incorrect_number": ("incorrect_number", "Your card number is incorrect.", "confirm_card_data", "14"),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds.", "try_again_later", "51"),
    "invalid_account": ("card_declined", "Your card was declined.", "do_not_try_again", "46"),
    "issuer_not_available": ("card_declined", "Your card was declined.", "try_again_later", "91"),
    "lost_card": ("card_declined", "Your card was declined.", "do_not_try_again", "41"),
    "pickup_card": ("card_declined", "Your card was declined.", "do_not_try_again", "04"),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
        "try_again_later",
        "96",
    ),
    "revocation_of_authorization": ("card_declined", "Your card was declined.", "do_not_try_again", "R1"),
    "revocation_of_all_authorizations": (
        "card_declined",
        "Your card was declined.",
        "do_not_try_again",
        "R3",
    ),
    "stolen_card": ("card_declined", "Your card was declined.", "do_not_try_again", "43"),
    "transaction_not_allowed": ("card_declined", "Your card was declined.", "do_not_try_again", "57"),
}


# The customer was asked by the bank, and did not confirm: nothing is charged, and no issuer has declined.
NOT_AUTHENTICATED = Decline(
    reason="payment_intent_authentication_failure",
    type="invalid_request_error",
    code="payment_intent_authentication_failure",
    decline_code=None,
    message="We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
)
SETUP_NOT_AUTHENTICATED = replace(
    NOT_AUTHENTICATED,
    reason="setup_intent_authentication_failure",
    code="setup_intent_authentication_failure",
)


def decline_for(reason: str) -> Decline:
    """The refusal with this decline code; an unlisted reason becomes a plain `card_declined` carrying it.

    `highest_risk_level` is the one reason that is not a decline code: a Radar block, which the API reports as
    `fraudulent` with the reason in `charge.outcome.reason`.
    """
    if reason == "highest_risk_level":
        return Decline(reason=reason, decline_code="fraudulent", advice_code="do_not_try_again", blocked=True)
    if reason not in _KNOWN:
        return Decline(reason=reason, decline_code=reason)
    code, message, advice, network = _KNOWN[reason]
    return Decline(
        reason=reason,
        code=code,
        decline_code=reason,
        message=message,
        advice_code=advice,
        network_decline_code=network,
        network_advice_code="03" if advice in ("do_not_try_again", "confirm_card_data") else None,
    )


def returned(reason: str) -> Decline:
    """The same for a bank debit: its reason is the error code itself, and no card is spoken of."""
    return replace(
        decline_for(reason), code=reason, message="The customer's bank did not pay.", network_advice_code=None
    )


def under_way(outcome: str) -> tuple[int, str] | None:
    """In how many days a bank answers, and what; None for an answer that comes at once."""
    kind, _, rest = outcome.partition(":")
    if kind != PROCESSING:
        return None
    days, _, answer = rest.partition(":")
    return int(days), answer
