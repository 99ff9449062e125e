"""The books of one organization at Commet: each deed changes them, and tells of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sandbox.commet import events, objects
from sandbox.commet.events import MOST_RETRIES, why
from sandbox.commet.objects import Json, written

MONTH = timedelta(days=30)
RECOVER, CHECKOUT = "https://pay.commet.co/recover", "https://pay.commet.co/checkout"
BUSY = frozenset({"draft", "trialing", "active", "past_due"})


class BusyError(Exception):
    """The customer has a subscription that leaves no room for another."""


class CommetBooks:
    """Objects by id, as the API shows them. `now` is set by whoever drives it; `tell` gets every event."""

    def __init__(self, now: datetime, tell: Callable[[Json], object]) -> None:
        self.now, self.tell = now, tell
        self.customers: dict[str, Json] = {}
        self.subscriptions: dict[str, Json] = {}
        self.invoices: dict[str, Json] = {}
        self.transactions: dict[str, Json] = {}
        self._numbers = count(1)
        self._retries: dict[str, int] = {}

    def clear(self) -> None:
        """Forget everybody."""
        for kept in (self.customers, self.subscriptions, self.invoices, self.transactions, self._retries):
            kept.clear()

    def subscribe(
        self,
        email: str,
        external_id: str | None = None,
        *,
        name: str | None = None,
        plan: str = "Pro",
        interval: str = "monthly",
        total: int = 4900,
        currency: str = "eur",
    ) -> str:
        """A customer buys and pays for the first period; the id of the subscription."""
        person = objects.customer(self._id("cus"), external_id, email, name, self.now)
        self.customers[person["id"]] = person
        self._say("customer.created", person)
        owner = external_id or person["id"]
        ref = self._id("sub")
        bought = objects.subscription(ref, owner, plan, interval, self.now, self.now + MONTH)
        self.subscriptions[ref] = bought
        first = self._bill(ref, total, currency)
        self._settle(first, why("first_subscription_payment"))
        self._say("subscription.activated", events.started(bought, first))
        return ref

    def renew(self, subscription: str, decline: str | None = None) -> str:
        """A new period is charged, which fails by this code or is paid; the id of the invoice."""
        of = self.subscriptions[subscription]
        before = self.latest_invoice(subscription)
        of["currentPeriod"] = self._period()
        bill = self._bill(subscription, before["total"], before["currency"])
        if decline is None:
            self._settle(bill, why())
        else:
            self._retries[bill["id"]] = 0
            self._put(of, status="past_due")
            self._fail(bill, why(), decline)
            self._say("subscription.past_due", events.about(bill) | {"status": "past_due"})
        return str(bill["id"])

    def retry(self, subscription: str, decline: str | None = None) -> None:
        """The next scheduled retry. The last one that fails ends the subscription."""
        bill = self.latest_invoice(subscription)
        number = self._retries[bill["id"]] = self._retries[bill["id"]] + 1
        if decline is None:
            self._recover(bill, why(retry=number))
            return
        self._fail(bill, why(retry=number), decline)
        if number == MOST_RETRIES:
            self.give_up(subscription)

    def pay(self, subscription: str) -> None:
        """The customer follows the link, and pays what is outstanding."""
        self._recover(self.latest_invoice(subscription), why(by_hand=True))

    def try_by_hand(self, subscription: str, decline: str) -> None:
        """The same, and the card is declined again."""
        self._fail(self.latest_invoice(subscription), why(by_hand=True), decline)

    def give_up(self, subscription: str) -> None:
        """Nobody paid: the subscription ends."""
        bill = self.latest_invoice(subscription)
        self._put(bill, status="uncollectible")
        reason = {"provider": "stripe", "reason": "dunning_exhausted"}
        self._say("payment.retry_failed", events.about(bill) | reason)
        self.cancel(subscription, "dunning_exhausted")

    def cancel(self, subscription: str, reason: str | None = None) -> None:
        """It ends now."""
        ended = self._put(self.subscriptions[subscription], status="canceled", endDate=written(self.now))
        self._say("subscription.canceled", events.ended(ended, reason, self.now))

    def reactivate(self, subscription: str) -> None:
        """One that has ended is paid for anew, from today on."""
        of, before = self.subscriptions[subscription], self.latest_invoice(subscription)
        of["currentPeriod"] = self._period()
        bill = self._bill(subscription, before["total"], before["currency"])
        self._put(bill, invoiceType="reactivation")
        self._put(of, status="active", endDate=None)
        self._settle(bill, why("reactivation"))
        self._say("subscription.reactivated", events.started(of, bill))

    def begin(self, owner: str, plan: str, price: str | None) -> str:
        """A subscription that waits for its first payment; its id. Raises BusyError."""
        theirs = [each for each in self.subscriptions.values() if each["customerId"] == owner]
        if any(each["status"] in BUSY for each in theirs):
            raise BusyError
        ref = self._id("sub")
        begun = objects.subscription(ref, owner, theirs[-1]["name"], "monthly", self.now, self.now + MONTH)
        self.subscriptions[ref] = begun | {
            "status": "pending_payment", "checkoutUrl": f"{CHECKOUT}/{ref}", "priceId": price,
            "plan": begun["plan"] | {"id": plan},
        }  # fmt: skip
        return ref

    def check_out(self, subscription: str) -> None:
        """The customer pays for one that was begun."""
        of = self.subscriptions[subscription]
        before = next(each for each in self.invoices.values() if each["customerId"] == of["customerId"])
        first = self._bill(subscription, before["total"], before["currency"])
        self._settle(first, why("first_subscription_payment"))
        self._put(of, checkoutUrl=None)
        self._say("subscription.activated", events.started(of, first))

    def change_customer(self, customer: str, **fields: Any) -> None:
        """Somebody corrects a record, named as in the API (`email`, `fullName`)."""
        self._say("customer.updated", self._put(self.customers[customer], **fields))

    def latest_invoice(self, subscription: str) -> Json:
        return [each for each in self.invoices.values() if each["subscriptionId"] == subscription][-1]

    def of(self, owner: str) -> Json:
        """A customer by either id."""
        return next(each for each in self.customers.values() if owner in (each["id"], each["externalId"]))

    def _period(self) -> Json:
        return {"start": written(self.now), "end": written(self.now + MONTH), "daysRemaining": MONTH.days}

    def _bill(self, subscription: str, total: int, currency: str) -> Json:
        of = self.subscriptions[subscription]
        bill = objects.invoice(self._id("inv"), len(self.invoices) + 1, of, total, currency, self.now)
        self.invoices[bill["id"]] = bill
        self._say("invoice.created", events.billed(bill))
        return bill

    def _fail(self, bill: Json, context: Json, decline: str) -> None:
        self._charge(bill, "failed", context)
        link = f"{RECOVER}/{bill['subscriptionId']}"
        self._say("payment.failed", events.failed(bill, context, decline, link))

    def _settle(self, bill: Json, context: Json) -> None:
        made = self._charge(bill, "succeeded", context)
        self._put(bill, status="paid")
        self._put(self.subscriptions[bill["subscriptionId"]], status="active")
        self._say("payment.received", events.received(bill, context, made))

    def _recover(self, bill: Json, context: Json) -> None:
        self._settle(bill, context)
        self._say("payment.recovered", events.recovered(bill))

    def _charge(self, bill: Json, status: str, context: Json) -> Json:
        email = self.of(bill["customerId"])["email"]
        made = objects.transaction(self._id("txn"), bill, email, status, context, self.now)
        self.transactions[made["id"]] = made
        return made

    def _put(self, thing: Json, **values: Any) -> Json:
        thing.update(values, updatedAt=written(self.now))
        return thing

    def _say(self, kind: str, data: Json) -> None:
        self.tell(events.event(self._id("whev"), kind, data, self.now))

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"
