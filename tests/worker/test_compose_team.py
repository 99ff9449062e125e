"""From a case to the facts of a call to the team."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from dunning.events import CustomerFact
from dunning.rules.context import context
from dunning.steps import Effect
from emails.catalogue import (
    TeamEscalation,
)
from tests.dunning.builders import (
    POLICY,
    account,
    day,
    failures,
    history,
    notice_sent,
    paid,
    planned,
    subscription,
    the_case,
    warning,
)
from worker.compose_team import compose_escalation

Facts = CustomerFact | Iterable[CustomerFact]
LINK = "https://invoice.example/1"


def escalation(
    *facts: Facts,
    now: float = 8,
    done: tuple[Effect, ...] = (),
    live: bool = False,
    source: str = "stripe",
) -> TeamEscalation:
    known = replace(account(*facts), source=source)
    return compose_escalation(
        context(known, the_case(known), history(*done), POLICY, day(now)),
        planned(known, now, *done),
        reason="3 charges have failed",
        livemode=live,
        plan_name="Team plan",
    )


def test_the_team_sees_what_went_out_and_what_comes() -> None:
    """Mails in order without those that failed, steps to come without calls to the team."""
    done = (
        notice_sent(3, 2),
        notice_sent(0),
        warning(8, status="failed"),
        notice_sent(7, 3, "unknown"),
    )
    found = escalation(failures(0, 3, 7), now=8, done=done)

    assert found.sent == (
        (day(0), "Mail: payment failed"),
        (day(3), "Mail: payment failed"),
        (day(7), "Mail: payment failed"),
    )
    assert found.upcoming == ((day(13), "Mail: access is about to end"),)
    assert (found.access_until, found.failing_since) == (day(14), day(0))


def test_the_team_sees_when_access_is_taken() -> None:
    """Once a warning was accepted the end itself is among what comes."""
    found = escalation(failures(0), now=13.5, done=(warning(11), warning(13, 24)))

    assert found.upcoming == ((day(14), "Access is revoked"),)
    assert found.access_until == day(14)


@pytest.mark.parametrize(
    "facts",
    [
        [failures(0, code="testmode_decline")],
        [failures(0), subscription(1, cancel_at_period_end=True)],
        [failures(0), subscription(0, "active", ref="sub_2")],
        [failures(0), subscription(3, "canceled", ended_at=day(3)), paid(5)],
    ],
    ids=["our fault", "cancelled", "replaced", "paid after the end"],
)
def test_the_team_is_told_no_end_where_none_is_planned(facts: list[Facts]) -> None:
    """Access that nobody is going to take has no last day."""
    found = escalation(*facts, now=5)

    assert found.access_until is None
    assert not [what for _, what in found.upcoming if "ccess" in what]


def test_the_links_lead_to_the_right_dashboard() -> None:
    """Test mode has a dashboard of its own."""
    assert [url for _, url in escalation(failures(0)).links] == [
        "https://dashboard.stripe.com/test/invoices/in_1",
        "https://dashboard.stripe.com/test/customers/cus_1",
    ]
    assert escalation(failures(0), live=True).links[0][1] == "https://dashboard.stripe.com/invoices/in_1"


@pytest.mark.parametrize("source", ["commet", "acme"])
def test_nobody_is_led_to_stripe_for_a_customer_of_somebody_else(source: str) -> None:
    """Commet's pages have no address that we know, and a system of the merchant's own has any."""
    assert escalation(failures(0), source=source).links == ()
