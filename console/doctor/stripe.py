"""Stripe's side: the key and what it may read, and the webhook endpoint with its version and its events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from providers.lookup import ProviderUnavailableError
from providers.stripe.account import VITAL, Endpoint, endpoints, unreadable, wanted_events
from providers.stripe.accounts import CONNECT
from providers.stripe.client import StripeApi as Client
from providers.stripe.settings import StripeApi, StripeWebhooks
from providers.stripe.webhook import AUTHORIZED, DEAUTHORIZED

KEY, WEBHOOKS = "Stripe key", "Stripe webhooks"
TIMEOUT = 5.0  # seconds
PATH = "/webhooks/stripe"
# Stripe holds a charge back for as long as an endpoint that hears of it does not answer.
DELAYING = "invoice.created"


@dataclass(frozen=True, slots=True)
class _Account:
    """`of` follows the name of what is looked at; `path` is where its events go."""

    of: str
    path: str

    @property
    def key(self) -> str:
        return f"{KEY}{self.of}"

    @property
    def webhooks(self) -> str:
        return f"{WEBHOOKS}{self.of}"


MAIN = _Account("", PATH)
CONNECTED = _Account(", Connect", f"{PATH}/{CONNECT}")


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
    name = source.partition(":")[2]
    account = _Account(f", {name}", f"{PATH}/{name}") if name else MAIN
    key = settings.api_key_of(source) or ""
    api = Client(key, api_base=settings.stripe_api_base, timeout=TIMEOUT)
    try:
        missing = await unreadable(api)
    except ProviderUnavailableError as error:
        harm = "Events wait ten minutes for their reason, mails and revocations longer."
        setting = "STRIPE_ACCOUNTS" if name else "STRIPE_API_KEY"
        cure = f"Look at {setting}, and at whether this machine reaches Stripe."
        return [fault(account.key, f"Stripe cannot be asked ({error})", harm, cure)]
    doors = [account, CONNECTED] if account is MAIN and platform else [account]
    judged = judge_key(key, missing, live=settings.livemode, account=account)
    return [*judged, *await _webhooks(api, doors, live=settings.livemode)]


def judge_key(key: str, missing: Sequence[str], *, live: bool, account: _Account = MAIN) -> Iterator[Finding]:
    """`missing` are the permissions it lacks."""
    mode = "live" if live else "test"
    if missing:
        yield fault(
            account.key,
            f"may not read {', '.join(missing)}",
            "It looks like a Stripe that cannot be asked: mails come late and without their reason.",
            "Give the restricted key read permission for them.",
        )
    elif live and key.startswith("sk_"):
        yield risk(
            account.key,
            "is a secret key, which may do everything",
            "Whoever reads it can refund, pay out and delete.",
            "Use a restricted key (rk_live_) as docs/going-live.md describes.",
        )
    else:
        yield good(account.key, f"works in {mode} mode and reads all it has to")


async def _webhooks(api: Client, doors: Sequence[_Account], *, live: bool) -> list[Finding]:
    try:
        known = await endpoints(api)
    except ProviderUnavailableError as error:
        why = "the key may not read them" if error.forbidden else str(error)
        harm = "An event type nobody subscribed to is a customer nobody tells, or a lock-out of one who paid."
        cure = "Let the key read Webhook Endpoints, or compare the list in README.md by hand."
        return [note(doors[0].webhooks, f"endpoints cannot be listed: {why}", harm, cure)]
    return [finding for each in doors for finding in judge(known, live=live, account=each)]


def judge(known: Sequence[Endpoint], *, live: bool, account: _Account = MAIN) -> list[Finding]:
    """All endpoints of an account; ours are those whose address ends in its path."""
    ours = [each for each in known if urlsplit(each.url).path.rstrip("/").endswith(account.path)]
    if not ours:
        harm = "Nothing is heard of: nobody is told, and access is never given back."
        cure = (
            f"Add an endpoint at https://your-host{account.path}. `stripe listen` in a sandbox is not listed "
            "here."
        )
        return [
            (fault if live else note)(account.webhooks, f"no endpoint leads to {account.path}", harm, cure)
        ]
    found = [finding for each in ours for finding in _endpoint(each, live=live, account=account)]
    if len([each for each in ours if each.enabled]) > 1:
        harm = "Each event comes twice, which changes nothing but costs twice."
        found.append(
            note(account.webhooks, f"{len(ours)} endpoints lead to {account.path}", harm, "Keep one.")
        )
    return found


def _endpoint(each: Endpoint, *, live: bool, account: _Account) -> Iterator[Finding]:
    where = urlsplit(each.url).netloc
    if not each.enabled:
        yield fault(
            account.webhooks,
            f"the endpoint at {where} is disabled",
            "Nothing is heard of. Stripe disables an endpoint that fails for days.",
            "Enable it in the dashboard; then `dunning reconcile --since 30d` takes in what was missed.",
        )
        return
    if live and not each.url.startswith("https://"):
        yield fault(
            account.webhooks, f"{where} is not https", "Events can be read on the way.", "Use https://."
        )
    wanted = wanted_events(livemode=live) | ({DEAUTHORIZED, AUTHORIZED} if account is CONNECTED else set())
    lacking = {event for event in wanted if not each.hears(event)}
    if vital := lacking & VITAL:
        harm = "Somebody is not told, keeps what they have not paid, or is locked out though they have paid."
        yield fault(
            account.webhooks, f"{where} does not hear {_list(vital)}", harm, "Add them to the endpoint."
        )
    if rest := lacking - VITAL:
        harm = (
            "What they tell is noticed late: a new card, a failed try by hand, a changed address, a refund."
        )
        yield risk(
            account.webhooks, f"{where} does not hear {_list(rest)}", harm, "Add them to the endpoint."
        )
    if each.hears(DELAYING):
        harm = "Stripe delays charges by up to three days while any endpoint fails to answer it."
        yield risk(
            account.webhooks, f"{where} hears {DELAYING}", harm, "Name the events one by one, without it."
        )
    if each.version is None:
        harm = "The shape of events changes on the day somebody upgrades the account."
        yield note(
            account.webhooks,
            f"{where} follows the account's API version",
            harm,
            "Pin the endpoint's version.",
        )
    if not lacking and each.version:
        yield good(account.webhooks, f"{where} hears all it has to, in version {each.version}")


def _list(events: set[str]) -> str:
    return ", ".join(sorted(events))
