"""What Stripe's settings must be, going by what it has done, and where they stand against ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from console.doctor.asking import UnusableError, connection_to
from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from db import habits
from db.habits import Habits
from providers.stripe.settings import StripeApi, StripeWebhooks
from settings.connections import Database, Mode
from settings.portal import Links

AREA = "Stripe habits"

# The first API version whose shapes are read, and tested.
OLDEST_VERSION = "2025-02-24"
SILENCE = timedelta(days=3)


async def look(values: Values) -> list[Finding]:
    """Nothing where Stripe is not set up, or the database cannot be asked, which another look says."""
    settings, mode, links = values.of(Database), values.of(Mode), values.of(Links)
    if settings is None or mode is None or not _has_stripe(values):
        return []
    try:
        async with connection_to(settings) as connection:
            found = await habits.read(connection, livemode=mode.livemode)
    except UnusableError:
        return []
    return judge(found, pages=bool(links and links.portal_url))


def _has_stripe(values: Values) -> bool:
    asked, heard = values.of(StripeApi), values.of(StripeWebhooks)
    # What is wrong with its settings hides nothing.
    return asked is None or heard is None or bool(asked.sources or heard.stripe_webhook_secrets)


def judge(found: Habits, *, pages: bool) -> list[Finding]:
    """`pages`: mails lead to pages of our own."""
    wrong = [*_of_window(found), *_of_end(found, pages=pages), *_of_retries(found), *_of_events(found)]
    if not wrong and found.cases:
        wrong.append(good(AREA, f"{found.cases} cases agree with our settings"))
    return [*wrong, MAILS]


# Stripe says nowhere whether it mails.
MAILS = note(
    AREA,
    "whether Stripe mails about failed payments and expiring cards is told by no API",
    "Customers hear everything twice, in two voices.",
    "Switch them off: Settings, Billing, Subscriptions and emails.",
)


def _of_window(found: Habits) -> Iterator[Finding]:
    if found.outlasted:
        days = f", for up to {found.window.days} days" if found.window else ""
        yield risk(
            AREA,
            f"Stripe went on charging after our grace in {found.outlasted} of {found.cases} cases{days}",
            "Somebody is locked out on Monday and pays on Tuesday.",
            "Make the grace as long as Stripe's retries, or the retries shorter.",
        )
    if found.cut_short:
        yield risk(
            AREA,
            f"Stripe ended {found.cut_short} of {found.cases} cases before our grace was over",
            "Access ends sooner than our mails have promised.",
            "Make Stripe's retries as long as the grace, or leave subscriptions past due at their end.",
        )


def _of_end(found: Habits, *, pages: bool) -> Iterator[Finding]:
    if found.cancelled and not pages:
        yield risk(
            AREA,
            f"Stripe cancels subscriptions that are not paid ({found.cancelled} so far)",
            "The links in earlier mails then take money for a subscription that does not come back.",
            "Let Stripe mark them unpaid, or set DUNNING_PORTAL_URL: our page offers the way back.",
        )


def _of_retries(found: Habits) -> Iterator[Finding]:
    if found.never_charged:
        yield note(
            AREA,
            f"{found.never_charged} of {found.cases} cases have retries that Stripe only counted",
            "After a hard decline it charges nothing until there is a new card: attempts are no charges.",
            "Nothing to do: we count charges. Do not read attempt_count as charges elsewhere.",
        )


def _of_events(found: Habits) -> Iterator[Finding]:
    if found.silence is None:
        yield note(
            AREA,
            "no event has ever come",
            "Nothing is heard of: nobody is told.",
            "Send one: `stripe trigger invoice.paid`, or wait for the first.",
        )
    elif found.silence > SILENCE:
        yield risk(
            AREA,
            f"no event has come for {found.silence.days} days",
            "The endpoint may be disabled, or lead elsewhere.",
            "Look at the endpoint's deliveries in Stripe's dashboard.",
        )
    if found.strangers:
        yield risk(
            AREA,
            f"{found.strangers} events of the other mode came within a week, and were left alone",
            "An endpoint of the other mode leads here, and one of this mode may lead elsewhere.",
            "Give test and live mode an installation each, with a database each.",
        )
    if old := [version for version in found.versions if version[:10] < OLDEST_VERSION]:
        yield fault(
            AREA,
            f"events come in API version {', '.join(old)}",
            "Their shapes were never tried.",
            f"Make the endpoint anew with version {OLDEST_VERSION} or later.",
        )
