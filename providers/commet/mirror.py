"""What Commet says now of what we hold. It lists no events: what its webhooks have lost is looked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from dunning.events import AsOf, BillingEvent
from providers.commet.api import as_of_now
from providers.commet.client import CommetApi
from providers.commet.objects import customer_seen, is_renewal, named, owner_of, subscription_seen
from providers.commet.reading import CommetReading
from providers.commet.settings import CommetApi as CommetSettings
from providers.fields import Json, parts, text
from providers.lookup import MalformedEventError
from providers.mirror import EventPage, Listed, OpenInvoice, OpenPage
from providers.pacing import Pace

# Each object of a page is a question more.
A_PAGE: Final = 20
# Reads a second. How many Commet allows is not documented; a 429 slows down (docs: rate_limited).
RECONCILED_AT: Final = 2.0
BY_HAND_AT: Final = 5.0
# Seconds between the tries of one question.
RESTS: Final = (1.0, 2.0, 4.0)
A_PAGE_WITHIN: Final = 20.0
# Our clock may be ahead of Commet's, and an event of a moment after the reading must not look older than it.
CLOCKS_DIFFER_BY: Final = timedelta(minutes=1)


class CommetMirror:
    """Belongs to one event loop. Every question waits for its turn, and raises ProviderUnavailableError when
    patience is over, or RefusedError.
    """

    kept_for = None

    def __init__(self, api: CommetApi, pace: Pace, source: str) -> None:
        """`api` is to have the same pace."""
        self.source = source
        self._api, self._pace = api, pace
        self._reading = CommetReading(api)

    async def events(self, since: datetime, after: str | None) -> EventPage:
        """None: Commet lists no events."""
        return EventPage((), 0, None)

    async def subscriptions(self) -> AsyncIterator[tuple[str, Callable[[str | None], Awaitable[Listed]]]]:
        """One list, by customers: that of subscriptions has no pages."""
        yield "subscriptions", self._customers

    async def open_invoices(self, after: str | None) -> OpenPage:
        """The renewals of what is past due. One that is merely outstanding may not have been charged yet."""
        late = await self._pace.patiently(lambda: self._api.listed("subscriptions", status="past_due"))
        refs = {text(each, "id") for each in parts(late, "data")}
        page = await self._page("invoices", after, status="outstanding")
        listed = parts(page, "data")
        invoices, unreadable = [], 0
        for each in listed:
            try:
                if text(each, "subscription_id") in refs and is_renewal(each):
                    invoices.append(OpenInvoice(named(each, "id"), await self._owner(each)))
            except MalformedEventError:
                unreadable += 1
        return OpenPage(invoices, len(listed), _last(page), unreadable)

    async def invoice(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        return await self._pace.patiently(lambda: self._reading.invoice(name, as_of_now(at), charges=True))

    async def subscription(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        return await self._pace.patiently(lambda: self._reading.subscription(name, as_of_now(at), debts=True))

    async def customer(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        return await self._pace.patiently(lambda: self._reading.customer(name, as_of_now(at)))

    async def _customers(self, after: str | None) -> Listed:
        """A page of customers, each with their subscriptions."""
        page = await self._page("customers", after)
        listed = parts(page, "data")
        facts: list[BillingEvent] = []
        unreadable: list[str] = []
        for each in listed:
            try:
                facts += await self._theirs(each)
            except MalformedEventError:
                unreadable.append(str(each.get("id")))
        return Listed(tuple(facts), len(listed), last=_last(page), unreadable=tuple(unreadable))

    async def _theirs(self, customer: Json) -> list[BillingEvent]:
        read_at = datetime.now(UTC)
        as_of, owner = AsOf(read_at - CLOCKS_DIFFER_BY, read_at=read_at), owner_of(customer)
        found = await self._pace.patiently(lambda: self._api.listed("subscriptions", customer_id=owner))
        seen = [subscription_seen(each, owner, as_of) for each in parts(found, "data")]
        return [customer_seen(customer, as_of), *seen]

    async def _owner(self, invoice: Json) -> str:
        of = named(invoice, "customer_id")
        return (await self._pace.patiently(lambda: self._reading.owner(of))).ref

    async def _page(self, kind: Literal["customers", "invoices"], after: str | None, **wanted: str) -> Json:
        return await self._pace.patiently(
            lambda: self._api.listed(kind, limit=A_PAGE, cursor=after, **wanted)
        )


def mirror_of(settings: CommetSettings, source: str, *, by_hand: bool) -> CommetMirror | None:
    """Slowly, and soon tired: what is not done now is done later. `by_hand` quicker, and for minutes.

    None without a key.
    """
    if settings.commet_api_key is None:
        return None
    pace = Pace(BY_HAND_AT) if by_hand else Pace(RECONCILED_AT, rests=RESTS)
    api = CommetApi(
        settings.commet_api_key.get_secret_value(),
        livemode=settings.livemode,
        api_base=settings.commet_api_base,
        timeout=A_PAGE_WITHIN,
        pace=pace,
    )
    return CommetMirror(api, pace, source)


def _last(page: Json) -> str | None:
    return text(page, "next_cursor") if page.get("has_more") else None
