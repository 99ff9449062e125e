"""What the processes connect to: PostgreSQL, Stripe, the mail server."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from settings.checks import SigningSecret, is_loopback, split_url
from settings.field import Commas, Settings, setting
from settings.urls import DatabaseUrl, SmtpUrl, for_asyncpg, for_sqlalchemy

_KEY_PREFIXES = {"sk_live_": True, "rk_live_": True, "sk_test_": False, "rk_test_": False}


class Database(Settings):
    """PostgreSQL, where facts, cases and effects live."""

    database_url: DatabaseUrl = setting(
        "DATABASE_URL",
        "The PostgreSQL database (15 or newer). Understands `?host=/socket/directory` and `?sslmode=`. "
        "Several hosts may stand there, with commas between them: the one that can write is looked for.",
        example="postgresql://dunning:password@127.0.0.1:5432/dunning",
        cure="Give a PostgreSQL URL in the environment or in .env.",
    )

    @property
    def database_url_sqlalchemy(self) -> str:
        """For `create_async_engine`. Holds the password: never log it."""
        return for_sqlalchemy(self.database_url.get_secret_value())

    @property
    def database_dsn(self) -> str:
        """For `db.connecting.connect`. Holds the password: never log it."""
        return for_asyncpg(self.database_url.get_secret_value())


class Mode(Settings):
    """Which of Stripe's two worlds is served; they never mix."""

    livemode: bool = setting(
        "DUNNING_LIVEMODE",
        "`true` handles Stripe's live events only, `false` test events only. "
        "Stripe keys and events of the other mode are refused.",
        default=True,
        example="false",
        cure="Write true or false.",
    )


class StripeWebhooks(Settings):
    """What the receiver needs to know a genuine event."""

    stripe_webhook_secrets: Annotated[tuple[SigningSecret, ...], Field(min_length=1), Commas] = setting(
        "STRIPE_WEBHOOK_SECRETS",
        "The signing secrets of the webhook endpoint, with commas between them: "
        "while a secret is rolled Stripe signs with both.",
        example="whsec_test_0123456789abcdef",
        cure="Copy the signing secret from the endpoint's page in Stripe's dashboard (Developers, Webhooks).",
    )


def _check_stripe_base(value: str) -> str:
    parts = split_url(value, ("https", "http"))
    if not parts.hostname:
        raise ValueError("has no host name")
    return value.rstrip("/")


class StripeAddress(Mode):
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


class StripeApi(StripeAddress):
    """How Stripe is asked."""

    stripe_api_key: StripeKey = setting(
        "STRIPE_API_KEY",
        "The secret or restricted key for Stripe's API. A restricted key is enough, with read access to "
        "customers, subscriptions, products, invoices, payment intents, payment methods, charges and events. "
        "Invoices and subscriptions are written only where the policy asks for it.",
        example="rk_test_0123456789abcdef",
        cure="Create a restricted key in Stripe's dashboard (Developers, API keys), in the mode that "
        "DUNNING_LIVEMODE names: true takes rk_live_ keys, false rk_test_ keys.",
    )


class Smtp(Settings):
    """The server that takes our mail."""

    smtp_url: SmtpUrl = setting(
        "SMTP_URL",
        "The mail server: `smtp://` (STARTTLS when offered) or `smtps://` (TLS from the start), "
        "with user and password where needed, each percent-encoded.",
        example="smtp://user:password@mail.example.com:587",
        cure="Give the mail server's URL in the environment or in .env.",
    )
