"""PostgreSQL: it holds everything, so it must be reachable, migrated, and keep what it has committed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from console.doctor.asking import UnusableError, connection_to
from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from db import soundness
from db.migrate import pending
from db.soundness import Soundness
from settings.connections import Database

AREA = "PostgreSQL"

OLDEST = 150000  # server_version_num: 15
# Each worker takes as many connections as it has threads, and two; the rest take a few.
FEW_CONNECTIONS = 20
CLOCKS_APART = timedelta(seconds=5)


async def look(values: Values) -> list[Finding]:
    """Everything about the server itself; nothing where its address is not set."""
    settings = values.of(Database)
    if settings is None:
        return []
    try:
        async with connection_to(settings) as connection:
            found, ahead = await _read(connection)
            waiting = await pending(settings.database_url_sqlalchemy)
    except UnusableError as error:
        harm = "Events are refused. Stripe sends them later; Commet soon disables its webhook."
        return [fault(AREA, f"cannot be used: {error}", harm, "Look at DATABASE_URL.")]
    return judge(found, ahead, waiting)


async def _read(connection: AsyncConnection) -> tuple[Soundness, timedelta]:
    await soundness.read(connection)  # the first statement pays for the connection
    before = datetime.now(UTC)
    found = await soundness.read(connection)
    return found, soundness.skew(found, before, datetime.now(UTC))


def judge(found: Soundness, ahead: timedelta, waiting: list[str]) -> list[Finding]:
    """`ahead`: this machine's clock less the server's; `waiting`: migrations not run yet."""
    wrong = [*_of_server(found), *_of_schema(waiting), *_of_clock(ahead)]
    version = f"{found.version // 10000}.{found.version % 10000}"
    sound = [good(AREA, f"version {version}, migrated, keeps what it commits, clocks agree")]
    return [*(wrong or sound), *_of_login(found)]


def _of_server(found: Soundness) -> Iterator[Finding]:
    if found.version < OLDEST:
        yield fault(
            AREA, "is older than version 15", "Statements may fail.", "Upgrade to version 15 or newer."
        )
    if found.replica:
        yield fault(
            AREA, "is a read-only replica", "Nothing can be stored.", "Let DATABASE_URL name the primary."
        )
    if not (found.fsync and found.full_page_writes):
        yield fault(
            AREA,
            "does not wait for its disk (fsync or full_page_writes is off)",
            "A power cut loses events that nobody will send again, and may corrupt everything.",
            "Set fsync and full_page_writes to on.",
        )
    if found.synchronous_commit == "off":
        yield fault(
            AREA,
            "commits before the disk has it (synchronous_commit is off)",
            "A crash loses the last events, for which their senders have had a 200 already.",
            "Set synchronous_commit to on, at least for our role.",
        )
    if found.encoding != "UTF8":
        yield fault(
            AREA,
            f"has the encoding {found.encoding}",
            "Names in other scripts cannot be stored.",
            "Make a database with the encoding UTF8.",
        )
    if not found.autovacuum:
        yield risk(
            AREA, "has autovacuum off", "Tables that are swept each second get slow.", "Set autovacuum to on."
        )
    if found.free < FEW_CONNECTIONS:
        yield risk(
            AREA,
            f"has {found.free} connections left",
            "Another worker may not get its own.",
            "Raise max_connections, or put a pooler in front.",
        )


def _of_login(found: Soundness) -> Iterator[Finding]:
    if found.owner:
        yield note(
            AREA,
            "lets this login do anything to our tables",
            "A process that is taken over can read and change everything.",
            "Give each process a login of its own: `dunning roles`, and docs/production.md.",
        )


def _of_schema(waiting: list[str]) -> Iterator[Finding]:
    if waiting:
        yield fault(
            AREA,
            f"has not been migrated ({len(waiting)} to run, the next is {waiting[0]})",
            "Processes of this version fail.",
            "Run `dunning migrate`.",
        )


def _of_clock(ahead: timedelta) -> Iterator[Finding]:
    if abs(ahead) > CLOCKS_APART:
        yield risk(
            "Clock",
            f"this machine and PostgreSQL disagree by {abs(ahead).total_seconds():.0f} s",
            "Mails and revocations come so much too early or too late.",
            "Run chrony or systemd-timesyncd on both.",
        )
