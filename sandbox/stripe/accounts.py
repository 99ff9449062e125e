"""The accounts of one simulated Stripe, told apart as Stripe does: by the key, and by `Stripe-Account`."""

from dataclasses import dataclass, field

from sandbox.stripe.api.calls import Calls, given_key
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.errors import ApiError


@dataclass(frozen=True, slots=True)
class Account:
    """`name` is "" for the main account, the key of another, "acct_..." of a connected one."""

    name: str
    engine: BillingEngine
    calls: Calls = field(default_factory=Calls)


class Accounts:
    """One main account, others with keys of their own, and those connected to the main one as a platform."""

    def __init__(self, main: BillingEngine, api_key: str) -> None:
        self.api_key = api_key
        self._by_key = {api_key: Account("", main)}
        self._connected: dict[str, Account] = {}

    def roll(self, api_key: str) -> None:
        """The main account has a new key, and its old one is worth nothing."""
        self._by_key[api_key] = self._by_key.pop(self.api_key)
        self.api_key = api_key

    def add(self, api_key: str, engine: BillingEngine) -> None:
        """Another account, which knows nothing of the main one."""
        self._by_key[api_key] = Account(api_key, engine)

    def connect(self, name: str, engine: BillingEngine) -> None:
        """An account that the main one's key can act for."""
        self._connected[name] = Account(name, engine)

    def disconnect(self, name: str) -> None:
        """It has taken that back."""
        del self._connected[name]

    def of(self, authorization: str, connected: str | None) -> Account:
        """Whom a request is for. Raises ApiError: 401 for an unknown key, 403 for an account not its own."""
        key = given_key(authorization, self._by_key)
        if connected is None:
            return self._by_key[key]
        found = self._connected.get(connected) if key == self.api_key else None
        if found is None:
            raise ApiError.invalid(
                f"The provided key does not have access to account '{connected}' (or that account does not "
                "exist). Application access may have been revoked.",
                code="account_invalid",
                status=403,
            )
        return found
