"""From a case to the facts of its mail: what is promised, what is asked for, and what is left unsaid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.case import Situation, situation
from dunning.declines import Category
from dunning.events import CustomerFact
from dunning.money import Money
from dunning.policy import Policy
from dunning.rules.context import Context
from dunning.rules.terms import Terms
from dunning.standing import standing
from dunning.steps import Effect
from emails.catalogue import (
    AccessEnded,
    CardLabel,
    FinalWarning,
    Mail,
    OtherInvoice,
    PaymentFailed,
    PaymentRecovered,
)
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    account,
    charge,
    customer,
    day,
    failed,
    failures,
    history,
    invoice,
    ledger,
    notice_sent,
    paid,
    subscription,
    the_case,
    the_situation,
    warning,
)
from worker.compose import compose_mail

Facts = CustomerFact | Iterable[CustomerFact]
LINK = "https://invoice.example/1"


def mail(
    name: str, s: Situation, now: float, *done: Effect, key: str | None = None, policy: Policy = POLICY
) -> Mail:
    return compose_mail(
        Context(Terms(s, standing(s.account, s.case), policy), history(*done), day(now)),
        key=key or f"{name}:{INVOICE}",
        name=name,
        pay_url=LINK,
        plan_name="Team plan",
    )


def notice(*facts: Facts, now: float = 0, done: tuple[Effect, ...] = ()) -> PaymentFailed:
    found = mail("payment_failed", the_situation(*facts), now, *done)
    assert isinstance(found, PaymentFailed)
    return found


def ended(*facts: Facts, now: float = 14, **taken: Any) -> AccessEnded:
    """What says that access has ended; `taken` changes the case."""
    known = account(*facts)
    found = mail("access_ended", situation(known, replace(the_case(known), **taken)), now)
    assert isinstance(found, AccessEnded)
    return found


def receipt(*facts: Facts, now: float = 5, **taken: Any) -> PaymentRecovered:
    known = account(*facts)
    found = mail("payment_recovered", situation(known, replace(the_case(known), **taken)), now)
    assert isinstance(found, PaymentRecovered)
    return found


def test_a_notice_has_everything_the_customer_needs() -> None:
    """Amount, reason, card, number of charges, next attempt, end of access, the link."""
    assert notice(
        customer(0, name="Ada"),
        failures(0, code="expired_card", number="A-1", currency="eur", next_attempt_at=day(3)),
        charge(0, "expired_card", card_brand="visa", card_last4="4242"),
    ) == PaymentFailed(
        customer_name="Ada",
        plan="Team plan",
        amount=Money(1900, "eur"),
        category=Category.EXPIRED_CARD,
        card=CardLabel("visa", "4242"),
        attempt=1,
        charged_again=False,
        next_attempt_at=day(3),
        access_until=day(14),
        pay_url=LINK,
        invoice_number="A-1",
        other_open=0,
    )


@pytest.mark.parametrize("code", ["stolen_card", "authentication_required", "incorrect_number"])
def test_an_attempt_that_stripe_counts_and_does_not_make_is_not_announced(code: str) -> None:
    """After these declines nothing is charged until there is a new card, whatever is scheduled."""
    assert notice(failures(0, code=code, next_attempt_at=day(3))).next_attempt_at is None


def test_an_attempt_that_is_over_is_not_announced() -> None:
    """Written a day late, the mail does not promise yesterday."""
    assert notice(failures(0, next_attempt_at=day(3)), now=4).next_attempt_at is None


def test_an_attempt_after_the_end_of_access_is_not_announced() -> None:
    """Whoever waits for it loses access first."""
    assert notice(failures(0, 3, 8, next_attempt_at=day(14)), now=8).next_attempt_at is None
    assert notice(failures(0, 3, 8, next_attempt_at=day(13)), now=8).next_attempt_at == day(13)


def test_no_end_is_named_when_access_does_not_end() -> None:
    """Another subscription entitles the customer: nothing is taken, so nothing is promised."""
    other = subscription(0, "active", ref="sub_2")
    assert notice(failures(0), other).access_until is None
    assert notice(failures(0, next_attempt_at=day(20)), other).next_attempt_at == day(20)


def test_we_tried_again_is_said_only_of_a_charge_since_the_last_mail() -> None:
    """A second charge that was not told yet; not the first one, nor one that a mail has told already."""
    assert not notice(failures(0)).charged_again
    assert not notice(failures(0, 3), now=3).charged_again
    assert notice(failures(0, 3), now=3, done=(notice_sent(0),)).charged_again
    assert not notice(failures(0, 3), now=5, done=(notice_sent(0), notice_sent(4, 2))).charged_again
    assert not notice(failures(0, 3), now=3, done=(notice_sent(0, status="suppressed"),)).charged_again


def test_attempts_that_were_only_counted_are_no_attempts() -> None:
    """Stripe has counted four, one charge was made: the mail speaks of one."""
    found = notice(failures(0, code="stolen_card"), invoice(8, attempt_count=4), ledger(4), now=8)

    assert (found.attempt, found.charged_again) == (1, False)


def test_a_payment_that_waits_for_the_bank_has_no_card_and_no_attempt() -> None:
    """Nothing was charged yet: there is nothing to blame a card for."""
    found = notice(
        invoice(0, attempt_count=1), failed(0, 1, action_required=True), ledger(1), subscription(0)
    )

    assert (found.category, found.card, found.attempt) == (Category.AUTHENTICATION_REQUIRED, None, 0)


def test_a_warning_promises_three_days_even_when_it_is_late() -> None:
    """Written on day 13 for want of an earlier one, it names the end that its own acceptance brings about."""
    found = mail("final_warning", the_situation(failures(0)), 13, key=f"final_warning:{INVOICE}:24h")

    assert isinstance(found, FinalWarning)
    assert (found.hours_left, found.access_until, found.consequence) == (24, day(16), "revoked")


def test_the_second_warning_names_the_end_that_the_first_one_promised() -> None:
    """Accepted on day 12, the first warning moved the end to day 15; the second one says the same."""
    limited = Policy(at_expiry="limited")
    found = mail(
        "final_warning",
        the_situation(failures(0)),
        14,
        warning(12),
        key=f"final_warning:{INVOICE}:24h",
        policy=limited,
    )

    assert isinstance(found, FinalWarning)
    assert (found.access_until, found.consequence) == (day(15), "limited")


def test_the_end_says_who_ended_it() -> None:
    """Our own grace, Stripe's cancellation, unpaid or paused: each has its own words and date."""
    ours = ended(failures(0), taken_at=day(14), taken_level="limited")
    assert (ours.reason, ours.ended_at, ours.consequence) == ("grace_expired", day(14), "limited")

    unpaid = ended(failures(0), subscription(3, "unpaid"), now=3)
    assert (unpaid.reason, unpaid.ended_at, unpaid.consequence) == ("subscription_unpaid", day(3), "revoked")

    paused = ended(failures(0), subscription(3, "paused", paused_for="final_payment_failure"), now=3)
    assert (paused.reason, paused.ended_at) == ("subscription_paused", day(3))

    over = subscription(3, "canceled", ended_at=day(3), ended_for="payment_failed")
    cancelled = ended(failures(0), over, now=3)
    assert (cancelled.reason, cancelled.ended_at) == ("subscription_canceled", day(3))


