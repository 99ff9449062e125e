"""What is due is written down once, with its reason, in the transaction that learned of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from db import accounts, endings, models, outbox
from db.accounts import Loaded
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import fold
from tests.dunning.builders import CUSTOMER, customer, day, failures, paid, subscription, written_off
from tests.scenarios.stage import Stage
from tests.worker.plain import PLAIN
from worker.usecases.enact import Enacted, enact

Facts = list[CustomerFact]
NOTICE, WARNING = "payment_failed:in_1:1", "final_warning:in_1:72h"


class Worker:
    """Learns facts and enacts, each time in a transaction of its own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def learn(
        self,
        now: datetime,
        *facts: CustomerFact,
        team: tuple[str, ...] = ("mail",),
        verified: Collection[str] = (),
    ) -> Enacted:
        async def run() -> Enacted:
            async with self.stage.engine.begin() as connection:
                loaded = await self._load(connection, facts)
                after = settle(fold(loaded.account, *facts), PLAIN)
                return await enact(
                    connection, loaded, after, policy=PLAIN, team_channels=team, now=now, verified=verified
                )

        return self.stage.run(run())

    async def _load(self, connection: Any, facts: tuple[CustomerFact, ...]) -> Loaded:
        (row_id,) = (await accounts.ensure(connection, [("stripe", CUSTOMER)])).values()
        invoices = {ref for fact in facts if (ref := getattr(fact, "invoice", None))}
        loaded = await accounts.load(connection, [row_id], also_invoices=invoices, lock=True)
        return loaded[row_id]

    def accept(self, now: datetime) -> None:
        """The mail server takes everything that waits."""

        async def run() -> None:
            async with self.stage.engine.begin() as connection:
                for row in await connection.execute(models.outbox.select()):
                    claim = await outbox.claim(connection, row.id)
                    if claim:
                        await endings.finish(connection, claim, "sent", accepted_at=now)

        self.stage.run(run())

    def steps(self) -> list[tuple[str, str, str]]:
        """(step, channel, status) of every effect."""
        rows = self.stage.rows(models.outbox)
        return sorted((row.step, row.channel, row.status) for row in rows)

    def journal(self) -> list[tuple[str, str | None]]:
        """(kind, reason) of every entry, in its order."""
        rows = sorted(self.stage.rows(models.journal), key=lambda row: row.id)
        return [(row.kind, row.reason) for row in rows]

    def access(self) -> Any:
        (row,) = self.stage.rows(models.access)
        return row

    def due_at(self, invoice: str = "in_1") -> datetime | None:
        rows = self.stage.rows(models.cases)
        found: datetime | None = next(row.due_at for row in rows if row.invoice == invoice)
        return found


@pytest.fixture
def worker(stage: Stage) -> Worker:
    """Nothing has happened yet."""
    return Worker(stage)


def test_the_first_failure_is_written_down(worker: Worker) -> None:
    """Case, mail, access, next look and the reasons for all of them."""
    done = worker.learn(day(0), customer(), *failures(0))
    assert (len(done.mail), done.team, done.unverified) == (1, (), False)
    assert worker.steps() == [(NOTICE, "mail", "pending")]
    assert worker.journal() == [
        ("case.opened", "a renewal failed"),
        ("mail.decided", "mail 1 of the ladder, at the first failure"),
        ("access.changed", "payment_failed"),
    ]
    assert (worker.access().level, worker.access().until) == ("warned", day(14))
    assert worker.due_at() == day(3)


def test_class_1_learning_it_again_writes_nothing(worker: Worker) -> None:
    """The same facts, later and twice."""
    worker.learn(day(0), *failures(0))
    before = worker.steps(), worker.journal(), worker.due_at()
    for hour in (0, 0.1, 1):
        assert worker.learn(day(hour), *failures(0)) == Enacted()
    assert (worker.steps(), worker.journal(), worker.due_at()) == before


def test_class_2_a_payment_drops_what_was_not_sent(worker: Worker) -> None:
    """With an entry that says so; nobody was told, so nobody gets a receipt."""
    worker.learn(day(0), *failures(0))
    done = worker.learn(day(0.1), paid(0.1), subscription(0.1, "active"))
    assert done == Enacted()
    assert worker.steps() == [(NOTICE, "mail", "suppressed")]
    assert ("mail.suppressed", "the case was closed before it was sent") in worker.journal()
    assert ("case.closed", "recovered") in worker.journal()
    assert worker.access().level == "full"
    assert worker.due_at() is None


def test_a_payment_after_the_mail_is_answered(worker: Worker) -> None:
    """The receipt is decided in the same transaction."""
    worker.learn(day(0), *failures(0))
    worker.accept(day(0))
    worker.learn(day(3), paid(3), subscription(3, "active"))
    assert worker.steps() == [(NOTICE, "mail", "sent"), ("recovered:in_1", "mail", "pending")]


def test_a_case_that_opens_and_closes_at_once_says_so(worker: Worker) -> None:
    """Everything arrives together: no mail, two entries."""
    worker.learn(day(3), *failures(0), paid(3), subscription(3, "active"))
    assert worker.steps() == []
    assert [kind for kind, _ in worker.journal()] == ["case.opened", "case.closed", "access.changed"]


