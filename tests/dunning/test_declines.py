"""Every code a provider documents has one category, and the category decides what may be said."""

import pytest

from dunning.declines import BANK_DEBIT_METHODS, CODES, HARD_DECLINES, Category, Decline, classify


def words(text: str) -> list[str]:
    return text.split()


# The reference, kept apart from the table under test: Stripe's decline codes for cards ...
CARD_CODES = words("""
authentication_required authentication_not_handled mobile_device_authentication_required approve_with_id
issuer_not_available processing_error reenter_transaction try_again_later insufficient_funds
card_velocity_exceeded withdrawal_count_limit_exceeded expired_card incorrect_number invalid_number
incorrect_cvc invalid_cvc incorrect_zip incorrect_address invalid_expiry_month invalid_expiry_year
card_not_supported currency_not_supported invalid_amount invalid_account new_account_information_available
call_issuer do_not_honor generic_decline no_action_taken not_permitted security_violation
service_not_allowed do_not_try_again stop_payment_order transaction_not_allowed
revocation_of_authorization revocation_of_all_authorizations duplicate_transaction fraudulent lost_card
stolen_card merchant_blacklist pickup_card restricted_card highest_risk_level
low_probability_of_authorization rule elevated_risk_level incorrect_pin invalid_pin offline_pin_required
online_or_offline_pin_required pin_try_exceeded testmode_decline previously_declined_do_not_retry
""")
# ... for local payment methods ...
LOCAL_METHOD_CODES = words("""
partner_generic_decline invalid_customer_account payment_limit_exceeded expired_card insufficient_funds
processing_error partner_high_risk_customer payment_disputed expired_payment_information
duplicate_transaction partner_payment_not_found invalid_business_account invalid_billing_agreement
currency_not_supported invalid_amount compliance_violation invalid_authorization
invalid_payment_information
""")
# ... the API error codes about a payment ...
API_CODES = words("""
card_declined card_decline_rate_limit_exceeded payment_intent_authentication_failure
payment_intent_action_required invoice_payment_intent_requires_action payment_intent_mandate_invalid
billing_invalid_mandate india_recurring_payment_mandate_canceled payment_method_customer_decline
payment_method_provider_decline payment_method_provider_timeout payment_method_not_available
payment_method_restricted payment_method_unactivated expired_payment_method authentication_failure
debit_not_authorized refer_to_customer account_closed no_account bank_account_declined
bank_account_restricted bank_account_unusable insufficient_funds sepa_unsupported_account
charge_exceeds_source_limit payment_intent_payment_attempt_failed payment_intent_payment_attempt_expired
""")
# ... the reasons of returned bank debits: names, ACH returns, SEPA R-transactions ...
DEBIT_CODES = words("""
insufficient_funds bank_account_closed bank_account_invalid_details debit_not_authorized
bank_account_frozen bank_account_restricted bank_account_unusable tokenized_account_number_deactivated
refer_to_customer account_closed no_account
R01 R02 R03 R04 R05 R07 R08 R09 R10 R11 R16 R20 R29 R31
AC01 AC04 AC06 AM04 AM05 MD01 MD06 MD07 MS02 MS03
""")
# ... the codes the subscription.payment_failed event names, and our own word for "nothing on file".
OTHER_CODES = words("""
insufficient_funds card_declined expired_card processing_error authentication_required do_not_honor
no_payment_method
""")

REFERENCE = {code.lower() for code in CARD_CODES + LOCAL_METHOD_CODES + API_CODES + DEBIT_CODES + OTHER_CODES}

# Codes about the payer or the merchant, whatever the method of payment.
NOT_ABOUT_THE_ACCOUNT = {"am05", "md06", "md07"}


@pytest.mark.parametrize("code", sorted(REFERENCE))
def test_every_reference_code_has_exactly_one_category(code: str) -> None:
    """A code that nobody classified, or two categories claim, fails here by name."""
    assert len([category for category, codes in CODES.items() if code in codes]) == 1


def test_the_table_holds_no_code_without_a_reference() -> None:
    """A misspelt code would otherwise sit in the table and never match."""
    assert {code for codes in CODES.values() for code in codes} == REFERENCE


def test_every_category_has_codes() -> None:
    """No category is left without a way into it."""
    assert set(CODES) == set(Category)


def test_hard_declines_are_the_nine_of_stripe() -> None:
    """Stripe executes no retry for these nine, and only for these."""
    not_retried = {
        code for code in CARD_CODES if not classify(code=None, decline_code=code).retried_by_stripe
    }
    assert len(HARD_DECLINES) == 9
    assert not_retried == HARD_DECLINES