def test_the_end_asks_for_money_only_where_money_helps() -> None:
    """An open invoice of a running subscription; not a settled one, nor one of a subscription that ended."""
    assert ended(failures(0), taken_at=day(14)).amount == Money(1900, "usd")
    assert ended(failures(0), subscription(3, "canceled", ended_at=day(3))).amount is None
    assert ended(failures(0), paid(15), taken_at=day(14)).amount is None


def test_a_receipt_is_for_what_was_paid_when_it_was_paid() -> None:
    """The amount that was really paid, on its date."""
    found = receipt(failures(0), paid(4, amount=1500))

    assert (found.amount, found.paid_at) == (Money(1500, "usd"), day(4))


def test_a_receipt_names_no_invoice_that_is_still_open() -> None:
    """Paid by a later invoice of the subscription: this case's own invoice is not the one that was paid."""
    assert receipt(failures(0, number="A-1"), paid(4, number="A-1")).invoice_number == "A-1"
    later = paid(4, ref="in_2"), subscription(4, "active")
    assert receipt(failures(0, number="A-1"), later).invoice_number is None


def test_a_receipt_gives_back_only_what_this_case_took() -> None:
    """Taken by us, or stopped by Stripe since the case opened; not what was stopped in another year."""
    assert not receipt(failures(0), paid(4)).access_restored
    assert receipt(failures(0), paid(16), taken_at=day(14)).access_restored
    assert receipt(failures(0), subscription(3, "unpaid"), paid(4), subscription(4, "active")).access_restored
    long_ago = subscription(-100, "unpaid"), subscription(-99, "active")
    assert not receipt(*long_ago, failures(0), paid(4)).access_restored


def test_a_mail_nobody_knows_is_an_error() -> None:
    """A step with an unknown name is a mistake in the program, not an empty mail."""
    with pytest.raises(KeyError):
        mail("birthday", the_situation(failures(0)), 0)


def test_what_is_promised_never_moves_earlier() -> None:
    """Whatever is sent and accepted on whichever day, each later mail names the same end or a later one."""
    for first in range(9, 20):
        done: list[Effect] = []
        promised = []
        s = the_situation(failures(0, 3))
        for now in [0.0, 3.0, first, first + 1.9, first + 2.5]:
            name = "payment_failed" if now < 9 else "final_warning"
            hours = 72 if now == first else 24
            found = mail(name, s, now, *done, key=f"{name}:{INVOICE}:{hours}h")
            assert isinstance(found, PaymentFailed | FinalWarning)
            assert found.access_until is not None
            promised.append(found.access_until)
            if name == "final_warning":
                done.append(warning(now, hours))
                assert found.access_until - day(first) >= timedelta(hours=72)
        assert promised == sorted(promised)


def test_each_further_invoice_comes_with_its_own_reason() -> None:
    """Number, amount and why, of whatever else is open in the same currency."""
    found = notice(
        failures(0, code="insufficient_funds"),
        failures(1, ref="in_2", of="sub_2", code="expired_card", number="A-2"),
        failures(2, ref="in_3", of="sub_3", code="stolen_card", currency="eur"),
    )
    assert found.other_open == 1
    assert found.others == (OtherInvoice("A-2", Money(1900, "usd"), Category.EXPIRED_CARD),)
