"""POST /v1/subscriptions, and the parameters that it shares with updates and with Checkout."""

from sandbox.stripe import probe, subscriptions
from sandbox.stripe.api.declined import refusal_of_subscription
from sandbox.stripe.api.params import Params
from sandbox.stripe.api.request import Answer, ApiRequest
from sandbox.stripe.errors import ApiError
from sandbox.stripe.policy import DAY
from sandbox.stripe.records import Customer, PaymentMethod, Price

_PAYMENT_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete")


def create(request: ApiRequest) -> Answer:
    """`off_session` is known, and changes nothing: whoever creates it is not the customer."""
    params = request.params
    params.only(
        "customer",
        "items",
        "metadata",
        "default_payment_method",
        "off_session",
        "payment_behavior",
        "payment_settings",
        "trial_end",
        "trial_period_days",
    )
    params.flag("off_session")
    ledger = request.ledger
    customer = ledger.get(Customer, params.required("customer"))
    now = ledger.now(customer.test_clock)
    prices = chosen_prices(request, "items")
    own = own_card(request, customer.id)
    trial_end = chosen_trial_end(params, now)
    behavior = params.text("payment_behavior") or "allow_incomplete"
    if behavior not in _PAYMENT_BEHAVIORS:
        raise ApiError.invalid(f"Invalid payment_behavior: {behavior}", param="payment_behavior")
    if behavior == "error_if_incomplete" and trial_end is None:
        _try_first(request, own or customer.default_payment_method)
    return subscriptions.create(
        ledger,
        customer,
        prices,
        now=now,
        policy=ledger.policy,
        trial_end=trial_end,
        metadata=params.metadata({}),
        default_payment_method=own,
        save_default_payment_method=saves_default(request, False),
        charge=behavior != "default_incomplete",
    )


def chosen_prices(request: ApiRequest, name: str) -> list[tuple[Price, int]]:
    """The prices and quantities in a list parameter; raises ApiError when it is empty."""
    prices = [
        (request.ledger.get(Price, item["price"]), int(item.get("quantity", "1")))
        for item in request.params.each(name)
    ]
    if not prices:
        raise ApiError.invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return prices


def chosen_trial_end(params: Params, now: int) -> int | None:
    """When the first charge is due if there is a trial."""
    days = params.integer("trial_period_days")
    end = now + days * DAY if days else params.integer("trial_end")
    if end is not None and end <= now:
        raise ApiError.invalid("`trial_end` must be a timestamp in the future.", param="trial_end")
    return end


def _try_first(request: ApiRequest, card: str | None) -> None:
    """Refuse with 402 what could not be paid at once, before anything is made of it."""
    if card is None:
        return
    attempt = probe.attempt(request.ledger, request.ledger.get(PaymentMethod, card))
    if attempt.decline is not None or attempt.action_required:
        raise refusal_of_subscription(request, attempt)


def own_card(request: ApiRequest, customer: str, current: str | None = None) -> str | None:
    """The subscription's own card as asked for, None for the customer's; raises ApiError for another's."""
    chosen = request.params.text("default_payment_method")
    if chosen is None:
        return current
    if chosen == "":
        return None
    method = request.ledger.get(PaymentMethod, chosen)
    if method.customer != customer:
        raise ApiError.invalid(
            f"The customer does not have a payment method with the ID {chosen}.",
            code="resource_missing",
            param="default_payment_method",
        )
    return method.id


def saves_default(request: ApiRequest, current: bool) -> bool:
    """Whether a card that pays becomes the subscription's own."""
    chosen = request.params.group("payment_settings").text("save_default_payment_method")
    return current if chosen is None else chosen == "on_subscription"
