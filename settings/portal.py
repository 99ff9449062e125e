"""The page where a customer fixes a failed payment: its address, its links, and where it listens."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from settings.checks import split_url
from settings.connections import Mode
from settings.field import Commas, Settings, setting

SHORTEST_SECRET = 32  # characters
Network = IPv4Network | IPv6Network


def _check_secret(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"holds a secret shorter than {SHORTEST_SECRET} characters")
    return value


def _check_origin(value: str) -> str:
    parts = split_url(value, ("https", "http"))
    if not parts.hostname or parts.username:
        raise ValueError("must name a host, and nobody's user name")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end with the host: the page stands at the root of an address of its own")
    return value.rstrip("/")


Origin = Annotated[str, AfterValidator(_check_origin)]
LinkSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_check_secret)], ...], Field(min_length=1), Commas
]


class Links(Mode):
    """The page where customers fix a failed payment. Without it, mails lead to Stripe's own pages."""

    portal_url: Origin | None = setting(
        "DUNNING_PORTAL_URL",
        "The public address of `dunning portal`, on your own domain. With it, mails lead to a page of ours.",
        default=None,
        example="https://pay.acme.example",
        cure="Give an https:// address without a path, or leave it empty to lead to Stripe's pages.",
    )
    link_secrets: LinkSecrets | None = setting(
        "DUNNING_LINK_SECRETS",
        "What the links to that page are signed with, with commas between them. The first signs, all of them "
        "verify: put a new one before the old, and take the old away when its links have had their time.",
        default=None,
        example="test-secret-0123456789abcdef0123456789abcdef",
        cure=f"Give secrets of {SHORTEST_SECRET} characters or more, such as `openssl rand -hex 32` prints.",
    )

    @field_validator("portal_url")
    @classmethod
    def _is_private(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and url.startswith("http:") and info.data.get("livemode"):
            raise ValueError("must start with https:// in live mode: whoever reads a link can open its page")
        return url

    @field_validator("link_secrets")
    @classmethod
    def _are_there(
        cls, secrets: tuple[SecretStr, ...] | None, info: ValidationInfo
    ) -> tuple[SecretStr, ...] | None:
        if secrets is None and info.data.get("portal_url"):
            raise ValueError("is not set, but DUNNING_PORTAL_URL is: links have to be signed")
        return secrets


class PortalServer(Settings):
    """Where the page for customers listens."""

    portal_host: str = setting(
        "DUNNING_PORTAL_HOST",
        "The address the page for customers listens on. Put a TLS proxy in front of it.",
        default="127.0.0.1",
        example="0.0.0.0",  # noqa: S104 -- an example for containers, not a default
        min_length=1,
    )
    portal_port: int = setting(
        "DUNNING_PORTAL_PORT",
        "The port the page for customers listens on; 0 takes any free one.",
        default=8082,
        example="8082",
        cure="Give a port from 0 to 65535.",
        ge=0,
        le=65535,
    )
    portal_pool_size: int = setting(
        "DUNNING_PORTAL_POOL_SIZE",
        "Connections to PostgreSQL that one such process keeps; two more for moments.",
        default=8,
        example="8",
        cure="Give a number from 1 to 100.",
        ge=1,
        le=100,
    )
    portal_proxies: Annotated[tuple[Network, ...], Commas] = setting(
        "DUNNING_PORTAL_PROXIES",
        "The networks of the proxies before it, with commas between them: their X-Forwarded-For says which "
        "visitor a rate limit counts.",
        default="127.0.0.0/8,::1/128",
        example="127.0.0.0/8,::1/128",
        cure="Give networks such as 10.0.0.0/8, with commas between them.",
    )
