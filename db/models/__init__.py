"""The tables. Migrations in `db/migrations` create them; this is what statements are written against.

All times are timestamptz, UTC. Nothing is ever deleted by an event: rows are settled, not removed.
"""

from db.models.api import api_keys, api_requests
from db.models.base import metadata
from db.models.cases import access, cases, instructions, links
from db.models.imports import imports
from db.models.inbox import inbox
from db.models.mail import mail_results
from db.models.mirror import charges, customers, invoices, methods, subscriptions, test_clocks
from db.models.outgoing import deliveries, endpoints, outgoing
from db.models.reconciling import differences, reconciliations, restores
from db.models.running import alarms, breaker, heartbeats
from db.models.work import journal, outbox

__all__ = [
    "access",
    "alarms",
    "api_keys",
    "api_requests",
    "breaker",
    "cases",
    "charges",
    "customers",
    "deliveries",
    "differences",
    "endpoints",
    "heartbeats",
    "imports",
    "inbox",
    "instructions",
    "invoices",
    "journal",
    "links",
    "mail_results",
    "metadata",
    "methods",
    "outbox",
    "outgoing",
    "reconciliations",
    "restores",
    "subscriptions",
    "test_clocks",
]
