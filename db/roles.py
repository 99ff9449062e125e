"""What each process may do in the database: a role for each, with what its statements need and no more.

The roles cannot log in. Whoever runs the database lets logins of their own be members of them, so no password
is written here. New tables get their grants from `dunning migrate`, where the roles exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import metadata

# A privilege of a table, or with columns in brackets of those alone.
Rights = Mapping[str, str]

TABLES = tuple(table.name for table in metadata.sorted_tables)


def _each(tables: str, rights: str) -> dict[str, str]:
    return dict.fromkeys(tables.split(), rights)


_WRITE = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_MIRROR = "customers subscriptions invoices charges methods test_clocks"
_DECIDED = "cases access instructions outbox mail_results journal"
# Whoever is told of something, without the secrets it is signed with.
_WHO_IS_TOLD = "SELECT (id, types, disabled_at)"
_PERSONS = ("email", "name", "locales", "country", "metadata")
_NAMELESS = ", ".join(column.name for column in metadata.tables["customers"].c if column.name not in _PERSONS)

# SELECT ... FOR UPDATE needs the right to update some column, and ON CONFLICT the right to read its key.
RIGHTS: Mapping[str, Rights] = {
    "receiver": {"inbox": "INSERT, SELECT (id, source, event_id)"},
    "worker": _each(_MIRROR, _WRITE)
    | _each("cases access instructions outbox mail_results links", _WRITE)
    | _each("journal outgoing", "SELECT, INSERT")
    | _each("endpoints deliveries heartbeats", _ALL)
    | _each("inbox alarms reconciliations differences", _WRITE)
    | _each("breaker imports restores", "SELECT"),
    "scheduler": {
        "customers": f"SELECT ({_NAMELESS})",
        "inbox": "SELECT, UPDATE, DELETE",
        "outbox": "SELECT, UPDATE (due_at, rendered, last_error)",
        "cases": "SELECT, UPDATE (swept_at)",
        "subscriptions": "SELECT, UPDATE (swept_at)",
        "endpoints": "SELECT (id, disabled_at, swept_at, busy_until), UPDATE (swept_at)",
        "mail_results": "SELECT, UPDATE (details)",
        "links": "SELECT, UPDATE (locale), DELETE",
        "outgoing": "SELECT, UPDATE (created_at), DELETE",
        "deliveries": "SELECT, DELETE",
        "api_requests": "SELECT (key_id, name, made_at), UPDATE (made_at), DELETE",
        "breaker": _WRITE,
        "alarms": _WRITE,
        "heartbeats": _ALL,
    }
    | _each("invoices charges test_clocks access journal differences restores reconciliations", "SELECT"),
    "api": _each(f"{_MIRROR} {_DECIDED} links outgoing breaker restores", "SELECT")
    | {
        "customers": "SELECT, UPDATE (told)",
        "subscriptions": "SELECT, UPDATE (due_at, test_clock, swept_at)",
        "cases": _WRITE,
        "access": _WRITE,
        "instructions": "SELECT, INSERT",
        "journal": "SELECT, INSERT",
        "outgoing": "SELECT, INSERT",
        "outbox": "SELECT, INSERT, UPDATE (status, last_error)",
        "deliveries": _ALL,
        "endpoints": _ALL,
        "inbox": "SELECT (source, event_id, created_at)",
        "alarms": "SELECT (kind, subject, called_at, withdrawn_at), UPDATE (withdrawn_at)",
        "api_keys": "SELECT, UPDATE (last_used_at)",
        "api_requests": "SELECT, INSERT, UPDATE (made_at), DELETE",
    },
    "portal": _each("customers subscriptions invoices charges methods cases access outbox", _WRITE)
    | _each("test_clocks mail_results breaker restores", "SELECT")
    | _each("instructions", "SELECT, INSERT")
    | {
        "links": "SELECT, UPDATE (locale)",
        "journal": "SELECT, INSERT",
        "outgoing": "SELECT (id, type), INSERT",
        "deliveries": "INSERT",
        "endpoints": _WHO_IS_TOLD,
    },
    "operator": dict.fromkeys(TABLES, _ALL),
}

ABOUT: Mapping[str, str] = {
    "receiver": "`dunning receiver`: stores events, and can read none",
    "worker": "`dunning worker`",
    "scheduler": "`dunning scheduler`: changes no access and no case",
    "api": "`dunning api`",
    "portal": "`dunning portal`",
    "operator": "all other commands of a person: `status`, `case`, `import`, `forget` and so on",
}

EXISTING = text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'dunning\\_%'")
MAY_GRANT = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'inbox'::regclass")


def role(process: str) -> str:
    """What the role of a process is called."""
    return f"dunning_{process}"


def making(process: str) -> str:
    """Make the role, unless it exists."""
    return (
        f"DO $$ BEGIN CREATE ROLE {role(process)} NOLOGIN; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def granting(process: str) -> Iterator[str]:
    """Give the role of a process its rights, and take all others away."""
    name = role(process)
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"
    yield f"GRANT USAGE ON SCHEMA public TO {name}"
    # By which a process knows whether its version fits.
    if process != "receiver":
        yield f"GRANT SELECT ON alembic_version TO {name}"
    for table in TABLES:
        if rights := RIGHTS[process].get(table):
            yield f"GRANT {rights} ON {table} TO {name}"


def statements() -> list[str]:
    """Everything, in order; it can be repeated."""
    made = [making(process) for process in RIGHTS]
    return made + [each for process in RIGHTS for each in granting(process)]


async def apply(connection: AsyncConnection, *, make: bool) -> list[str]:
    """Give the roles their rights, in this transaction; which. Those that do not exist are made with `make`.

    Does nothing where there is none, or the tables belong to somebody else. Raises what SQLAlchemy raises.
    """
    if make:
        for process in RIGHTS:
            await connection.execute(text(making(process)))
    existing = set((await connection.execute(EXISTING)).scalars())
    if not make and not (await connection.execute(MAY_GRANT)).scalar_one():
        return []
    granted = [process for process in RIGHTS if role(process) in existing]
    for process in granted:
        for statement in granting(process):
            await connection.execute(text(statement))
    return [role(process) for process in granted]
