"""Tables of the peers, apart from what they import: the suite makes them."""

WEBHOOK_EVENTS = """
CREATE TABLE webhook_events (
    id text PRIMARY KEY,
    type text NOT NULL,
    payload text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
)
"""
