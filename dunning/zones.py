"""Whose clock counts: the customer's own time zone, else their country's, else their card's, else ours."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dunning.account import Account
from dunning.zonenames import zone, zone_of_country

# Customer metadata in which merchants keep an IANA zone, such as "Europe/Berlin".
METADATA_KEYS = ("timezone", "time_zone", "tz")


def zone_of(account: Account, default: str) -> ZoneInfo:
    """The zone the customer most likely lives in; `default` is the merchant's, an IANA name."""
    metadata = dict(account.customer.metadata)
    for key in METADATA_KEYS:
        own = zone(metadata.get(key))
        if own:
            return own
    return (
        zone_of_country(account.customer.country)
        or zone_of_country(_card_country(account))
        or ZoneInfo(default)
    )


def _card_country(account: Account) -> str | None:
    charges = sorted(account.charges.values(), key=lambda charge: (charge.at, charge.ref), reverse=True)
    return next((charge.card_country for charge in charges if charge.card_country), None)
