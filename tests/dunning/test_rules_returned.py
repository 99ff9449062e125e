"""Mails that came back: which address is next, what is said once more, and when a person is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dunning.account import Account
from dunning.instructions import Verb
from dunning.plan import verdict
from dunning.reach import NO_ADDRESS_LEFT, recipient
from dunning.refusals import refusal
from dunning.results import Result
from dunning.steps import FINAL_WARNING, PAYER_CONFIRMATION, Effect, Kind, Plan
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    account,
    customer,
    day,
    effect,
    failures,
    history,
    keys,
    notice_sent,
    paid,
    planned,
    step,
    subscription,
    warning,
    why,
)
from tests.dunning.more_builders import after, called, said

ADA, BILLS, NEW = "ada@customer.example", "bills@customer.example", "new@customer.example"
N1, N2 = "payment_failed:in_1:1", "payment_failed:in_1:2"
W72, REVOKE, CALL = "final_warning:in_1:72h", "access:in_1:revoked", "escalation:in_1:unreachable"


def known(email: str | None = ADA, contact: str | None = None, at: float = 0) -> Account:
    metadata = (("billing_email", contact),) if contact else ()
    return account(customer(at, email=email, metadata=metadata), failures(0))


def came_back(mail: Effect, result: Result = Result.HARD_BOUNCE, to: str = ADA) -> Effect:
    return replace(mail, recipient=to).after(result, mail.created_at)


def to(account: Account, *done: Effect, name: str = "payment_failed") -> str | None:
    return recipient(account, history(*done), INVOICE, name)


def calls(found: Plan) -> list[str]:
    return [each.name for each in found.steps if each.kind is Kind.TEAM]


def test_the_next_address_is_the_billing_contact() -> None:
    """The newest notice is sent there at once, under a key of its own, and nobody is called."""
    lost = came_back(notice_sent(0))
    found = planned(known(contact=BILLS), 1, lost)
    assert to(known(contact=BILLS), lost) == BILLS
    again = step(found, f"{N1}~2")
    assert again is not None
    assert (again.due_at, again.name) == (day(1), "payment_failed")
    assert again.reason.endswith("what was sent before came back")
    assert calls(found) == []


def test_a_mail_that_is_said_once_more_is_one_rung() -> None:
    """It counts for the gap and for the next rung, where the one that came back does not."""
    done = (came_back(notice_sent(0)), replace(effect(f"{N1}~2", 2), recipient=BILLS))
    found = planned(known(contact=BILLS), 2.5, *done)
    assert f"{N1}~3" not in keys(found)
    second = step(found, N2)
    assert second is not None
    assert second.due_at == day(4)
    twice = (done[0], came_back(done[1], to=BILLS))
    assert keys(planned(known(NEW, BILLS), 2.5, *twice))[0] == f"{N1}~3"


def test_without_another_address_a_person_is_called_once() -> None:
    """The mails are held back with the reason, access is kept, and a second bounce calls nobody again."""
    lost = came_back(notice_sent(0))
    found = planned(known(), 1, lost)
    assert calls(found) == ["unreachable"]
    assert why(found, N2) == NO_ADDRESS_LEFT
    for again in (Result.HARD_BOUNCE, Result.COMPLAINT):
        second = came_back(notice_sent(0.5, 2), again)
        assert calls(planned(known(), 2, lost, called("unreachable", 1), second)) == []
    late = planned(known(), 40, lost, called("unreachable", 1))
    assert [each.key for each in late.steps if each.kind in (Kind.MAIL, Kind.ACCESS)] == []
    assert why(late, W72) == NO_ADDRESS_LEFT


def test_the_contact_that_bounces_too_leaves_a_person() -> None:
    """Called once the last address is lost."""
    done = (came_back(notice_sent(0)), came_back(effect(f"{N1}~2", 0.5), to=BILLS))
    found = planned(known(contact=BILLS), 1, *done)
    assert calls(found) == ["unreachable"]
    call = step(found, CALL)
    assert call is not None
    assert call.due_at == day(0.5)


def test_a_warning_that_came_back_is_none() -> None:
    """Access is kept beyond its end until a new one was accepted for three days, by another address."""
    accepted = warning(11)
    assert step(planned(known(), 14, accepted), REVOKE) is not None
    lost = came_back(accepted)
    found = planned(known(contact=BILLS), 14, lost)
    assert str(why(found, REVOKE)).startswith("the final warning came back")
    again = step(found, f"{W72}~2")
    assert again is not None
    assert (again.due_at, again.name) == (day(14), FINAL_WARNING)
    resent = replace(effect(f"{W72}~2", 14, name=FINAL_WARNING), recipient=BILLS)
    end = step(planned(known(contact=BILLS), 15, lost, resent), REVOKE)
    assert end is not None
    assert end.due_at == day(17)


def test_a_warning_to_an_address_that_bounces_later_is_none() -> None:
    """It was accepted, but for an address that takes no mail; unless its own delivery was told."""
    accepted = replace(warning(11), recipient=ADA)
    lost = came_back(warning(13, 24))
    found = planned(known(contact=BILLS), 14, accepted, lost)
    assert str(why(found, REVOKE)).startswith("the final warning came back")
    assert step(found, f"{W72}~2") is not None
    delivered = accepted.after(Result.DELIVERED, day(11))
    assert step(planned(known(contact=BILLS), 14, delivered, lost), REVOKE) is not None
    of_old = came_back(notice_sent(0))
    works = after(known(), said(Verb.ADDRESS_WORKS, 10, case=None))
    assert step(planned(works, 14, of_old, accepted), REVOKE) is not None
    works = after(known(), said(Verb.ADDRESS_WORKS, 13.5, case=None))
    found = planned(works, 14, accepted, lost)
    assert step(found, REVOKE) is None
    assert step(found, f"{W72}~2") is not None


@pytest.mark.parametrize("result", [Result.SOFT_BOUNCE, Result.UNDELIVERED])
def test_a_warning_that_did_not_arrive_is_none_either(result: Result) -> None:
    """The address is not given up: the next warning goes there, and if it fails too a person decides."""
    missed = came_back(warning(11), result)
    found = planned(known(), 13, missed)
    assert step(found, "final_warning:in_1:24h") is not None
    assert step(found, REVOKE) is None
    both = planned(known(), 14, missed, came_back(warning(13, 24), result))
    assert step(both, REVOKE) is None
    assert "unwarned" in calls(both)


def test_a_soft_bounce_of_a_notice_is_only_noted() -> None:
    """The ladder goes on, to the same address; what the service did not send is for a person, as ever."""
    soft = planned(known(), 1, came_back(notice_sent(0), Result.SOFT_BOUNCE))
    assert (calls(soft), keys(soft)[0]) == ([], N2)
    assert calls(planned(known(), 1, came_back(notice_sent(0), Result.UNDELIVERED))) == ["undeliverable"]


def test_whoever_complains_has_read_it() -> None:
    """Nothing is said once more, the rest goes to the billing contact, and without one a person is called."""
    lost = came_back(notice_sent(0), Result.COMPLAINT)
    found = planned(known(contact=BILLS), 1, lost)
    assert why(found, f"{N1}~2") == "a mail has told it already"
    assert (to(known(contact=BILLS), lost), step(found, N2) is not None) == (BILLS, True)
    assert calls(planned(known(), 1, lost)) == ["unreachable"]


def test_a_corrected_address_clears_by_itself() -> None:
    """What came back from the old one, even later, says nothing of the new one."""
    late = came_back(notice_sent(0))
    found = planned(known(NEW, at=1), 1, late)
    assert to(known(NEW, at=1), late) == NEW
    assert keys(found)[0] == f"{N1}~2"
    assert calls(found) == []
    assert to(known("ADA@Customer.example "), late) is None


def test_a_person_may_say_that_it_works() -> None:
    """From then on; a mail that is sent later and comes back is believed, and calls again."""
    lost = came_back(notice_sent(0))
    works = after(known(), said(Verb.ADDRESS_WORKS, 2, case=None))
    assert to(works, lost, called("unreachable", 1)) == ADA
    found = planned(works, 2, lost, called("unreachable", 1))
    assert keys(found)[0] == f"{N1}~2"
    again = came_back(effect(f"{N1}~2", 2.5))
    found = planned(works, 3, lost, called("unreachable", 1), again)
    assert calls(found) == ["unreachable:2"]
    told = said(Verb.ADDRESS_WORKS, 3, case=None)
    assert refusal(known(), history(lost), POLICY, told, day(3)) is None
    assert "nothing to change" in str(refusal(known(), {}, POLICY, told, day(3)))


def test_a_later_case_of_theirs_knows() -> None:
    """Nothing is mailed there for another invoice, months later; a person is called for it."""
    first = [*failures(0), paid(5)]
    second = [*failures(60, ref="in_2"), subscription(60)]
    both = account(customer(0, email=ADA), first, second)
    lost = came_back(notice_sent(0))
    found = planned(both, 60, lost)
    assert why(found, "payment_failed:in_2:1") == NO_ADDRESS_LEFT
    assert calls(found) == ["unreachable"]
    assert why(found, "recovered:in_1") == "the customer was never told of the failure"


def test_a_receipt_is_not_sent_where_mails_come_back() -> None:
    """Although a receipt is sent whatever else holds."""
    told = replace(notice_sent(0), recipient=BILLS)
    lost = came_back(notice_sent(3, 2))
    settled = account(customer(0, email=ADA), failures(0), paid(5))
    assert why(planned(settled, 5, told, lost), "recovered:in_1") == NO_ADDRESS_LEFT


def test_the_address_on_file_alone_confirms_who_pays() -> None:
    """Not the billing contact; and where mails come back nobody can be named."""
    lost = came_back(notice_sent(0))
    assert to(known(contact=BILLS), lost, name=PAYER_CONFIRMATION) is None
    named = said(Verb.NAME_PAYER, 1, to=NEW)
    assert "come back" in str(refusal(known(contact=BILLS), history(lost), POLICY, named, day(1)))
    asked = effect("fresh_link:in_1:1", 1, "pending")
    found = verdict(known(), history(lost, asked), POLICY, day(1), asked.key)
    assert found.excuse == "mails to the customer come back"


def test_who_has_no_address_has_lost_none() -> None:
    """That is told as it was before: such a mail fails, and a person is called for it."""
    assert to(known(None)) is None
    assert why(planned(known(None), 0), N1) is None
    assert to(known(None, BILLS)) == BILLS
