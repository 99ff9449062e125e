"""So many cases of which nothing is due, and as many rows in every table that grows with them."""

from benchmarks.house import House

_ROWS = """
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO customers (id, source, ref) OVERRIDING SYSTEM VALUE
    SELECT n, 'bench', 'cus_' || n FROM generate_series(1, {count}) n;
    INSERT INTO subscriptions (customer_id, ref, status, due_at)
    SELECT n, 'sub_' || n, 'active', now() + interval '30 days' + n * interval '1 second'
    FROM generate_series(1, {count}) n;
    INSERT INTO cases (customer_id, invoice, subscription, opened_at, grace, due_at)
    SELECT n, 'in_' || n, 'sub_' || n, now() - interval '1 day', interval '14 days',
           now() + interval '1 day' + n * interval '1 second'
    FROM generate_series(1, {count}) n;
    INSERT INTO charges (customer_id, ref, invoice, at, recorded_at)
    SELECT n, 'ch_' || n, 'in_' || n, now() - interval '1 day', now() - interval '30 days'
    FROM generate_series(1, {count}) n;
    INSERT INTO access (customer_id, level, reason, changed_at)
    SELECT n, 'warned', 'payment_failed', now() FROM generate_series(1, {count}) n;
    INSERT INTO inbox (source, event_id, type, livemode, status, due_at, payload)
    SELECT 'bench', 'evt_' || n, 'invoice.payment_failed', true, 'done', now() - interval '1 day', '{{}}'
    FROM generate_series(1, {count}) n;
    INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at, due_at)
    SELECT n, 'in_' || n, 'payment_failed:in_' || n, 'mail', 'payment_failed', 'mail', 'a charge failed',
           'sent', now() - interval '1 day', now() - interval '1 day'
    FROM generate_series(1, {count}) n;
    INSERT INTO journal (customer_id, "case", at, kind, reason)
    SELECT n, 'in_' || n, now() - interval '1 day', 'mail.decided', 'a charge failed'
    FROM generate_series(1, {count}) n;
    COMMIT;
"""


def fill(house: House, database: str, count: int) -> None:
    """Write them into the empty tables of a database."""
    house.execute(database, _ROWS.format(count=count))
    # As autovacuum leaves tables that are in use.
    house.execute(database, "VACUUM (ANALYZE)")
