"""What schedulers tell of the whole installation, after lives that were really lived."""

from __future__ import annotations

import time

import pytest

from db.tail import Line
from metrics.whole.meter import Meter
from sandbox.stripe import Card, custom_schedule
from tests.metrics.watching import Watching
from tests.scenarios.story import subscriber
from tests.scenarios.world import World
from tests.worker.breaking import trip
from tests.worker.reconciling import compare, fill, rows
from worker.usecases.holding import TRIPPED

# Charged on the days 0, 3, 7 and 37, after which Stripe cancels.
PATIENT = custom_schedule(3, 4, 30)


def test_nothing_has_happened(watching: Watching) -> None:
    """What alerts look at is there from the start, and 0: a first failure must be an increase."""
    for name in (
        "dunning_inbox_events",
        "dunning_outbox_effects",
        "dunning_mismatches",
        "dunning_mails_total",
    ):
        assert watching.every(name), name
        assert watching.told(name) == {}, name
    assert watching.every("dunning_breaker_tripped") == {"": 0}
    assert watching.every("dunning_processes_alive") == {"worker": 0, "scheduler": 0}
    assert watching.every("dunning_heartbeat_age_seconds") == {}
    assert watching.every("dunning_broker_up") == {"": 1}


def test_a_life_from_failure_to_revocation_and_back(world: World, watching: Watching) -> None:
    """Every figure that a failed payment moves: at risk first, then taken, then recovered."""
    story = subscriber(world, *["insufficient_funds"] * 3, retries=PATIENT)
    story.until(1)
    watching.look()
    assert watching.told("dunning_accounts") == {"past_due": 1}
    assert watching.told("dunning_cases_open") == {"insufficient_funds": 1}
    assert watching.told("dunning_open_amount") == {"usd": 19}
    assert watching.told("dunning_customers") == {"warned": 1}
    assert watching.told("dunning_cases_opened_total") == {"": 1}
    assert watching.told("dunning_mails_total") == {"payment_failed sent": 1}
    story.until(14.5)
    watching.look()
    assert watching.told("dunning_customers") == {"revoked": 1}
    assert watching.told("dunning_revocations_total") == {"revoked": 1}
    assert watching.told("dunning_escalations_total") == {"attempts": 1}
    assert watching.told("dunning_mismatches") == {}
    assert story.pay(Card())
    watching.look()
    assert watching.told("dunning_restores_total") == {"": 1}
    assert watching.told("dunning_cases_closed_total") == {"recovered": 1}
    assert watching.told("dunning_cases_open") == watching.told("dunning_open_amount") == {}
    assert watching.told("dunning_accounts") == {}
    applied = watching.told("dunning_events_applied_total")
    assert applied["stripe invoice.payment_failed"] == 3
    assert applied["stripe invoice.paid"] == 2
    assert watching.told("dunning_mismatches") == {}


def test_all_accounts_of_a_billing_system_are_counted_together() -> None:
    """A platform may have thousands of connected ones."""
    meter = Meter(())
    meter.add(
        [Line(f"stripe:acct_{number}", "event.applied", "invoice.paid", None, None) for number in range(3)]
    )
    applied = next(each for each in meter.collect() if each.name == "dunning_events_applied")
    counted = {sample.labels["source"]: sample.value for sample in applied.samples if sample.value}
    assert counted == {"stripe": 3}


def test_both_sides_of_a_mismatch(world: World, watching: Watching) -> None:
    """Rows that were changed behind our back: paid and locked out, and let in without paying."""
    subscriber(world, "insufficient_funds").until(1)
    watching.change("UPDATE access SET level = 'revoked', changed_at = now() - interval '1 hour'")
    watching.look()
    assert watching.told("dunning_mismatches") == {}, "past due is not paid"
    watching.change("UPDATE subscriptions SET status = 'active'")
    watching.look()
    assert watching.told("dunning_mismatches") == {"paid_but_locked": 1}
    assert watching.told("dunning_mismatch_oldest_seconds")["paid_but_locked"] >= 3600
    watching.change("UPDATE access SET level = 'full'")
    watching.look()
    assert watching.told("dunning_mismatches") == {}
    for stopped in ("status = 'unpaid'", "status = 'active', nonpayment_at = now()"):
        watching.change(f"UPDATE subscriptions SET {stopped}")  # noqa: S608  # constants
        watching.look()
        assert watching.told("dunning_mismatches") == {"open_but_unpaid": 1}


