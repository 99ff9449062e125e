"""`dunning portal` in a process of its own, and what a browser would ask it over real HTTP."""

from __future__ import annotations

import re

import httpx

from tests.console.process import ServedProcess

SECRET = "a-secret-of-the-tests-which-is-long-enough"
BOUND = re.compile(r'name="bound" value="([^"]+)"')


class PortalProcess(ServedProcess):
    """One running portal, its log lines, and a browser without JavaScript."""

    def __init__(self, database_url: str, redis_url: str, port: int = 0, **settings: str) -> None:
        """Start it and wait until it says where it listens."""
        env = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DUNNING_LIVEMODE": "false",
            "DUNNING_PORTAL_URL": "https://pay.merchant.example",
            "DUNNING_LINK_SECRETS": SECRET,
            "DUNNING_BRAND_NAME": "Northwind",
            "DUNNING_BRAND_SUPPORT_EMAIL": "help@northwind.example",
            "DUNNING_BRAND_LOGO_URL": "https://northwind.example/logo.png",
            "DUNNING_BILLING_PAGE_URL": "https://northwind.example/billing",
            **settings,
        }
        super().__init__("portal", env, {"accept-language": "en"}, port)

    def get(self, token: str, **headers: str) -> httpx.Response:
        """The page of a link."""
        return self.client.get(f"/p/{token}", headers={k.replace("_", "-"): v for k, v in headers.items()})

    def submit(self, token: str, action: str, *, bound: str | None = None, **fields: str) -> httpx.Response:
        """Open the page of a link and send one of its forms."""
        if bound is None:
            found = BOUND.search(self.get(token).text)
            assert found
            bound = found[1]
        return self.client.post(f"/p/{token}/{action}", data={"bound": bound, **fields})
