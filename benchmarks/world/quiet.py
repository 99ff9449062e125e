"""So many cases of which nothing is due, and as many rows in every table that grows with them."""

from benchmarks.house import House

# What each table has, for every number `n`.
_ROWS = {
    "customers (id, source, ref) OVERRIDING SYSTEM VALUE": "n, 'bench', 'cus_' || n",
    "subscriptions (customer_id, ref, status, due_at)": (
        "n, 'sub_' || n, 'active', now() + interval '30 days' + n * interval '1 second'"
    ),
    "cases (customer_id, invoice, subscription, opened_at, grace, due_at)": (
        "n, 'in_' || n, 'sub_' || n, now() - interval '1 day', interval '14 days',"
        " now() + interval '1 day' + n * interval '1 second'"
    ),
    "charges (customer_id, ref, invoice, at, recorded_at)": (
        "n, 'ch_' || n, 'in_' || n, now() - interval '1 day', now() - interval '30 days'"
    ),
    "access (customer_id, level, reason, changed_at)": "n, 'warned', 'payment_failed', now()",
    "inbox (source, event_id, type, livemode, status, due_at, payload)": (
        "'bench', 'evt_' || n, 'invoice.payment_failed', true, 'done', now() - interval '1 day', '{}'"
    ),
    'outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at, due_at)': (
        "n, 'in_' || n, 'payment_failed:in_' || n, 'mail', 'payment_failed', 'mail', 'a charge failed',"
        " 'sent', now() - interval '1 day', now() - interval '1 day'"
    ),
    'journal (customer_id, "case", at, kind, reason)': (
        "n, 'in_' || n, now() - interval '1 day', 'mail.decided', 'a charge failed'"
    ),
}


def fill(house: House, database: str, count: int) -> None:
    """Write them into the empty tables of a database, all at once: they do not wait for each other."""
    inserts = [
        f"INSERT INTO {into} SELECT {values} FROM generate_series(1, {count}) n"  # noqa: S608  # ours, above
        for into, values in _ROWS.items()
    ]
    # Rows that are sound need no check of each reference.
    house.execute(database, *(f"SET session_replication_role = replica; {insert}" for insert in inserts))
    # As autovacuum leaves tables that are in use.
    house.execute(database, *(f"VACUUM (ANALYZE) {into.split()[0]}" for into in _ROWS))
