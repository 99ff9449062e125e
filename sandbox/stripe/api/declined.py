"""402: the answer to a payment that was tried and refused."""

from sandbox.stripe.api.request import ApiRequest
from sandbox.stripe.errors import ApiError
from sandbox.stripe.objects import error_body, payment_error, render
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import PaymentIntent


def refusal(request: ApiRequest, intent_id: str, attempt: Attempt) -> ApiError:
    """A `card_error` with the intent in it, and for a decline with everything known about the reason."""
    intent = request.ledger.get(PaymentIntent, intent_id)
    body = render(intent, request.version)
    if intent.error is None or attempt.decline is None:
        return ApiError(
            402,
            {
                "code": "invoice_payment_intent_requires_action",
                "doc_url": "https://stripe.com/docs/error-codes/invoice-payment-intent-requires-action",
                "message": "Payment for this invoice requires additional user action before it can be "
                "completed successfully. Payment can be completed using the PaymentIntent associated with "
                "this invoice.",
                "payment_intent": body,
                "type": "card_error",
            },
        )
    return ApiError(402, {"payment_intent": body} | payment_error(intent.error, request.version))


def refusal_of_subscription(request: ApiRequest, attempt: Attempt) -> ApiError:
    """The same for a subscription that is not made because of it."""
    if attempt.decline is None or attempt.method is None:
        return ApiError(
            402,
            {
                "code": "subscription_payment_intent_requires_action",
                "message": "Payment for this subscription requires additional user action before it can be "
                "completed successfully.",
                "type": "card_error",
            },
        )
    return ApiError(402, error_body(attempt.decline, attempt.method, None, request.version))