@pytest.mark.parametrize("outcome", ["recovered", "canceled", "written_off"])
def test_how_a_case_may_end_is_no_mismatch(world: World, watching: Watching, outcome: str) -> None:
    """Neither a payment, nor the end of the subscription, nor a write-off leaves access and money apart."""
    story = subscriber(world, *["insufficient_funds"] * (3 if outcome == "recovered" else 6), retries=PATIENT)
    story.until(14.5)
    if outcome == "recovered":
        assert story.pay(Card())
    elif outcome == "written_off":
        world.stripe.engine.write_off(story.invoice)
        world.settle()
    else:
        story.until(40)
    watching.look()
    assert watching.every("dunning_mismatches") == {"paid_but_locked": 0, "open_but_unpaid": 0}


def test_what_waits_is_late_or_was_given_up(world: World, watching: Watching) -> None:
    """Ages in seconds, by the database's clock."""
    subscriber(world, "do_not_honor").until(1)
    watching.change(
        "UPDATE outbox SET status = 'pending', due_at = clock_timestamp() - interval '90 seconds'",
        "UPDATE cases SET test_clock = NULL, due_at = clock_timestamp() - interval '5 minutes'",
        """INSERT INTO inbox (source, event_id, type, livemode, status, received_at) VALUES
           ('stripe', 'evt_late', 'invoice.paid', false, 'pending', clock_timestamp() - interval '2 minutes'),
           ('stripe', 'evt_dead', 'invoice.paid', false, 'dead', clock_timestamp())""",
    )
    watching.look()
    assert watching.told("dunning_inbox_events") == {"pending": 1, "dead": 1}
    assert 120 <= watching.told("dunning_inbox_oldest_seconds")[""] < 180
    assert watching.told("dunning_outbox_effects") == {"pending": 1}
    assert 90 <= watching.told("dunning_outbox_overdue_seconds")[""] < 150
    assert 300 <= watching.told("dunning_cases_overdue_seconds")[""] < 360
    assert watching.told("dunning_cases_due") == {"": 1}
    watching.change("UPDATE outbox SET status = 'unknown'")
    watching.look()
    assert watching.told("dunning_outbox_effects") == {"unknown": 1}


def test_who_is_alive_and_what_is_held_back(world: World, watching: Watching) -> None:
    """By kind and by queue; the breaker, and what it kept."""
    watching.change(
        """INSERT INTO heartbeats (process, kind, info, beat_at) VALUES
           ('w1', 'worker', '{"queues": ["events", "mail"]}', clock_timestamp()),
           ('w2', 'worker', '{"queues": ["events"]}', clock_timestamp() - interval '3 seconds'),
           ('w3', 'worker', '{"queues": ["team"]}', clock_timestamp() - interval '1 minute'),
           ('s1', 'scheduler', '{}', clock_timestamp() - interval '1 minute')""",
    )
    trip(world)
    watching.look()
    assert watching.every("dunning_processes_alive") == {"worker": 2, "scheduler": 0}
    assert watching.every("dunning_queue_workers") == {
        "events": 2,
        "cases": 0,
        "mail": 1,
        "team": 0,
        "billing": 0,
        "webhooks": 0,
    }
    ages = watching.every("dunning_heartbeat_age_seconds")
    assert ages["worker"] < 3
    assert ages["scheduler"] >= 60
    assert watching.every("dunning_breaker_tripped") == {"": 1}


