"""What a decline means: from a provider's reason code to what may be said and what will help.

Sources of the table: Stripe's decline codes, advice codes, API error codes and bank debit return codes.
The set of codes is open. A code nobody has classified is `Category.UNKNOWN` ("your bank declined the
charge"), never an error.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from dunning.values import quick


@quick
class Category(StrEnum):
    """A family of declines that share one wording and one ladder of mails."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    AUTHENTICATION_REQUIRED = "authentication_required"
    INCORRECT_DETAILS = "incorrect_details"
    CARD_NOT_SUPPORTED = "card_not_supported"
    PROCESSING_ERROR = "processing_error"
    BANK_DECLINED = "bank_declined"
    NO_PAYMENT_METHOD = "no_payment_method"
    BANK_DEBIT_FAILED = "bank_debit_failed"
    # Lost, stolen, blocked: the customer hears neutral words only.
    MASKED = "masked"
    # Called fraud by the issuer, or blocked by our own list: the customer hears nothing, a person looks.
    FRAUD = "fraud"
    # The customer took the permission back: perhaps a wish to cancel.
    CONSENT_WITHDRAWN = "consent_withdrawn"
    # Our configuration, duplicates, test cards: operators look, the customer hears neutral words at most.
    MERCHANT_SIDE = "merchant_side"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decline:
    """One classified decline.

    `code` is the reason the category was read from, lower case, or None when the provider gave none.
    `retried_by_stripe` is False when Stripe schedules further attempts but does not execute them.
    `needs_new_method` is True when charging the same method again cannot help.
    """

    code: str | None
    category: Category
    retried_by_stripe: bool
    needs_new_method: bool


def _codes(words: str) -> frozenset[str]:
    return frozenset(words.split())


CODES: Final[dict[Category, frozenset[str]]] = {
    Category.INSUFFICIENT_FUNDS: _codes(
        "card_velocity_exceeded insufficient_funds payment_limit_exceeded withdrawal_count_limit_exceeded"
    ),
    Category.EXPIRED_CARD: _codes("expired_card expired_payment_information expired_payment_method"),
    Category.AUTHENTICATION_REQUIRED: _codes(
        """authentication_failure authentication_not_handled authentication_required
        invoice_payment_intent_requires_action mobile_device_authentication_required
        payment_intent_action_required payment_intent_authentication_failure"""
    ),
    Category.INCORRECT_DETAILS: _codes(
        """incorrect_address incorrect_cvc incorrect_number incorrect_zip invalid_account invalid_cvc
        invalid_expiry_month invalid_expiry_year invalid_number invalid_payment_information
        new_account_information_available"""
    ),
    # PIN codes come from cards made for terminals: no use for a subscription.
    Category.CARD_NOT_SUPPORTED: _codes(
        """card_not_supported currency_not_supported incorrect_pin invalid_pin offline_pin_required
        online_or_offline_pin_required pin_try_exceeded"""
    ),
    Category.PROCESSING_ERROR: _codes(
        """approve_with_id issuer_not_available partner_payment_not_found payment_method_not_available
        payment_method_provider_timeout processing_error reenter_transaction try_again_later"""
    ),
    Category.BANK_DECLINED: _codes(
        """call_issuer card_decline_rate_limit_exceeded do_not_honor do_not_try_again generic_decline
        invalid_amount invalid_customer_account no_action_taken not_permitted partner_generic_decline
        payment_method_provider_decline payment_method_restricted previously_declined_do_not_retry
        security_violation service_not_allowed transaction_not_allowed"""
    ),
    # Nothing on file, or the permission to charge what is on file is no longer valid.
    Category.NO_PAYMENT_METHOD: _codes(
        """billing_invalid_mandate invalid_authorization invalid_billing_agreement no_payment_method
        payment_intent_mandate_invalid"""
    ),
    # The short ones are ACH return codes and SEPA R-transactions.
    Category.BANK_DEBIT_FAILED: _codes(
        """account_closed bank_account_closed bank_account_declined bank_account_frozen
        bank_account_invalid_details bank_account_restricted bank_account_unusable debit_not_authorized
        no_account refer_to_customer sepa_unsupported_account tokenized_account_number_deactivated
        r01 r02 r03 r04 r05 r07 r08 r09 r10 r11 r16 r20 r29 r31 ac01 ac04 ac06 am04 md01 ms02 ms03"""
    ),
    # md07 is SEPA's word for a debtor who has died.
    Category.MASKED: _codes(
        """compliance_violation elevated_risk_level highest_risk_level lost_card
        low_probability_of_authorization md07 partner_high_risk_customer pickup_card restricted_card rule
        stolen_card"""
    ),
    Category.FRAUD: _codes("fraudulent merchant_blacklist"),
    # md06 is SEPA's word for a payer who asked for the money back.
    Category.CONSENT_WITHDRAWN: _codes(
        """india_recurring_payment_mandate_canceled md06 payment_disputed payment_method_customer_decline
        revocation_of_all_authorizations revocation_of_authorization stop_payment_order"""
    ),
    # am05 is SEPA's word for a duplicate.
    Category.MERCHANT_SIDE: _codes(
        """am05 charge_exceeds_source_limit duplicate_transaction invalid_business_account
        payment_method_unactivated testmode_decline"""
    ),
    Category.UNKNOWN: _codes(
        "card_declined payment_intent_payment_attempt_expired payment_intent_payment_attempt_failed"
    ),
}

