"""What Stripe says now of what we hold: lists to compare page by page, and single objects read in full."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from dunning.events import BillingEvent, SubscriptionSeen
from providers.fields import flag, parts, ref
from providers.lookup import Lookup, MalformedEventError, Normalised, Subject
from providers.mirror import EventPage, Listed, OpenInvoice, OpenPage
from providers.pacing import Pace
from providers.stripe import SOURCE
from providers.stripe.accounts import connected_of
from providers.stripe.api import StripeGateway
from providers.stripe.events import KEPT_FOR, page
from providers.stripe.listing import A_PAGE, PAID_OR_OVER, PacedApi, StripeListing, was_charged
from providers.stripe.objects import customer_ref, subscription_of
from providers.stripe.settings import StripeApi

# Reads a second. Stripe allows 100 in live mode and 25 in a sandbox.
RECONCILED_AT, BY_HAND_AT = 5.0, 20.0
# Seconds between the tries of one question.
RESTS = (1.0, 2.0, 4.0)
# Seconds: a page of a hundred subscriptions with their customers takes longer than a single object.
A_PAGE_WITHIN = 40.0


class PacedGateway(StripeGateway):
    """The gateway that asks at a pace which others share."""

    def __init__(self, api: PacedApi) -> None:
        self._api, self._products = api, {}


class StripeMirror:
    """Belongs to one event loop. Every question waits for its turn, and raises ProviderUnavailableError when
    patience is over, or RefusedError.
    """

    kept_for = KEPT_FOR

    def __init__(self, api: PacedApi, *, livemode: bool, source: str = SOURCE) -> None:
        self.source = source
        self._api, self._livemode = api, livemode
        self._listing = StripeListing(api)
        self._gateway = PacedGateway(api)

    async def events(self, since: datetime, after: str | None) -> EventPage:
        """Those made since then, the newest first."""
        return await page(self._api, since, after)

    async def subscriptions(self) -> AsyncIterator[tuple[str, Callable[[str | None], Awaitable[Listed]]]]:
        """The lists there are, by name: one, and in test mode another for each test clock."""
        yield "subscriptions", self._listing.subscriptions
        for clock in [] if self._livemode else sorted(await self._listing.clocks()):
            yield f"subscriptions:{clock}", partial(self._listing.subscriptions, clock=clock)

    async def open_invoices(self, after: str | None) -> OpenPage:
        """All but those sent for payment by hand and one-off ones. Test clocks are left out by Stripe."""
        params = {"limit": A_PAGE, "status": "open", **({"starting_after": after} if after else {})}
        found = await self._api.pace.patiently(
            lambda: self._api.have_done(self._api.v1.invoices.list_async(params))  # type: ignore[arg-type]  # a TypedDict of the library's
        )
        listed = parts(found, "data")
        invoices, unreadable = [], 0
        for each in listed:
            try:
                if was_charged(each) and subscription_of(each) is not None:
                    invoices.append(OpenInvoice(str(ref(each)), customer_ref(each)))
            except MalformedEventError:
                unreadable += 1
        last = ref(listed[-1]) if listed and flag(found, "has_more") else None
        return OpenPage(invoices, len(listed), last, unreadable)

    async def invoice(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        """Everything about one invoice, as of `at` or later; nothing where Stripe does not know it."""
        return (await self._ask(Lookup(Subject.INVOICE, name, at))).facts

    async def subscription(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        """The same of a subscription, with what it has open where it is in trouble."""
        facts = list((await self._ask(Lookup(Subject.SUBSCRIPTION, name, at))).facts)
        seen = [fact for fact in facts if isinstance(fact, SubscriptionSeen) and fact.subscription == name]
        if seen and seen[0].status not in PAID_OR_OVER:
            for invoice in await self._open_of(name):
                facts += await self.invoice(invoice, at)
        return facts

    async def customer(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        """The same of a customer alone."""
        return (await self._ask(Lookup(Subject.CUSTOMER, name, at))).facts

    async def _open_of(self, subscription: str) -> list[str]:
        params = {"limit": A_PAGE, "status": "open", "subscription": subscription}
        found = await self._api.pace.patiently(
            lambda: self._api.have_done(self._api.v1.invoices.list_async(params))  # type: ignore[arg-type]  # as above
        )
        return [str(ref(each)) for each in parts(found, "data") if was_charged(each)]

    async def _ask(self, lookup: Lookup) -> Normalised:
        return await self._api.pace.patiently(lambda: self._gateway.look_up(lookup))


def mirror_of(settings: StripeApi, source: str = SOURCE, *, by_hand: bool = False) -> StripeMirror | None:
    """Slowly, and soon tired: other work asks Stripe as well, and what is not done now is done later.

    `by_hand` quicker, and for minutes. None without a key.
    """
    key = settings.api_key_of(source)
    if key is None:
        return None
    api = PacedApi(
        key,
        Pace(BY_HAND_AT) if by_hand else Pace(RECONCILED_AT, rests=RESTS),
        account=connected_of(source),
        api_base=settings.stripe_api_base,
        timeout=A_PAGE_WITHIN,
    )
    return StripeMirror(api, livemode=settings.livemode, source=source)
