"""The endpoints of the merchant's own application: which there are, and where they may be."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from settings.checks import split_url
from settings.connections import Mode
from settings.field import Commas, Settings, setting

Network = IPv4Network | IPv6Network


def _check_endpoint(value: SecretStr) -> SecretStr:
    url, *secrets = value.get_secret_value().split() or [""]
    split_url(url, ("https", "http"))
    if not 1 <= len(secrets) <= 2:
        raise ValueError("must have one secret after each URL, or two while one is replaced")
    return value


class WebhookEndpoints(Settings):
    """The endpoints that hear of cases and access. More can be added with `dunning webhooks`."""

    webhook_endpoints: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_check_endpoint)], ...], Commas
    ] = setting(
        "DUNNING_WEBHOOK_ENDPOINTS",
        "Endpoints of your application, with commas between them: a URL, a space and its secret, and while "
        "that is replaced a space and the one before. They are told of every event. The worker keeps them in "
        "the database, secrets included. See docs/webhooks.md.",
        default=(),
        example="https://app.acme.example/hooks whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==",
        cure="Write `https://host/path whsec_...`; `dunning webhooks secret` prints a new secret.",
    )


class WebhookRules(Mode):
    """Where those endpoints may be: https:// on the internet, unless you allow more."""

    webhook_private_addresses: Annotated[tuple[Network, ...], Commas] = setting(
        "DUNNING_WEBHOOK_PRIVATE_ADDRESSES",
        "Networks of your own that endpoints may be in, with commas between them; else only addresses of the "
        "internet are reached. With DUNNING_LIVEMODE=false, endpoints in them may be http:// as well.",
        default=(),
        example="10.0.0.0/8,127.0.0.0/8",
        cure="Give networks such as 10.20.0.0/16, or leave it empty.",
    )
