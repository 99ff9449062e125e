"""The endpoints that the settings name: read, checked, and kept in the database."""

from __future__ import annotations

from db.endpoints import Wanted
from outbound.addresses import ForbiddenError, read_url
from outbound.signing import key_of
from settings import Problem, SettingsError, WorkerSettings

SETTING = "DUNNING_WEBHOOK_ENDPOINTS"


def endpoints_of(settings: WorkerSettings) -> list[Wanted]:
    """Raises SettingsError for a URL that is never followed and for a secret that cannot sign."""
    wanted = []
    for number, given in enumerate(settings.webhook_endpoints, 1):
        url, secret, *old = given.get_secret_value().split()
        try:
            read_url(url)
            for each in (secret, *old):
                key_of(each)
        except ForbiddenError as error:
            raise _wrong(number, f"{error}", "Give a plain https:// URL.") from None
        except ValueError as error:
            cure = "`dunning webhooks secret` prints a new secret."
            raise _wrong(number, f"the secret {error}", cure) from None
        wanted.append(Wanted(url, secret, old[0] if old else None))
    return wanted


def _wrong(number: int, why: str, cure: str) -> SettingsError:
    return SettingsError((Problem(SETTING, f"has a fault in endpoint {number}: {why}.", cure),))
