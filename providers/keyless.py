"""A gateway where the key is missing: whatever has to be asked waits, as while a provider is away."""

from __future__ import annotations

from typing import NoReturn

from providers.lookup import Charged, EndAction, Lookup, Normalised, ProviderUnavailableError


class Keyless:
    """Answers nothing, so that events wait for what they leave unsaid, and access stays."""

    def __init__(self, setting: str) -> None:
        """`setting` is the name of the one that is missing."""
        self.setting = setting

    async def look_up(self, lookup: Lookup) -> Normalised:
        self._refuse()

    async def payment_link(self, invoice: str) -> str | None:
        self._refuse()

    async def product_name(self, product: str) -> str | None:
        self._refuse()

    async def pay(self, invoice: str, key: str, *, present: bool = False, anew: bool = False) -> Charged:
        self._refuse()

    async def method_page(self, customer: str, back: str) -> str:
        self._refuse()

    async def end(self, subscription: str, action: EndAction, key: str) -> None:
        self._refuse()

    async def begin_again(self, subscription: str, back: str) -> str | None:
        self._refuse()

    async def revive(self, subscription: str) -> str:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ProviderUnavailableError(f"{self.setting} is not set", refused=True)
