"""What we are told of Commet: how its webhooks are known, and by which keys it is asked."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from settings.checks import SigningSecret, is_loopback, split_url
from settings.connections import Mode
from settings.field import Commas, Settings, setting
from settings.portal import Origin

# Keys from before there were two kinds of them say no more than `ck_`: the first answer tells.
_KEY_PREFIXES = {"ck_live_": True, "rk_live_": True, "ck_sandbox_": False, "rk_sandbox_": False}
_KEYS = ("ck_", "rk_")


class CommetWebhooks(Settings, title="Commet's webhooks"):
    """How the receiver knows Commet. Without a secret it has no path here."""

    commet_webhook_secrets: Annotated[tuple[SigningSecret, ...], Field(min_length=1), Commas] | None = (
        setting(
            "COMMET_WEBHOOK_SECRETS",
            "The signing secrets of Commet's webhook, with commas between them while one is replaced; it "
            "sends to `/webhooks/commet`.",
            default=None,
            example="whsec_test_0123456789abcdef",
            cure="Copy the signing secret from the webhook's page in Commet.",
        )
    )


def _check_base(value: str) -> str:
    if not split_url(value, ("https", "http")).hostname:
        raise ValueError("has no host name")
    return value.rstrip("/")


class CommetAddress(Mode, title="Commet's address"):
    """Where Commet's API is."""

    commet_api_base: Annotated[str, AfterValidator(_check_base)] | None = setting(
        "COMMET_API_BASE",
        "Another address for Commet's API: a simulated Commet in tests, or an outgoing proxy.",
        default=None,
        example="http://127.0.0.1:12112",
        cure="Leave it empty to talk to Commet itself.",
    )

    @field_validator("commet_api_base")
    @classmethod
    def _commet_key_stays_private(cls, base: str | None, info: ValidationInfo) -> str | None:
        if base is not None and info.data.get("livemode"):
            parts = split_url(base, ("https", "http"))
            if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
                raise ValueError("would send a live key unencrypted: https:// is needed")
        return base


def _check_key(key: SecretStr, info: ValidationInfo) -> SecretStr:
    given = key.get_secret_value()
    if not given.startswith(_KEYS):
        raise ValueError("must start with " + " or ".join(_KEYS))
    live = next((live for start, live in _KEY_PREFIXES.items() if given.startswith(start)), None)
    if live is not None and info.data.get("livemode", live) != live:
        raise ValueError(
            "is a live key, but DUNNING_LIVEMODE is false"
            if live
            else "is a sandbox key, but DUNNING_LIVEMODE is true, which it is when it is not set"
        )
    return key


CommetKey = Annotated[SecretStr, AfterValidator(_check_key)]


class CommetApi(CommetAddress, title="Commet's API"):
    """How Commet is asked. Without a key what its events say is all that is known."""

    commet_api_key: CommetKey | None = setting(
        "COMMET_API_KEY",
        "A key for Commet's API. A restricted one is enough, which reads customers, subscriptions, invoices "
        "and transactions, and writes subscriptions, for links to pay by. With it, what events leave unsaid "
        "is asked for, lost events are made up for, and Commet is asked before access is taken.",
        default=None,
        example="rk_sandbox_0123456789abcdef",
        cure="Create a restricted key in Commet (Settings, API Keys), in the organization that "
        "DUNNING_LIVEMODE names: true takes live keys, false sandbox keys.",
    )


class PortalCommet(CommetAddress, title="What customers can do at Commet"):
    """What customers may have done at Commet. Without a key, the page leads to Commet's and yours."""

    portal_commet_key: CommetKey | None = setting(
        "DUNNING_PORTAL_COMMET_KEY",
        "A restricted key of its own for the page, which may read customers, subscriptions and invoices, and "
        "write subscriptions and portal sessions. With it, customers can give another card and come back.",
        default=None,
        example="rk_sandbox_0123456789abcdef",
        cure="Create a restricted key in Commet (Settings, API Keys), in the organization that "
        "DUNNING_LIVEMODE names, or leave it empty.",
    )
    commet_pages: Annotated[tuple[Origin, ...], Commas] = setting(
        "DUNNING_COMMET_PAGES",
        "Where Commet's own pages for your organization are, with commas between them. Customers are sent to "
        "no other address. Add yours if Commet serves them on a domain of your own.",
        default="https://commet.co,https://pay.commet.co",
        example="https://commet.co,https://pay.commet.co",
        cure="Give https:// addresses without a path, with commas between them.",
    )
