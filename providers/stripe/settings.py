"""What we are told of Stripe: how its webhooks are known, and by which keys it is asked."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from settings.checks import SigningSecret, is_loopback, split_url
from settings.connections import Mode
from settings.field import Commas, Settings, setting
from settings.portal import Origin

_KEY_PREFIXES = {"sk_live_": True, "rk_live_": True, "sk_test_": False, "rk_test_": False}


Secrets = Annotated[tuple[SigningSecret, ...], Field(min_length=1), Commas]


class StripeWebhooks(Settings, title="Stripe's webhooks"):
    """What the receiver needs to know a genuine event."""

    stripe_webhook_secrets: Secrets | None = setting(
        "STRIPE_WEBHOOK_SECRETS",
        "The signing secrets of the webhook endpoint, with commas between them: "
        "while a secret is rolled Stripe signs with both. It sends to `/webhooks/stripe`.",
        default=None,
        example="whsec_test_0123456789abcdef",
        cure="Copy the signing secret from the endpoint's page in Stripe's dashboard (Developers, Webhooks).",
    )


def _check_stripe_base(value: str) -> str:
    parts = split_url(value, ("https", "http"))
    if not parts.hostname:
        raise ValueError("has no host name")
    return value.rstrip("/")


class StripeAddress(Mode, title="Stripe's address"):
    """Where Stripe's API is."""

    stripe_api_base: Annotated[str, AfterValidator(_check_stripe_base)] | None = setting(
        "STRIPE_API_BASE",
        "Another address for Stripe's API: a simulated Stripe in tests, or an outgoing proxy.",
        default=None,
        example="http://127.0.0.1:12111",
        cure="Leave it empty to talk to Stripe itself.",
    )

    @field_validator("stripe_api_base")
    @classmethod
    def _key_stays_private(cls, base: str | None, info: ValidationInfo) -> str | None:
        if base is not None and info.data.get("livemode"):
            parts = split_url(base, ("https", "http"))
            if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
                raise ValueError("would send a live key unencrypted: https:// is needed")
        return base


def _check_stripe_key(key: SecretStr, info: ValidationInfo) -> SecretStr:
    live = next(
        (live for start, live in _KEY_PREFIXES.items() if key.get_secret_value().startswith(start)), None
    )
    if live is None:
        raise ValueError("must start with " + ", ".join(_KEY_PREFIXES))
    if info.data.get("livemode", live) != live:
        raise ValueError(
            "is a live key, but DUNNING_LIVEMODE is false"
            if live
            else "is a test key, but DUNNING_LIVEMODE is true, which it is when it is not set"
        )
    return key


StripeKey = Annotated[SecretStr, AfterValidator(_check_stripe_key)]


class StripeApi(StripeAddress, title="Stripe's API"):
    """How Stripe is asked."""

    stripe_api_key: StripeKey | None = setting(
        "STRIPE_API_KEY",
        "The secret or restricted key for Stripe's API. A restricted key is enough, with read access to "
        "customers, subscriptions, products, invoices, payment intents, payment methods, charges and events. "
        "Invoices and subscriptions are written only where the policy asks for it. Needed wherever Stripe "
        "sends events.",
        default=None,
        example="rk_test_0123456789abcdef",
        cure="Create a restricted key in Stripe's dashboard (Developers, API keys), in the mode that "
        "DUNNING_LIVEMODE names: true takes rk_live_ keys, false rk_test_ keys.",
    )


class PortalStripe(StripeAddress, title="What customers can do"):
    """What customers may have done at Stripe. Without a key, the page leads to Stripe's and yours."""

    portal_stripe_key: StripeKey | None = setting(
        "DUNNING_PORTAL_STRIPE_KEY",
        "A restricted key of its own for the page, which may write invoices, subscriptions, customers, "
        "billing portal and Checkout sessions, and read payment methods, payment intents and products. With "
        "it, customers can have a charge repeated, give another card and come back.",
        default=None,
        example="rk_test_0123456789abcdef",
        cure="Create a restricted key in Stripe's dashboard (Developers, API keys), in the mode that "
        "DUNNING_LIVEMODE names, or leave it empty.",
    )
    stripe_pages: Annotated[tuple[Origin, ...], Commas] = setting(
        "DUNNING_STRIPE_PAGES",
        "Where Stripe's own pages for your account are, with commas between them. Customers are sent to no "
        "other address. Add yours if Stripe serves them on a domain of your own.",
        default="https://billing.stripe.com,https://invoice.stripe.com,https://checkout.stripe.com",
        example="https://billing.stripe.com,https://invoice.stripe.com,https://checkout.stripe.com",
        cure="Give https:// addresses without a path, with commas between them.",
    )
