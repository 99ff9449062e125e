"""The checker on histories written by hand: it sees each breach, and nothing where there is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from emails.message import message_id
from tests.chaos.rig.books import Applied, Books, Mail, Stored
from tests.chaos.rig.checker import check
from tests.chaos.rig.figures import latencies, spread
from tests.chaos.rig.history import Answered, History, Line, Looked, Mailed, Said, Struck

DOMAIN = "merchant.example"
STEP = "payment_failed:in_1:1"
MAIL = message_id(STEP, DOMAIN)

# A renewal that fails at second 10 and is told: acknowledged, applied and mailed once each.
LINES: tuple[Line, ...] = (
    Said(1.0, "evt_1", "customer.subscription.created", "cus_1", "active"),
    Answered(1.1, "evt_1", 200, 0.02),
    Looked(2.0, "cus_1", 200, "full", "sub_1"),
    Said(10.0, "evt_2", "invoice.payment_failed", "cus_1", None),
    Said(10.0, "evt_3", "customer.subscription.updated", "cus_1", "past_due"),
    Answered(10.1, "evt_2", 503, 0.01),
    Answered(10.2, "evt_2", 200, 0.04),
    Answered(10.2, "evt_3", 200, 0.04),
    Mailed(11.0, MAIL, "ada@customer.example", "accepted"),
    Looked(12.0, "cus_1", 200, "warned", "sub_1"),
)
BOOKS = Books(
    inbox=tuple(Stored(f"evt_{number}", "done", 10.0) for number in (1, 2, 3)),
    applied=tuple(Applied(f"evt_{number}", "cus_1", 10.5) for number in (1, 2, 3)),
    mails=(Mail(STEP, "cus_1", True, "sent", 10.5),),
)


def breaches(*more: Line, lines: Sequence[Line] = LINES, books: Books = BOOKS) -> list[str]:
    """What the checker says of these lines and books."""
    return check(History(lines=[*lines, *more]), books, DOMAIN).breaches


def with_mail(status: str) -> Books:
    """The books, in which the only mail stands like this."""
    return replace(BOOKS, mails=(replace(BOOKS.mails[0], status=status),))


def test_nothing_is_found_where_every_promise_was_kept() -> None:
    """A webhook that was refused for want of a database and taken later is no breach."""
    findings = check(History(lines=LINES), BOOKS, DOMAIN)
    assert (findings.breaches, findings.unknown, findings.acknowledged) == ([], [], 3)


@pytest.mark.parametrize("status", ["pending", "dead", None])
def test_an_acknowledged_event_that_is_not_done_is_lost(status: str | None) -> None:
    """Whether it waits for ever, was given up, or was never stored."""
    rest = BOOKS.inbox[1:]
    books = replace(BOOKS, inbox=(Stored("evt_1", status, 10.0), *rest) if status else rest)
    findings = check(History(lines=LINES), books, DOMAIN)
    assert (len(findings.lost), len(findings.breaches)) == (1, 1)


def test_an_event_that_was_applied_twice_is_found() -> None:
    """Twice to the same customer; one event may concern two."""
    other = replace(BOOKS, applied=(*BOOKS.applied, Applied("evt_1", "cus_2", 10.5)))
    again = replace(BOOKS, applied=(*BOOKS.applied, BOOKS.applied[0]))
    assert breaches(books=other) == []
    assert breaches(books=again) == ["evt_1 was applied to cus_1 2 times"]


@pytest.mark.parametrize(("answer", "found"), [("accepted", 1), ("silence", 1), ("refused", 0), ("known", 0)])
def test_a_mail_of_which_two_copies_arrived_is_found(answer: str, found: int) -> None:
    """One that was refused, or that the service knew by its key, lies in no mailbox a second time."""
    again = Mailed(12.0, MAIL, "ada@customer.example", answer)  # type: ignore[arg-type]  # one of the literals
    assert len(check(History(lines=[*LINES, again]), BOOKS, DOMAIN).doubled) == found


@pytest.mark.parametrize("level", ["full", "limited", "revoked"])
def test_the_last_answer_must_be_what_stripe_says(level: str) -> None:
    """Who owes is warned; who has paid and is locked out, or is let in after the end, is a breach as well."""
    assert f"cus_1 is {level} at the end, and should be warned" in breaches(
        Looked(13.0, "cus_1", 200, level, "sub_1")
    )
    paid = (*LINES, Said(13.0, "evt_3", "customer.subscription.updated", "cus_1", "active"))
    assert breaches(lines=paid) == ["cus_1 is warned at the end, and should be full"]


def test_access_that_is_taken_before_stripe_ends_it_is_found_though_it_comes_back() -> None:
    """A moment is enough; afterwards it is right."""
    early, later = (
        Looked(11.5, "cus_1", 200, "revoked", "sub_1"),
        Looked(14.0, "cus_1", 200, "revoked", "sub_1"),
    )
    ended = Said(13.0, "evt_3", "customer.subscription.updated", "cus_1", "unpaid")
    assert breaches(lines=[*LINES[:-1], early, LINES[-1]]) == ["cus_1 was revoked at 11.500, too early"]
    assert breaches(ended, later) == []


def test_a_subscription_that_has_given_nothing_yet_may_say_so() -> None:
    """First the customer is known, then that it is incomplete: no access, and nothing that was taken."""
    unknown = Looked(0.4, "cus_1", 200, "revoked", None, "no_subscription")
    incomplete = Looked(0.5, "cus_1", 200, "revoked", "sub_1", "first_payment_incomplete")
    assert breaches(lines=[unknown, incomplete, *LINES]) == []
    assert breaches(lines=[replace(incomplete, reason="unpaid"), *LINES]) != []


def test_a_warning_before_any_failure_is_found() -> None:
    """Nobody is bothered for nothing."""
    assert breaches(lines=[Looked(1.5, "cus_1", 200, "warned", "sub_1"), *LINES]) == [
        "cus_1 was warned at 1.500, too early"
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (Answered(3.0, "evt_1", None, 1.0), 0),
        (Answered(3.0, "evt_1", 503, 1.0), 0),
        (Answered(3.0, "evt_1", 400, 1.0), 1),
        (Answered(3.0, "evt_1", 500, 1.0), 1),
        (Looked(3.0, "cus_1", None), 0),
        (Looked(3.0, "cus_1", 503), 0),
        (Looked(3.0, "cus_2", 404), 0),
        (Looked(3.0, "cus_1", 500), 1),
        (Looked(3.0, "cus_1", 404), 1),
    ],
)
def test_answers_that_nobody_may_get_are_found(line: Line, found: int) -> None:
    """A fault of ours is answered with 503 or not at all; a customer who was known is not forgotten."""
    assert len(breaches(lines=[*LINES[:3], line, *LINES[3:]])) == found


@pytest.mark.parametrize("status", ["pending", "sending", "failed", "suppressed"])
def test_a_mail_that_arrived_must_be_in_the_outbox_as_sent_or_unknown(status: str) -> None:
    """And none of them is still under way once all is done."""
    assert len(breaches(books=with_mail(status))) == 2  # nobody was told, as far as the outbox knows


def test_a_mail_that_nobody_decided_and_one_that_never_arrived_are_found() -> None:
    """Both sides are compared."""
    assert breaches(Mailed(12.0, "<other>", "ada@customer.example", "accepted")) == [
        "<other> arrived, but nobody had decided it"
    ]
    without = [line for line in LINES if not isinstance(line, Mailed)]
    assert breaches(lines=without) == [f"{STEP} counts as sent, but no server has said so"]


def test_an_unknown_mail_needs_a_server_that_fell_silent_or_a_kill() -> None:
    """Each kill of the process that mails explains one."""
    silent = [replace(line, answer="silence") if isinstance(line, Mailed) else line for line in LINES]
    assert breaches(lines=silent, books=with_mail("unknown")) == []
    assert breaches(Struck(9.0, 9.0, "mailer killed"), books=with_mail("unknown")) == []
    assert breaches(books=with_mail("unknown")) == [f"{STEP} is unknown for no reason"]


def test_who_owes_and_was_told_nothing_is_found_and_who_was_told_for_nothing() -> None:
    """Forgotten is as bad as bothered."""
    without = [line for line in LINES if not isinstance(line, Mailed)]
    assert breaches(lines=without, books=replace(BOOKS, mails=())) == ["cus_1 was told nothing"]
    to_other = Mail("payment_failed:in_2:1", "cus_2", True, "sent", 10.5)
    arrived = Mailed(11.0, message_id(to_other.step, DOMAIN), "bob@customer.example", "accepted")
    assert breaches(arrived, books=replace(BOOKS, mails=(*BOOKS.mails, to_other))) == [
        "cus_2 was bothered for nothing"
    ]


def test_latencies_are_taken_from_what_both_sides_wrote_down() -> None:
    """Acknowledged by the clock of Stripe, applied by the database's, mailed from one to the other."""
    assert latencies(History(lines=LINES), BOOKS, DOMAIN) == {
        "ack_p50_ms": 40,
        "ack_p99_ms": 40,
        "applied_p50_ms": 500,
        "applied_p99_ms": 500,
        "mailed_p50_ms": 500,
        "mailed_p99_ms": 500,
    }
    assert spread("none", []) == {}
    assert spread("x", [number / 1000 for number in range(1, 201)]) == {"x_p50_ms": 100, "x_p99_ms": 198}


def test_a_history_is_on_disk_as_it_is_written(tmp_path: Path) -> None:
    """One line of JSON for each, so that a run that is cut short leaves it behind."""
    with History(tmp_path / "history.jsonl") as history:
        for line in LINES:
            history.write(line)
        written = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert len(written) == len(LINES)
    assert written[1] == {"answered": {"at": 1.1, "event": "evt_1", "status": 200, "seconds": 0.02}}
