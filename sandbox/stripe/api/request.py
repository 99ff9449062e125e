"""One API request as its handler sees it, and what a handler gives back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.api.params import Params
from sandbox.stripe.endpoints import Endpoint
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Record
from sandbox.stripe.versions import ApiVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """`path` holds the URL's variable parts; `work` collects what is to be done after the answer.

    `endpoints` are those that webhooks go to.
    """

    engine: BillingEngine
    method: str
    url: str
    path: dict[str, str]
    params: Params
    version: ApiVersion
    delivered: Callable[[str], bool]
    endpoints: Sequence[Endpoint]
    work: list[Callable[[], object]]

    @property
    def ledger(self) -> Ledger:
        return self.engine.ledger

    @property
    def id(self) -> str:
        """The `{id}` of the URL."""
        return self.path["id"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, in the order in which it is sent."""

    records: Sequence[Record]
    has_more: bool


Answer = Record | Page | dict[str, Any]
Handler = Callable[[ApiRequest], Answer]
Routes = Sequence[tuple[str, str, Handler]]