@pytest.mark.parametrize(
    ("code", "decline_code", "outcome_reason", "expected_code", "expected"),
    [
        ("card_declined", "insufficient_funds", None, "insufficient_funds", Category.INSUFFICIENT_FUNDS),
        ("expired_card", None, None, "expired_card", Category.EXPIRED_CARD),
        ("incorrect_cvc", "incorrect_cvc", None, "incorrect_cvc", Category.INCORRECT_DETAILS),
        ("card_declined", None, "highest_risk_level", "highest_risk_level", Category.MASKED),
        ("card_declined", "fraudulent", "highest_risk_level", "fraudulent", Category.FRAUD),
        ("card_declined", "do_not_honor", "elevated_risk_level", "do_not_honor", Category.MASKED),
        ("card_declined", None, None, "card_declined", Category.UNKNOWN),
        ("  Do_Not_Honor ", None, None, "do_not_honor", Category.BANK_DECLINED),
        ("brand_new_code", None, None, "brand_new_code", Category.UNKNOWN),
        ("", " ", None, None, Category.UNKNOWN),
        (None, None, None, None, Category.UNKNOWN),
    ],
)
def test_the_most_telling_reason_decides(
    code: str | None,
    decline_code: str | None,
    outcome_reason: str | None,
    expected_code: str | None,
    expected: Category,
) -> None:
    """decline_code, else code unless card_declined, else the outcome; a hidden word anywhere hides all."""
    decline = classify(code=code, decline_code=decline_code, outcome_reason=outcome_reason)
    assert (decline.code, decline.category) == (expected_code, expected)


@pytest.mark.parametrize("method", sorted(BANK_DEBIT_METHODS))
@pytest.mark.parametrize("code", [*DEBIT_CODES, "generic_decline", "brand_new_code", None])
def test_a_bank_debit_is_spoken_of_as_a_bank_debit(code: str | None, method: str) -> None:
    """Card words never reach somebody who pays from a bank account, and Stripe does not debit again."""
    decline = classify(code=code, decline_code=None, method_type=method)
    if (code or "").lower() in NOT_ABOUT_THE_ACCOUNT:
        assert decline.category in {Category.MERCHANT_SIDE, Category.CONSENT_WITHDRAWN, Category.MASKED}
    else:
        assert decline.category is Category.BANK_DEBIT_FAILED
        assert not decline.retried_by_stripe


@pytest.mark.parametrize(
    ("decline_code", "expected"), [("lost_card", Category.MASKED), ("fraudulent", Category.FRAUD)]
)
def test_what_is_hidden_stays_hidden_on_a_bank_debit(decline_code: str, expected: Category) -> None:
    """Neither is told to anybody, however they pay."""
    decline = classify(code="card_declined", decline_code=decline_code, method_type="sepa_debit")
    assert decline.category is expected


@pytest.mark.parametrize("code", ["fraudulent", "merchant_blacklist"])
def test_fraud_goes_before_every_other_reason(code: str) -> None:
    """It is more than masked: nothing is said, and a person looks, wherever the word stands."""
    assert classify(code=code, decline_code="stolen_card").category is Category.FRAUD
    assert classify(code="stolen_card", decline_code=code).category is Category.FRAUD


@pytest.mark.parametrize(
    ("code", "method", "needs_new"),
    [
        ("insufficient_funds", "card", False),
        ("authentication_required", "card", False),
        ("processing_error", "card", False),
        ("generic_decline", "card", False),
        ("expired_card", "card", True),
        ("stolen_card", "card", True),
        ("incorrect_cvc", "card", True),
        ("card_not_supported", "card", True),
        ("no_payment_method", None, True),
        ("insufficient_funds", "us_bank_account", False),
        ("R01", "us_bank_account", False),
        ("R02", "us_bank_account", True),
        ("debit_not_authorized", "bacs_debit", True),
        ("brand_new_code", "bacs_debit", False),
    ],
)
def test_whether_the_same_method_can_pay(code: str, method: str | None, needs_new: bool) -> None:
    """An empty account fills up and a bank can be satisfied; a dead card stays dead."""
    assert classify(code=code, decline_code=None, method_type=method).needs_new_method is needs_new


def test_advice_not_to_try_again_asks_for_a_new_method() -> None:
    """The issuer's advice is clearer than a generic decline; Stripe itself may still retry."""
    decline = classify(code="card_declined", decline_code="generic_decline", advice_code="do_not_try_again")
    assert decline == Decline("generic_decline", Category.BANK_DECLINED, True, True)


@pytest.mark.parametrize("code", ["generic_decline", "brand_new_code", "card_declined"])
def test_advice_to_confirm_card_data_names_the_details(code: str) -> None:
    """A vague decline with this advice is about the details of the card."""
    decline = classify(code=code, decline_code=None, advice_code="confirm_card_data")
    assert decline == Decline(code, Category.INCORRECT_DETAILS, True, True)


@pytest.mark.parametrize(
    ("code", "expected"), [("expired_card", Category.EXPIRED_CARD), ("lost_card", Category.MASKED)]
)
def test_advice_never_overrides_a_clear_reason(code: str, expected: Category) -> None:
    """Advice sharpens a vague code; it neither hides an expired card nor unmasks a lost one."""
    assert classify(code=code, decline_code=None, advice_code="confirm_card_data").category is expected
