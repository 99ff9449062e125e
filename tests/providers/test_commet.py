"""Commet's events as facts: attempts, pairs, ends that are foreseen or done, and old envelopes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.account import Account, Outcome
from dunning.case import settle, situation
from dunning.declines import Category
from dunning.fold import empty, fold
from dunning.policy import Policy
from providers import hex_signature, systems
from providers.commet import webhook as commet_webhook
from providers.commet.facts import HANDLERS
from providers.envelope import BadSignature
from providers.lookup import MalformedEventError
from tests.dunning.strategies import examples
from tests.providers.commet_events import BY_HAND, DATA, RECOVERY_URL, SECRET, dumped, event, retry

INVOICE, SUBSCRIPTION = "inv_n4o5p6", "sub_1a2b3c4d"


def account(*events: dict[str, Any]) -> Account:
    facts: Any = [fact for each in events for fact in systems.normalise("commet", each).facts]
    return settle(fold(empty("commet", "user_123"), *facts), Policy())


def attempts(*events: dict[str, Any]) -> int:
    told = account(*events)
    return situation(told, told.cases[INVOICE]).executed_attempts


def test_the_documented_signature_is_understood() -> None:
    """The HMAC that commet-sdk makes of its own example, under the whole secret."""
    body = b'{"event":"payment.failed","data":{}}'
    signature = b"91b230a696d66e72b7526ebe3e2042447c33b03b0e491405f4afba538f05c6ff"
    hex_signature.verify(signature, body, [b"whsec_another", SECRET.encode()])
    for wrong in (signature[:-1], signature[:-1] + b"e", b"", "é".encode(), b"\xff" * 64):
        with pytest.raises(BadSignature):
            hex_signature.verify(wrong, body, [SECRET.encode()])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"{}", b'{"event": 7}', b'{"event": "x.y", "id": "\\n"}']
)
def test_whatever_is_signed_has_an_envelope(body: bytes) -> None:
    """Three refusals in a row would take the endpoint away."""
    found = commet_webhook.envelope(body)
    assert found.disposition == "ignored"
    assert len(found.event_id) == 64


def test_old_envelopes_are_known_by_their_content() -> None:
    """Without an id the same body is the same event; without a mode it is of this installation's."""
    old, new = dumped(event("payment.failed", old=True)), dumped(event("payment.failed"))
    assert commet_webhook.envelope(old) == commet_webhook.envelope(old)
    assert commet_webhook.envelope(old).livemode is None
    assert (commet_webhook.envelope(new).event_id[:5], commet_webhook.envelope(new).livemode) == (
        "whev_",
        False,
    )


def test_everything_that_is_taken_in_is_read() -> None:
    """The receiver keeps no event for which the worker has no use."""
    assert set(HANDLERS) == commet_webhook.HANDLED == set(DATA)
    for kind in DATA:
        assert systems.normalise("commet", event(kind)).facts, kind


def test_attempts_are_the_original_charge_and_the_scheduled_retries() -> None:
    """The third failure is retry number two; a try by hand is none, and neither is the same told again."""
    first, second = event("payment.failed"), event("payment.failed", 1, **retry(1))
    by_hand = event("payment.failed", 2, **BY_HAND)
    again = event("payment.failed", 1) | {"id": "whev_again"}
    assert attempts(first) == 1
    assert attempts(first, event("subscription.past_due")) == 1
    assert attempts(first, second, by_hand, by_hand, again) == 2
    assert attempts(first, second, by_hand, event("payment.failed", 3, **retry(2))) == 3


def test_without_a_context_the_charges_are_counted() -> None:
    """Older events say nothing of which attempt it was."""
    failures = [event("payment.failed", day, old=True) for day in (0, 1, 3)]
    assert attempts(*failures, failures[1]) == 3


def test_a_failure_says_why_and_where_to_pay() -> None:
    """The processor's code, and Commet's own link, which stays good while it is owed."""
    told = account(event("invoice.created"), event("payment.failed", failureCode="expired_card"))
    s = situation(told, told.cases[INVOICE])
    assert s.decline.category is Category.EXPIRED_CARD
    assert s.invoice.pay_url == RECOVERY_URL
    assert (s.invoice.amount_remaining, s.invoice.currency, s.invoice.number) == (4900, "eur", "INV-0043")


@pytest.mark.parametrize(
    "changes",
    [
        {"subscriptionId": None},
        *(
            {"paymentContext": {"reason": why, "recovery": None}}
            for why in ("one_time_payment", "plan_change")
        ),
    ],
)
def test_what_is_no_renewal_is_not_dunned(changes: dict[str, Any]) -> None:
    """A payment for something else."""
    assert account(event("payment.failed", **changes)).cases == {}


def test_an_end_is_foreseen_or_done() -> None:
    """A cancellation that is asked for ends nothing yet; `canceledAt` is never the end."""
    asked = {"canceledAt": "2026-06-20T10:00:00.000Z", "endDate": "2026-07-23T00:00:00.000Z"}
    foreseen = account(event("subscription.updated", **asked)).subscriptions[SUBSCRIPTION]
    assert (foreseen.status, foreseen.cancel_at_period_end) == ("active", True)
    done = account(
        event("subscription.updated", **asked),
        event("subscription.canceled", 30, cancelReason="Too expensive", **asked),
    ).subscriptions[SUBSCRIPTION]
    assert done.ended_at is not None
    assert (done.status, done.ended_for, done.ended_at.day) == ("canceled", "cancellation_requested", 23)


def test_the_same_subscription_comes_back() -> None:
    """Ended for want of payment, twice told; then paid for again by another invoice."""
    ended = [event("payment.failed"), event("payment.retry_failed", 7), event("subscription.canceled", 7)]
    assert account(*ended).cases[INVOICE].outcome is Outcome.ENDED
    back = account(*ended, event("subscription.reactivated", 10))
    assert back.cases[INVOICE].outcome is Outcome.RECOVERED
    assert back.subscriptions[SUBSCRIPTION].status == "active"


LIFE = [
    event("customer.created", -100),
    event("invoice.created", -0.01),
    event("payment.failed"),
    event("subscription.past_due"),
    event("payment.failed", 1, **retry(1)),
    event("payment.failed", 2, **BY_HAND),
    event("invoice.overdue", 2),
    event("payment.failed", 3, **retry(2)),
    event("payment_method.updated", 3.5),
    event("payment.recovered", 4),
    event("payment.received", 4),
    event("subscription.canceled", 40, cancelReason="moved away"),
    event("subscription.reactivated", 44),
]


@examples(30)
@given(st.randoms(use_true_random=False), st.integers(1, len(LIFE)))
def test_any_order_and_any_duplicates_give_one_account(random: Any, upto: int) -> None:
    """Whatever overtakes what."""
    shuffled = LIFE[:upto] + random.sample(LIFE[:upto], upto // 2)
    random.shuffle(shuffled)
    assert account(*shuffled) == account(*LIFE[:upto])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@examples(80)
@given(data=st.data(), kind=st.sampled_from(sorted(DATA)), value=json_values)
def test_nothing_that_is_signed_breaks_the_reader(data: Any, kind: str, value: Any) -> None:
    """Whatever a field holds, it is read or it is malformed."""
    name = data.draw(st.sampled_from(sorted(DATA[kind])))
    try:
        systems.normalise("commet", event(kind, **{name: value}))
    except MalformedEventError:
        return
