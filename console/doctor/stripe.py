"""Stripe's side: the key and what it may read, and the webhook endpoint with its version and its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from providers.lookup import ProviderUnavailableError
from providers.stripe.account import VITAL, Endpoint, endpoints, unreadable, wanted_events
from providers.stripe.client import StripeApi as Client
from providers.stripe.settings import StripeApi

KEY, WEBHOOKS = "Stripe key", "Stripe webhooks"
TIMEOUT = 5.0  # seconds
PATH = "/webhooks/stripe"
# Stripe holds a charge back for as long as an endpoint that hears of it does not answer.
DELAYING = "invoice.created"


async def look(values: Values) -> list[Finding]:
    """Nothing where Stripe is not set up."""
    settings = values.of(StripeApi)
    if settings is None or settings.stripe_api_key is None:
        return []
    key = settings.stripe_api_key.get_secret_value()
    api = Client(key, api_base=settings.stripe_api_base, timeout=TIMEOUT)
    try:
        missing = await unreadable(api)
    except ProviderUnavailableError as error:
        harm = "Events wait ten minutes for their reason, mails and revocations longer."
        cure = "Look at STRIPE_API_KEY, and at whether this machine reaches Stripe."
        return [fault(KEY, f"Stripe cannot be asked ({error})", harm, cure)]
    return [*judge_key(key, missing, live=settings.livemode), *await _webhooks(api, live=settings.livemode)]


def judge_key(key: str, missing: Sequence[str], *, live: bool) -> Iterator[Finding]:
    """`missing` are the permissions it lacks."""
    mode = "live" if live else "test"
    if missing:
        yield fault(
            KEY,
            f"may not read {', '.join(missing)}",
            "It looks like a Stripe that cannot be asked: mails come late and without their reason.",
            "Give the restricted key read permission for them.",
        )
    elif live and key.startswith("sk_"):
        yield risk(
            KEY,
            "is a secret key, which may do everything",
            "Whoever reads it can refund, pay out and delete.",
            "Use a restricted key (rk_live_) as docs/going-live.md describes.",
        )
    else:
        yield good(KEY, f"works in {mode} mode and reads all it has to")


async def _webhooks(api: Client, *, live: bool) -> list[Finding]:
    try:
        return judge(await endpoints(api), live=live)
    except ProviderUnavailableError as error:
        why = "the key may not read them" if error.forbidden else str(error)
        harm = "An event type nobody subscribed to is a customer nobody tells, or a lock-out of one who paid."
        cure = "Let the key read Webhook Endpoints, or compare the list in README.md by hand."
        return [note(WEBHOOKS, f"endpoints cannot be listed: {why}", harm, cure)]


def judge(known: Sequence[Endpoint], *, live: bool) -> list[Finding]:
    """All of the account's endpoints; ours are those whose address ends in /webhooks/stripe."""
    ours = [each for each in known if urlsplit(each.url).path.rstrip("/").endswith(PATH)]
    if not ours:
        harm = "Nothing is heard of: nobody is told, and access is never given back."
        cure = f"Add an endpoint at https://your-host{PATH}. `stripe listen` in a sandbox is not listed here."
        return [(fault if live else note)(WEBHOOKS, f"no endpoint leads to {PATH}", harm, cure)]
    found = [finding for each in ours for finding in _endpoint(each, live=live)]
    if len([each for each in ours if each.enabled]) > 1:
        harm = "Each event comes twice, which changes nothing but costs twice."
        found.append(note(WEBHOOKS, f"{len(ours)} endpoints lead to {PATH}", harm, "Keep one."))
    return found


def _endpoint(each: Endpoint, *, live: bool) -> Iterator[Finding]:
    where = urlsplit(each.url).netloc
    if not each.enabled:
        yield fault(
            WEBHOOKS,
            f"the endpoint at {where} is disabled",
            "Nothing is heard of. Stripe disables an endpoint that fails for days.",
            "Enable it in the dashboard; then `dunning reconcile --since 30d` takes in what was missed.",
        )
        return
    if live and not each.url.startswith("https://"):
        yield fault(WEBHOOKS, f"{where} is not https", "Events can be read on the way.", "Use https://.")
    lacking = {event for event in wanted_events(livemode=live) if not each.hears(event)}
    if vital := lacking & VITAL:
        harm = "Somebody is not told, keeps what they have not paid, or is locked out though they have paid."
        yield fault(WEBHOOKS, f"{where} does not hear {_list(vital)}", harm, "Add them to the endpoint.")
    if rest := lacking - VITAL:
        harm = (
            "What they tell is noticed late: a new card, a failed try by hand, a changed address, a refund."
        )
        yield risk(WEBHOOKS, f"{where} does not hear {_list(rest)}", harm, "Add them to the endpoint.")
    if each.hears(DELAYING):
        harm = "Stripe delays charges by up to three days while any endpoint fails to answer it."
        yield risk(WEBHOOKS, f"{where} hears {DELAYING}", harm, "Name the events one by one, without it.")
    if each.version is None:
        harm = "The shape of events changes on the day somebody upgrades the account."
        yield note(
            WEBHOOKS, f"{where} follows the account's API version", harm, "Pin the endpoint's version."
        )
    if not lacking and each.version:
        yield good(WEBHOOKS, f"{where} hears all it has to, in version {each.version}")


def _list(events: set[str]) -> str:
    return ", ".join(sorted(events))
