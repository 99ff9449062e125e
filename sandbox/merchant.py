"""The merchant in whose name the sandbox sends mail; nobody of that name exists."""

from collections.abc import Mapping
from types import MappingProxyType

DOMAIN = "merchant.example"
TEAM_ADDRESS = f"success@{DOMAIN}"

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "DUNNING_MAIL_FROM": f"Acme Billing <billing@{DOMAIN}>",
        "DUNNING_BRAND_NAME": "Acme",
        "DUNNING_BRAND_SUPPORT_EMAIL": f"support@{DOMAIN}",
        "DUNNING_BRAND_WEBSITE": f"https://{DOMAIN}",
        "DUNNING_BRAND_POSTAL_ADDRESS": "Acme Ltd, 1 Example Street, Exampletown",
        "DUNNING_BILLING_PAGE_URL": f"https://{DOMAIN}/billing",
        "DUNNING_TEAM_EMAIL": TEAM_ADDRESS,
    }
)
