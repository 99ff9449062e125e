"""What we are told of Stripe: how its webhooks are known, and by which keys it is asked."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from providers.stripe.accounts import MAIN, by_source, connected_of, may_be_named
from settings.checks import SigningSecret, check_signing_secret, is_loopback, split_url
from settings.connections import Mode
from settings.field import Commas, Settings, setting
from settings.portal import Origin

_KEY_PREFIXES = {"sk_live_": True, "rk_live_": True, "sk_test_": False, "rk_test_": False}


Secrets = Annotated[tuple[SigningSecret, ...], Field(min_length=1), Commas]


def _check_secrets(value: SecretStr) -> SecretStr:
    name, *secrets = value.get_secret_value().split() or [""]
    _check_name(name)
    if not secrets:
        raise ValueError(f"has no secret for {name}")
    for secret in secrets:
        check_signing_secret(SecretStr(secret))
    return value


def _check_name(name: str) -> None:
    if not may_be_named(name):
        raise ValueError("has an account's name that is taken, or not made of small letters, digits, - and _")


def _once_each(lines: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    names = [line.get_secret_value().split()[0] for line in lines]
    if len(set(names)) < len(names):
        raise ValueError("names an account twice")
    return lines


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

    account_webhook_secrets: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_check_secrets)], ...], Commas, AfterValidator(_once_each)
    ] = setting(
        "STRIPE_ACCOUNT_WEBHOOK_SECRETS",
        "The same for further Stripe accounts, with commas between them: a name and the signing secret of "
        "its endpoint, or two while one is rolled, with spaces between them. Each sends to "
        "`/webhooks/stripe/NAME`. See docs/providers.md.",
        default=(),
        example="de whsec_test_0123456789abcdef",
        cure="Write `name whsec_...`, with a name of small letters and digits, the same as in "
        "STRIPE_ACCOUNTS.",
    )
    connect_webhook_secrets: Secrets | None = setting(
        "STRIPE_CONNECT_WEBHOOK_SECRETS",
        "The signing secrets of a Connect endpoint, where your account is a platform: it hears of all "
        "connected accounts, and sends to `/webhooks/stripe/connect`.",
        default=None,
        example="whsec_test_0123456789abcdef",
        cure="Copy the signing secret from the page of the endpoint for connected accounts.",
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


def _check_accounts(lines: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
    for line in lines:
        parts = line.get_secret_value().split()
        if len(parts) != 2:
            raise ValueError("must have a name and one key for each account")
        _check_name(parts[0])
        _check_stripe_key(SecretStr(parts[1]), info)
    return _once_each(lines)


AccountKeys = Annotated[tuple[SecretStr, ...], Commas, AfterValidator(_check_accounts)]


def _key_of(source: str, main: SecretStr | None, further: tuple[SecretStr, ...]) -> str | None:
    """A connected account is asked with the platform's."""
    if source == MAIN or connected_of(source):
        return main.get_secret_value() if main else None
    keys = by_source([line.get_secret_value() for line in further])
    return next(iter(keys.get(source, ())), None)


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
    stripe_accounts: AccountKeys = setting(
        "STRIPE_ACCOUNTS",
        "Further Stripe accounts, with commas between them: a name and its key, with a space between them. "
        "The customers of the account `de` are of the source `stripe:de`. See docs/providers.md.",
        default=(),
        example="de rk_test_0123456789abcdef",
        cure="Write `name rk_...`, with a name of small letters and digits.",
    )

    @property
    def sources(self) -> tuple[str, ...]:
        """Of the accounts with a key here; connected ones are not known beforehand."""
        further = by_source([line.get_secret_value() for line in self.stripe_accounts])
        return (*((MAIN,) if self.stripe_api_key else ()), *further)

    def api_key_of(self, source: str) -> str | None:
        """By which the account of this source is asked; None where there is none."""
        return _key_of(source, self.stripe_api_key, self.stripe_accounts)


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
    portal_stripe_accounts: AccountKeys = setting(
        "DUNNING_PORTAL_STRIPE_ACCOUNTS",
        "The same for further Stripe accounts, with commas between them: a name as in STRIPE_ACCOUNTS and "
        "its key, with a space between them.",
        default=(),
        example="de rk_test_0123456789abcdef",
        cure="Write `name rk_...`, or leave it empty.",
    )
    stripe_pages: Annotated[tuple[Origin, ...], Commas] = setting(
        "DUNNING_STRIPE_PAGES",
        "Where Stripe's own pages for your account are, with commas between them. Customers are sent to no "
        "other address. Add yours if Stripe serves them on a domain of your own.",
        default="https://billing.stripe.com,https://invoice.stripe.com,https://checkout.stripe.com",
        example="https://billing.stripe.com,https://invoice.stripe.com,https://checkout.stripe.com",
        cure="Give https:// addresses without a path, with commas between them.",
    )

    def portal_key_of(self, source: str) -> str | None:
        """As `StripeApi.api_key_of`."""
        return _key_of(source, self.portal_stripe_key, self.portal_stripe_accounts)
