"""Cards and bank accounts that behave as their script says, and Stripe's published test numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.stripe.declines import APPROVED, ASKING, REQUIRES_ACTION


@dataclass(frozen=True, slots=True, init=False)
class Card:
    """A card and what its issuer answers to the first, second, ... charge; the last answer repeats for ever.

    An outcome is "ok", a decline code, "authentication_required" (the issuer refuses a charge without the
    customer: a failed charge exists), "requires_action" (3D Secure is asked for before any charge is made) or
    "processing:5:ok", "processing:5:insufficient_funds" and so on (the answer comes five days later).
    `type` is Stripe's for a payment method: with any other than "card" it is a bank account that is debited.
    `at_setup` is "ok" or the decline code with which the issuer refuses to have it saved without a charge.
    """

    type: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    outcomes: tuple[str, ...]
    country: str
    funding: str
    at_setup: str

    def __init__(
        self,
        brand: str = "visa",
        last4: str = "4242",
        exp: tuple[int, int] = (12, 2034),
        outcomes: Sequence[str] = (APPROVED,),
        *,
        country: str = "US",
        funding: str = "credit",
        type: str = "card",  # noqa: A002  # Stripe's own word
        at_setup: str = APPROVED,
    ) -> None:
        """`exp` is (month, year); raises ValueError when there is no outcome."""
        if not outcomes:
            raise ValueError("a card needs at least one outcome")
        for name, value in (
            ("type", type),
            ("brand", brand),
            ("last4", last4),
            ("exp_month", exp[0]),
            ("exp_year", exp[1]),
            ("outcomes", tuple(outcomes)),
            ("country", country),
            ("funding", funding),
            ("at_setup", at_setup),
        ):
            object.__setattr__(self, name, value)

    def outcome(self, charge: int) -> str:
        """The answer to the card's charge number `charge`, counted from 0."""
        return self.outcomes[min(charge, len(self.outcomes) - 1)]

    @property
    def asks_at_setup(self) -> bool:
        """Whether the issuer wants 3D Secure when the card is saved, as it would for its first charge."""
        return self.outcomes[0] in ASKING

    def with_expiry(self, exp: tuple[int, int]) -> "Card":
        """The same card, valid until another (month, year)."""
        return self._with(exp, self.outcomes)

    def authenticated(self) -> "Card":
        """The same card once its holder has confirmed saving it: 3D Secure is not asked for every time."""
        eased = tuple(APPROVED if each == REQUIRES_ACTION else each for each in self.outcomes)
        return self._with((self.exp_month, self.exp_year), eased)

    def _with(self, exp: tuple[int, int], outcomes: tuple[str, ...]) -> "Card":
        return Card(
            self.brand,
            self.last4,
            exp,
            outcomes,
            country=self.country,
            funding=self.funding,
            type=self.type,
            at_setup=self.at_setup,
        )


def bank_debit(*outcomes: str, last4: str = "3000", country: str = "DE", kind: str = "sepa_debit") -> Card:
    """A bank account, debited within five days if nothing else is said; `kind` is Stripe's `sepa_debit`..."""
    return Card("", last4, outcomes=outcomes or ("processing:5:ok",), country=country, funding="", type=kind)


# number -> (brand, outcome); docs.stripe.com/testing
_NUMBERS: dict[str, tuple[str, str]] = {
    "4242424242424242": ("visa", APPROVED),
    "5555555555554444": ("mastercard", APPROVED),
    "378282246310005": ("amex", APPROVED),
    "4000000000000341": ("visa", "generic_decline"),
    "4000000000000002": ("visa", "generic_decline"),
    "4000000000009995": ("visa", "insufficient_funds"),
    "4000000000009987": ("visa", "lost_card"),
    "4000000000009979": ("visa", "stolen_card"),
    "4000000000000069": ("visa", "expired_card"),
    "4000000000000127": ("visa", "incorrect_cvc"),
    "4000000000000119": ("visa", "processing_error"),
    "4000000000006975": ("visa", "card_velocity_exceeded"),
    "4100000000000019": ("visa", "highest_risk_level"),
    "4000002760003184": ("visa", "authentication_required"),
    "4000002500003155": ("visa", REQUIRES_ACTION),
}

# The most useful of them, with what they do, for a person to choose from.
PUBLISHED: tuple[tuple[str, str], ...] = (
    ("4242 4242 4242 4242", "pays"),
    ("5555 5555 5555 4444", "pays, a Mastercard"),
    ("4000 0025 0000 3155", "the bank asks once, and no more after that"),
    ("4000 0027 6000 3184", "the bank asks every time"),
    ("4000 0000 0000 0341", "can be saved, but is then declined"),
    ("4000 0000 0000 0002", "declined"),
    ("4000 0000 0000 9995", "declined: insufficient funds"),
    ("4000 0000 0000 0069", "declined: expired"),
    ("4000 0000 0000 0127", "declined: wrong security code"),
)

# "Decline after attaching": the one refused card that can be saved.
_ATTACHABLE = "4000000000000341"

# The ready-made payment methods and tokens of Stripe's test mode.
_NAMED: dict[str, str] = {
    "pm_card_visa": "4242424242424242",
    "tok_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "tok_chargeCustomerFail": "4000000000000341",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_authenticationRequired": "4000002760003184",
}


def card_from_number(number: str, exp: tuple[int, int] = (12, 2034)) -> Card:
    """The card of a published test number; an unknown number is a card that always pays."""
    digits = number.replace(" ", "")
    brand, outcome = _NUMBERS.get(digits, ("visa", APPROVED))
    saved = outcome in (APPROVED, *ASKING) or digits == _ATTACHABLE
    return Card(brand, digits[-4:], exp, (outcome,), at_setup=APPROVED if saved else outcome)


def card_from_name(name: str) -> Card | None:
    """The card behind `pm_card_...` or `tok_...`, None when Stripe's test mode has no such name."""
    number = _NAMED.get(name)
    return None if number is None else card_from_number(number)
