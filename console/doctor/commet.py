"""Commet's side: the key and what it may read, and the webhook with its version and its events."""

from __future__ import annotations

from collections.abc import Sequence

from console.doctor.endpoints import UNHEARD, Door, judge
from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from providers.commet.account import READS, VITAL, WANTED, endpoints
from providers.commet.client import CommetApi as Client
from providers.commet.settings import CommetApi, CommetWebhooks
from providers.lookup import ProviderUnavailableError
from providers.permissions import lacking

KEY, WEBHOOKS = "Commet key", "Commet webhooks"
TIMEOUT = 5.0  # seconds
DOOR = Door(
    area=WEBHOOKS,
    path="/webhooks/commet",
    wanted=WANTED,
    vital=VITAL,
    disables="Commet disables one after three failures in a row, and never sends what it missed.",
    unpinned="Older events have no attempt numbers: a charge that was lost is then not counted.",
    unlisted="`commet listen` in a sandbox is not listed here.",
)
# The permissions of a restricted key know no webhooks, and whoever may do everything need not be kept for it.
BY_HAND = "Compare the list in docs/providers.md with the webhook's page in Commet by hand."
UNASKED = risk(
    KEY,
    "is not set: Commet is not asked",
    "A payment whose event was lost is not known: access is taken from somebody who has paid.",
    "Give every worker a restricted key in COMMET_API_KEY: docs/providers.md.",
)


async def look(values: Values) -> list[Finding]:
    """Nothing where Commet bills nobody, or where settings are wrong, which another look says."""
    settings, heard = values.of(CommetApi), values.of(CommetWebhooks)
    if settings is None or settings.commet_api_key is None:
        unasked = settings and heard and heard.commet_webhook_secrets
        return [UNASKED] if unasked else []
    key, live = settings.commet_api_key.get_secret_value(), settings.livemode
    api = Client(key, livemode=live, api_base=settings.commet_api_base, timeout=TIMEOUT)
    try:
        missing = await lacking(api, READS)
    except ProviderUnavailableError as error:
        harm = "Events wait ten minutes for what they leave unsaid, mails and revocations longer."
        cure = "Look at COMMET_API_KEY and its mode, and at whether this machine reaches Commet."
        return [fault(KEY, f"Commet cannot be asked ({error})", harm, cure)]
    return [judge_key(key, missing, live=live), *await _webhooks(api, live=live)]


def judge_key(key: str, missing: Sequence[str], *, live: bool) -> Finding:
    """`missing` are the permissions it lacks; whether it may write links cannot be asked without one."""
    if missing:
        harm = "It looks like a Commet that cannot be asked: mails come late and without their amount."
        return fault(KEY, f"may not read {', '.join(missing)}", harm, "Make a key that may read them.")
    if live and key.startswith("ck_"):
        harm = "Whoever reads it can charge, refund and cancel."
        cure = "Use a restricted key (rk_live_) with the permissions in docs/providers.md."
        return risk(KEY, "is a key with full access", harm, cure)
    return good(KEY, f"works in {'live' if live else 'sandbox'} mode and reads all it has to")


async def _webhooks(api: Client, *, live: bool) -> list[Finding]:
    try:
        return judge(await endpoints(api), DOOR, live=live)
    except ProviderUnavailableError as error:
        why = "the key may not read them" if error.forbidden else str(error)
        return [note(WEBHOOKS, f"endpoints cannot be listed: {why}", UNHEARD, BY_HAND)]