# Stripe goes on scheduling retries for these nine and executes none until a new payment method exists.
HARD_DECLINES: Final = _codes(
    """authentication_required highest_risk_level incorrect_number lost_card pickup_card
    revocation_of_all_authorizations revocation_of_authorization stolen_card transaction_not_allowed"""
)

BANK_DEBIT_METHODS: Final = _codes(
    "acss_debit au_becs_debit bacs_debit nz_bank_account sepa_debit us_bank_account"
)

_CATEGORY_OF: Final = {code: category for category, codes in CODES.items() for code in codes}

# Said of any payment method alike, so a bank debit keeps them.
_ABOVE_THE_METHOD: Final = {
    Category.MASKED,
    Category.FRAUD,
    Category.CONSENT_WITHDRAWN,
    Category.MERCHANT_SIDE,
}

_CATEGORIES_NEEDING_NEW_METHOD: Final = {
    Category.EXPIRED_CARD,
    Category.INCORRECT_DETAILS,
    Category.CARD_NOT_SUPPORTED,
    Category.NO_PAYMENT_METHOD,
}

# `authentication_required` is left out: the same card pays once its holder has confirmed.
_CODES_NEEDING_NEW_METHOD: Final = (HARD_DECLINES - {"authentication_required"}) | _codes(
    """do_not_try_again india_recurring_payment_mandate_canceled low_probability_of_authorization
    previously_declined_do_not_retry restricted_card"""
)

# A bank account without money, or a return without a reason, may be debited again; any other may not.
_DEBITS_WORTH_REPEATING: Final = _codes(
    "am04 insufficient_funds ms02 ms03 processing_error r01 r09 refer_to_customer"
)

_NEVER_RETRIED_CATEGORIES: Final = {Category.NO_PAYMENT_METHOD, Category.BANK_DEBIT_FAILED}
# Cards issued in India are not retried.
_NEVER_RETRIED_CODES: Final = HARD_DECLINES | {"india_recurring_payment_mandate_canceled"}


# The same few declines are asked for over and over while one plan is made.
@lru_cache(maxsize=4_096)
def classify(
    *,
    code: str | None,
    decline_code: str | None,
    outcome_reason: str | None = None,
    advice_code: str | None = None,
    method_type: str | None = None,
) -> Decline:
    """Classify a failed charge; never raises, whatever the provider sent.

    `code` and `decline_code` are those of Stripe's `last_payment_error` (or the one reason another provider
    gives), `outcome_reason` is `charge.outcome.reason`, `advice_code` Stripe's advice, `method_type` the
    payment method's type, such as `card` or `sepa_debit`.

    The reason is the most telling of the three: `card_declined` only says that a better one is elsewhere.
    """
    given = [cleaned for value in (decline_code, code, outcome_reason) if (cleaned := _clean(value))]
    reason = next((value for value in given if value != "card_declined"), given[0] if given else None)
    advice = _clean(advice_code)
    category = _category(given, reason, advice, _clean(method_type))
    return Decline(
        code=reason,
        category=category,
        # Any of the three may name a block: a decline "fraudulent" carries the outcome "highest_risk_level".
        retried_by_stripe=category not in _NEVER_RETRIED_CATEGORIES
        and _NEVER_RETRIED_CODES.isdisjoint(given),
        needs_new_method=_needs_new_method(reason, category, advice),
    )


def _clean(value: str | None) -> str | None:
    return (value or "").strip().lower() or None


def _category(given: list[str], reason: str | None, advice: str | None, method_type: str | None) -> Category:
    for hidden in (Category.FRAUD, Category.MASKED):
        if not CODES[hidden].isdisjoint(given):
            return hidden
    category = _CATEGORY_OF.get(reason or "", Category.UNKNOWN)
    if method_type in BANK_DEBIT_METHODS and category not in _ABOVE_THE_METHOD:
        return Category.BANK_DEBIT_FAILED
    if advice == "confirm_card_data" and category in {Category.UNKNOWN, Category.BANK_DECLINED}:
        return Category.INCORRECT_DETAILS
    return category


def _needs_new_method(reason: str | None, category: Category, advice: str | None) -> bool:
    """Stripe's advice is read before our own table; it only ever speaks of the method that failed."""
    if advice in {"do_not_try_again", "confirm_card_data"}:
        return True
    if category is Category.BANK_DEBIT_FAILED:
        return reason in _CATEGORY_OF and reason not in _DEBITS_WORTH_REPEATING
    return category in _CATEGORIES_NEEDING_NEW_METHOD or reason in _CODES_NEEDING_NEW_METHOD
