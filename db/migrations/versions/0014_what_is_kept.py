"""What is kept for so long and no longer is found without reading everything"""

import sqlalchemy as sa

from db.migrations import online

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Partial indexes of what is still to be taken away, and those that a deletion looks at."""
    online.index(
        "inbox_payloads",
        "inbox",
        ["due_at", "id"],
        postgresql_where=sa.text("payload IS NOT NULL AND status NOT IN ('pending', 'dead')"),
    )
    online.index(
        "outbox_rendered",
        "outbox",
        ["due_at"],
        postgresql_where=sa.text("rendered IS NOT NULL AND status NOT IN ('pending', 'sending')"),
    )
    online.index(
        "mail_results_details",
        "mail_results",
        ["recorded_at"],
        postgresql_where=sa.text("details IS NOT NULL"),
    )
    online.index("links_made", "links", ["made_at"])
    online.index("deliveries_of_event", "deliveries", ["event_id"])
