"""Stripe's side: the key and what it may read, and the webhook endpoint with its version and its events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from console.doctor.endpoints import UNHEARD, Door, judge
from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from providers.lookup import ProviderUnavailableError
from providers.permissions import lacking
from providers.stripe.account import READS, VITAL, endpoints, wanted_events
from providers.stripe.accounts import CONNECT
from providers.stripe.client import StripeApi as Client
from providers.stripe.settings import StripeApi, StripeWebhooks
from providers.stripe.webhook import AUTHORIZED, DEAUTHORIZED

KEY, WEBHOOKS = "Stripe key", "Stripe webhooks"
TIMEOUT = 5.0  # seconds
PATH = "/webhooks/stripe"
# Stripe holds a charge back for as long as an endpoint that hears of it does not answer.
DELAYING = "invoice.created"


async def look(values: Values) -> list[Finding]:
    """Each account with a key of its own; nothing where Stripe is not set up."""
    settings, heard = values.of(StripeApi), values.of(StripeWebhooks)
    if settings is None:
        return []
    platform = heard is not None and bool(heard.connect_webhook_secrets)
    found = await asyncio.gather(
        *(_account(settings, source, platform=platform) for source in settings.sources)
    )
    return [finding for each in found for finding in each]


async def _account(settings: StripeApi, source: str, *, platform: bool) -> list[Finding]:
    name, live = source.partition(":")[2], settings.livemode
    key = settings.api_key_of(source) or ""
    area = f"{KEY}, {name}" if name else KEY
    api = Client(key, api_base=settings.stripe_api_base, timeout=TIMEOUT)
    try:
        missing = await lacking(api, READS)
    except ProviderUnavailableError as error:
        harm = "Events wait ten minutes for their reason, mails and revocations longer."
        setting = "STRIPE_ACCOUNTS" if name else "STRIPE_API_KEY"
        cure = f"Look at {setting}, and at whether this machine reaches Stripe."
        return [fault(area, f"Stripe cannot be asked ({error})", harm, cure)]
    doors = [door_of(name, live=live)]
    if platform and not name:
        doors.append(door_of_connected(live=live))
    return [*judge_key(key, missing, live=live, area=area), *await _webhooks(api, doors, live=live)]


def door_of(name: str = "", *, live: bool) -> Door:
    """Where events of an account of this name come in; the main one has none."""
    return Door(
        area=f"{WEBHOOKS}, {name}" if name else WEBHOOKS,
        path=f"{PATH}/{name}" if name else PATH,
        wanted=wanted_events(livemode=live),
        vital=VITAL,
        delaying=DELAYING,
        disables="Stripe disables an endpoint that fails for days.",
        unpinned="The shape of events changes on the day somebody upgrades the account.",
        unlisted="`stripe listen` in a sandbox is not listed here.",
    )


def door_of_connected(*, live: bool) -> Door:
    """Where those of a platform's connected accounts do; that one disconnects has to be heard of too."""
    main = door_of(live=live)
    return replace(
        main,
        area=f"{WEBHOOKS}, Connect",
        path=f"{PATH}/{CONNECT}",
        wanted={*main.wanted, DEAUTHORIZED, AUTHORIZED},
    )


def judge_key(key: str, missing: Sequence[str], *, live: bool, area: str = KEY) -> Iterator[Finding]:
    """`missing` are the permissions it lacks."""
    mode = "live" if live else "test"
    if missing:
        yield fault(
            area,
            f"may not read {', '.join(missing)}",
            "It looks like a Stripe that cannot be asked: mails come late and without their reason.",
            "Give the restricted key read permission for them.",
        )
    elif live and key.startswith("sk_"):
        yield risk(
            area,
            "is a secret key, which may do everything",
            "Whoever reads it can refund, pay out and delete.",
            "Use a restricted key (rk_live_) as docs/going-live.md describes.",
        )
    else:
        yield good(area, f"works in {mode} mode and reads all it has to")


async def _webhooks(api: Client, doors: Sequence[Door], *, live: bool) -> list[Finding]:
    try:
        known = await endpoints(api)
    except ProviderUnavailableError as error:
        why = "the key may not read them" if error.forbidden else str(error)
        cure = "Let the key read Webhook Endpoints, or compare the list in README.md by hand."
        return [note(doors[0].area, f"endpoints cannot be listed: {why}", UNHEARD, cure)]
    return [finding for each in doors for finding in judge(known, each, live=live)]