def test_an_endpoint_that_was_switched_off_for_failing_is_told(world: World, watching: Watching) -> None:
    """As long as it is off; one that a person switched off is nobody's surprise."""
    watching.change(
        """INSERT INTO endpoints (url, secret, disabled_at, disabled_why) VALUES
           ('https://one.example', 'whsec_1', clock_timestamp() - interval '1 second', 'failing'),
           ('https://two.example', 'whsec_2', clock_timestamp() - interval '1 second', 'by hand'),
           ('https://three.example', 'whsec_3', NULL, NULL)""",
        """INSERT INTO alarms (kind, subject, facts)
           SELECT 'endpoint', id, '{}' FROM endpoints WHERE id IN (1, 3)""",
    )
    watching.look()
    assert watching.told("dunning_webhook_endpoints_disabled") == {"": 1}
    watching.change("UPDATE endpoints SET disabled_at = NULL")
    watching.look()
    assert watching.told("dunning_webhook_endpoints_disabled") == {}


def test_reasons_become_few_words(world: World, watching: Watching) -> None:
    """What was kept or dropped is counted by why; a text nobody knows, or a name with an id, is `other`."""
    subscriber(world)
    told = [
        ("access.kept", TRIPPED, "null"),
        ("access.kept", "the cap of 25 revocations an hour is reached: access is kept for now", "null"),
        ("access.kept", "nobody could confirm that the invoice is unpaid: access is kept for now", "null"),
        ("access.kept", "something new", "null"),
        ("mail.suppressed", "the case was closed before it was sent", '{"step": "payment_failed:in_1:1"}'),
        ("mail.suppressed", "the invoice is paid already", '{"step": "in_1Q2W3E"}'),
        ("team.called", "x", '{"name": "promise_broken:2026-01-02"}'),
        ("team.called", "x", '{"name": "cus_123@acme.example"}'),
    ]
    for kind, reason, data in told:
        watching.change(
            f"INSERT INTO journal (customer_id, at, kind, reason, data) "  # noqa: S608  # of our own
            f"SELECT id, now(), '{kind}', '{reason}', '{data}' FROM customers"
        )
    watching.look()
    assert watching.told("dunning_withheld_total") == {
        "breaker": 1,
        "cap": 1,
        "unconfirmed": 1,
        "other": 1,
        "closed": 1,
        "unwanted": 1,
    }
    assert watching.told("dunning_mails_total") == {"payment_failed suppressed": 1, "other suppressed": 1}
    assert watching.told("dunning_escalations_total") == {"promise_broken": 1, "other": 1}


def test_an_old_figure_is_not_told(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gauges are left out when nobody could read for a minute; counters stay."""
    later = time.time() + 61
    monkeypatch.setattr("metrics.whole.collector.time", lambda: later)
    assert watching.every("dunning_inbox_events") == {}
    assert watching.every("dunning_cases_opened_total") == {"": 0}


def test_how_well_we_are_in_step_with_stripe(world: World, watching: Watching) -> None:
    """Ages count from the first scheduler on, until there is a success; what was done is counted for ever."""
    assert watching.every("dunning_reconciled_age_seconds") == {}
    story = subscriber(world, "insufficient_funds").until(1)
    watching.change("DELETE FROM inbox", "UPDATE invoices SET paid_at = now() WHERE failed_at IS NOT NULL")
    assert set(rows(world)) == {"events", "comparison"}
    watching.change("UPDATE reconciliations SET created_at = now() - interval '4 hours'")
    watching.look()
    assert set(watching.told("dunning_reconciled_age_seconds")) == {"events", "comparison"}
    assert watching.told("dunning_reconciled_age_seconds")["events"] >= 4 * 3600
    filled = fill(world)["filled"]
    compare(world)
    watching.look()
    assert watching.told("dunning_events_filled_total") == {"": filled}
    assert watching.told("dunning_reconciled_age_seconds")["events"] < 3600
    assert watching.told("dunning_differences") == {"reported": 1}
    watching.change("UPDATE invoices SET paid_at = NULL")
    world.tick()
    compare(world)
    watching.look()
    assert watching.told("dunning_differences") == {}
    assert watching.told("dunning_differences_settled_total") == {"gone": 1}
    assert story.level() == ("warned", "payment_failed")
