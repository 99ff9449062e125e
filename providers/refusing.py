"""What a gateway answers where its billing system cannot do what is asked: see `dunning.abilities`.

No rule and no page offers it. An effect that was planned when another version knew better may still ask.
"""

from __future__ import annotations

from providers.lookup import Charged, EndAction, ProviderUnavailableError

IMPOSSIBLE = "not_possible_there"


class Refusing:
    """For gateways of systems that charge, and end and revive subscriptions, by themselves alone."""

    async def pay(self, invoice: str, key: str, *, present: bool = False, anew: bool = False) -> Charged:
        """Charges nothing."""
        return Charged("refused", IMPOSSIBLE)

    async def end(self, subscription: str, action: EndAction, key: str) -> None:
        """Raises ProviderUnavailableError: a person has to."""
        raise ProviderUnavailableError(IMPOSSIBLE)

    async def revive(self, subscription: str) -> str:
        """Raises ProviderUnavailableError."""
        raise ProviderUnavailableError(IMPOSSIBLE)
