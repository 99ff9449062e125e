"""What would become of a customer if nobody paid."""

from __future__ import annotations

from datetime import timedelta

from dunning.fold import empty
from dunning.foretold import HORIZON, foretell
from dunning.policy import Policy
from dunning.takeover import take_over
from tests.dunning.builders import CUSTOMER, customer, day, failures, invoice


def test_what_is_owed_told_called_and_taken() -> None:
    """A large invoice and a small one, in two currencies, forty days after the first of them failed."""
    large = failures(0, 3, 7, amount_remaining=90_000, currency="eur")
    small = failures(30, ref="in_2", currency="jpy")
    known = take_over(empty("stripe", CUSTOMER), [customer(0), *large, *small], Policy(), day(40))
    told = foretell(known, {}, Policy(), day(40))
    assert (told.owed, told.failed_at) == ({"eur": 90_000, "jpy": 1900}, day(0))
    assert told.mails[0].key == "payment_failed:in_1:3"
    assert told.mails[0].due_at == known.cases["in_1"].first_contact_at
    assert told.access_at("limited")
    # Nobody has seen the last call about the large one, which is repeated for ever and told once.
    taken = [step.key for step in told.steps if step.key.startswith("access:")]
    assert taken == ["access:in_2:revoked"]
    assert {step.name for step in told.calls if step.name.startswith("reminder")} == {"reminder:1"}
    assert all(step.due_at <= day(40) + HORIZON for step in told.steps)


def test_who_pays_hears_nothing() -> None:
    """No step, nothing owed."""
    known = take_over(
        empty("stripe", CUSTOMER), [customer(0), invoice(0, status="paid", paid_at=day(0))], Policy(), day(1)
    )
    told = foretell(known, {}, Policy(), day(1) + timedelta(hours=1))
    assert (told.steps, told.owed, told.failed_at) == ((), {}, None)