def test_two_subscriptions_that_fail_at_once_make_one_mail_each_time(worker: Worker) -> None:
    """Both are due in this second; the one mail tells of both."""
    worker.learn(day(0), *failures(0), *failures(0, ref="in_2", of="sub_2"))
    assert worker.steps() == [(NOTICE, "mail", "pending")]
    assert worker.due_at("in_2") == day(3)
    worker.accept(day(0))
    worker.learn(day(3))
    assert worker.steps() == [
        (NOTICE, "mail", "sent"),
        ("payment_failed:in_1:2", "mail", "pending"),
    ]


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (("mail",), [("mail", "pending")]),
        (("mail", "chat"), [("chat", "pending"), ("mail", "pending")]),
        ((), [("none", "suppressed")]),
    ],
)
def test_the_team_is_called_on_every_channel_it_has(
    worker: Worker, channels: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """And a team without any leaves a row that says so."""
    done = worker.learn(day(3), *failures(0, 1, 3), team=channels)
    calls = [(channel, status) for step, channel, status in worker.steps() if step.startswith("escalation")]
    assert calls == expected
    assert len(done.team) == len(channels)
    assert worker.journal().count(("team.called", "3 charges have failed")) == 1
    worker.learn(day(3.1), team=channels)
    assert worker.journal().count(("team.called", "3 charges have failed")) == 1


def warned(worker: Worker) -> None:
    """Up to the end of grace, everything accepted at once."""
    worker.learn(day(0), *failures(0))
    for at in (0, 11, 13):
        worker.learn(day(at))
        worker.accept(day(at))


def test_access_is_not_taken_unverified(worker: Worker) -> None:
    """It is due, and stays due, until somebody has asked."""
    warned(worker)
    done = worker.learn(day(14))
    assert done == Enacted(unverified=True)
    assert worker.access().level == "warned"
    assert worker.due_at() == day(14)


def test_access_that_is_verified_is_taken_and_told(worker: Worker) -> None:
    """In one transaction, with a record of what was taken and when."""
    warned(worker)
    done = worker.learn(day(14), verified={"in_1"})
    assert (len(done.mail), done.unverified) == (1, False)
    (case,) = worker.stage.rows(models.cases)
    assert (case.taken_at, case.taken_level, case.due_at) == (day(14), "revoked", None)
    assert (worker.access().level, worker.access().changed_at) == ("revoked", day(14))
    assert worker.journal()[-3:] == [
        ("access.taken", "grace ended without a payment"),
        ("mail.decided", "access has ended: grace_expired"),
        ("access.changed", "grace_expired"),
    ]
    assert worker.learn(day(15), verified={"in_1"}) == Enacted()


def test_what_is_decided_for_an_account_is_one_log_line(worker: Worker) -> None:
    """However many steps it takes; where nothing is decided there is none."""
    warned(worker)
    with capture_logs() as logs:
        worker.learn(day(14), verified={"in_1"})
        worker.learn(day(15), verified={"in_1"})
    [line] = [each for each in logs if each["event"] == "account.decided"]
    assert line["steps"] == "access:in_1:revoked access_ended:in_1"
    assert (line["access"], line["reason"]) == ("revoked", "grace_expired")


def test_class_16_a_payment_restores_what_was_taken(worker: Worker) -> None:
    """In the transaction that learns of it."""
    warned(worker)
    worker.learn(day(14), verified={"in_1"})
    worker.accept(day(14))
    worker.learn(day(20), paid(20), subscription(20, "active"))
    assert (worker.access().level, worker.access().changed_at) == ("full", day(20))
    assert ("recovered:in_1", "mail", "pending") in worker.steps()


def test_class_17_a_write_off_restores_nothing(worker: Worker) -> None:
    """Active again, and nobody paid: the reason changes, the level does not."""
    warned(worker)
    worker.learn(day(14), verified={"in_1"})
    worker.accept(day(14))
    worker.learn(day(20), written_off(20), subscription(20, "active"))
    row = worker.access()
    assert (row.level, row.reason, row.changed_at) == ("revoked", "written_off", day(14))
    assert worker.journal()[-1] == ("case.closed", "written_off")


def test_a_new_reason_for_the_same_level_is_no_change(worker: Worker) -> None:
    """The row follows, the journal is silent, and the level keeps its date."""
    worker.learn(day(0), subscription(0, "trialing"))
    worker.learn(day(5), subscription(5, "active"))
    row = worker.access()
    assert (row.reason, row.changed_at) == ("good_standing", day(0))
    assert worker.journal() == [("access.changed", "trial")]


def test_who_has_not_subscribed_has_lost_nothing(worker: Worker) -> None:
    """No line about somebody who was never a customer."""
    worker.learn(day(0), customer())
    assert worker.journal() == []
    worker.learn(day(1), subscription(1, "active"))
    assert worker.journal() == [("access.changed", "good_standing")]


def test_a_mail_in_flight_is_not_dropped(worker: Worker) -> None:
    """Its outcome decides later whether there is a receipt: it may have arrived."""
    worker.learn(day(0), *failures(0))

    async def claim() -> None:
        async with worker.stage.engine.begin() as connection:
            await connection.execute(update(models.outbox).values(status="sending"))

    worker.stage.run(claim())
    worker.learn(day(0.1), paid(0.1), subscription(0.1, "active"))
    assert worker.steps() == [(NOTICE, "mail", "sending"), ("recovered:in_1", "mail", "pending")]


def test_class_12_a_case_closed_by_a_later_invoice_stays_closed(worker: Worker) -> None:
    """Month after month, though the account is loaded without the invoice that closed it."""
    warned(worker)
    worker.learn(day(13.5), paid(13.5, ref="in_2"), subscription(13.5, "active"))
    assert ("case.closed", "recovered") in worker.journal()
    worker.learn(day(44), *failures(44, ref="in_3"), verified={"in_1", "in_3"})
    assert worker.access().level == "warned"
    assert "case.reopened" not in [kind for kind, _ in worker.journal()]
    assert [kind for kind, _ in worker.journal()].count("access.taken") == 0
