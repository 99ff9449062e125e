"""Billing systems that send the neutral format: who they are, how they sign, and whom to ask about them."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from providers.systems import families
from settings.checks import check_svix_secret, split_url
from settings.field import Commas, Settings, setting
from settings.webhooks import WebhookRules

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SCHEME = re.compile(r"(standard|(stripe|hex)(:[A-Za-z0-9-]{1,64})?)")
SHORTEST = 16


def _check_source(value: SecretStr) -> SecretStr:
    parts = value.get_secret_value().split()
    if len(parts) < 3:
        raise ValueError("must have a name, a scheme and at least one secret for each source")
    name, scheme, *secrets = parts
    _check_name(name)
    if not _SCHEME.fullmatch(scheme):
        raise ValueError(f"names a scheme for {name} that is not standard, stripe or hex")
    for secret in secrets:
        if scheme == "standard":
            check_svix_secret(SecretStr(secret))
        elif len(secret) < SHORTEST:
            raise ValueError(f"has a secret of less than {SHORTEST} characters for {name}")
    return value


def _check_lookup(value: SecretStr) -> SecretStr:
    parts = value.get_secret_value().split()
    if len(parts) not in (3, 4):
        raise ValueError("must have a source, a URL and a secret, or two while one is replaced")
    name, url, *secrets = parts
    _check_name(name)
    if not split_url(url, ("https", "http")).hostname:
        raise ValueError(f"has a URL without a host for {name}")
    for secret in secrets:
        check_svix_secret(SecretStr(secret))
    return value


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name in families():
        raise ValueError("has a name that is taken, or not made of small letters, digits, - and _")


def _once_each(lines: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    names = [line.get_secret_value().split()[0] for line in lines]
    if len(set(names)) < len(names):
        raise ValueError("names a source twice")
    return lines


class EventSources(Settings, title="The neutral format"):
    """Billing systems that speak the neutral format, and send their events to `/webhooks/events/NAME`."""

    event_sources: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_check_source)], ...], Commas, AfterValidator(_once_each)
    ] = setting(
        "DUNNING_EVENT_SOURCES",
        "The sources of events in the neutral format, with commas between them: a name, how it signs and its "
        "secrets, with spaces between them. `standard` is Standard Webhooks, `stripe` a header as Stripe's, "
        "`hex` a bare HMAC; `hex:x-acme-signature` names the header. See docs/providers.md.",
        default=(),
        example="acme standard whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==",
        cure="Write `name standard whsec_...`; `dunning webhooks secret` prints a new secret.",
    )


class EventLookups(WebhookRules, title="What it leaves unsaid"):
    """Who can be asked about subscriptions of those sources."""

    event_lookups: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_check_lookup)], ...], Commas, AfterValidator(_once_each)
    ] = setting(
        "DUNNING_EVENT_LOOKUPS",
        "Addresses of your application, with commas between them, that tell what events leave unsaid: a "
        "source, a URL and the secret that requests are signed with, with spaces between them. It has to be "
        "where `DUNNING_WEBHOOK_PRIVATE_ADDRESSES` allows. See docs/providers.md.",
        default=(),
        example="acme https://app.acme.example/dunning whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==",
        cure="Write `name https://host/path whsec_...`; `dunning webhooks secret` prints a new secret.",
    )
