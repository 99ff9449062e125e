"""The metrics of the whole installation, read from the database and told by each scheduler alike.

Take the maximum over schedulers, never the sum. Labels are bounded as those of `metrics.families`.
"""

from metrics.family import Family

INBOX = Family(
    "dunning_inbox_events", "gauge", "Events by `status`: pending, or dead (given up).", ("status",)
)
INBOX_AGE = Family(
    "dunning_inbox_oldest_seconds", "gauge", "Age of the oldest event that is not applied yet; 0 without one."
)
OUTBOX = Family(
    "dunning_outbox_effects",
    "gauge",
    "Mails, calls and charges by `status`: pending, sending, unknown (never answered) or failed (given up).",
    ("status",),
)
OUTBOX_OVERDUE = Family(
    "dunning_outbox_overdue_seconds",
    "gauge",
    "How long the longest-waiting effect could have been taken up; 0 without one.",
)
CASES_OPEN = Family(
    "dunning_cases_open",
    "gauge",
    "Open cases by what the newest decline means, as docs/policy.md names it.",
    ("category",),
)
CASES_DUE = Family("dunning_cases_due", "gauge", "Cases in which something is to be done now.")
CASES_OVERDUE = Family(
    "dunning_cases_overdue_seconds",
    "gauge",
    "How late the latest case is, test clocks left out; 0 without one.",
)
AT_RISK = Family(
    "dunning_open_amount",
    "gauge",
    "What open cases are about, in whole units of the currency.",
    ("currency",),
)
ACCOUNTS = Family(
    "dunning_accounts", "gauge", "Customers with a subscription in `status` past_due or unpaid.", ("status",)
)
CUSTOMERS = Family(
    "dunning_customers", "gauge", "Customers by access: full, warned, limited or revoked.", ("access",)
)
MISMATCHES = Family(
    "dunning_mismatches",
    "gauge",
    "Customers whose access and money disagree. `side`: paid_but_locked or open_but_unpaid.",
    ("side",),
)
MISMATCH_AGE = Family(
    "dunning_mismatch_oldest_seconds", "gauge", "Since when the longest of them; 0 without one.", ("side",)
)
RECONCILED = Family(
    "dunning_reconciled_age_seconds",
    "gauge",
    "How long ago a billing system was last asked for everything, to the end: the one for which it is "
    "longest. `kind`: events (hourly), or comparison (nightly).",
    ("kind",),
)
DIFFERENCES = Family(
    "dunning_differences",
    "gauge",
    "Where a billing system says something else than we know. `status`: found (looked at again before it "
    "counts) or reported (a person has to look).",
    ("status",),
)
BREAKER = Family(
    "dunning_breaker_tripped", "gauge", "1 while the breaker holds mails and revocations back, else 0."
)
PROCESSES = Family(
    "dunning_processes_alive",
    "gauge",
    "Processes with a fresh heartbeat. `kind`: worker or scheduler.",
    ("kind",),
)
HEARTBEAT_AGE = Family(
    "dunning_heartbeat_age_seconds",
    "gauge",
    "Since when nothing was heard of the one heard of last. No series for a kind of which there is none.",
    ("kind",),
)
QUEUE_WORKERS = Family("dunning_queue_workers", "gauge", "Living workers that serve the queue.", ("queue",))
QUEUE_LENGTH = Family(
    "dunning_queue_length",
    "gauge",
    "Wake-ups in the broker. `state`: waiting, or in_hand (a worker has it; RabbitMQ does not tell).",
    ("queue", "state"),
)
BROKER_UP = Family(
    "dunning_broker_up", "gauge", "1 if Redis, or RabbitMQ, answered at the last look, else 0."
)
ENDPOINTS_DISABLED = Family(
    "dunning_webhook_endpoints_disabled",
    "gauge",
    "Endpoints of yours that are told nothing any more, since they failed for too long or answered 410.",
)
DELIVERIES_PENDING = Family(
    "dunning_webhook_deliveries_pending", "gauge", "Events that wait for an endpoint of yours."
)
KEPT_TOO_LONG = Family(
    "dunning_kept_too_long_seconds",
    "gauge",
    "For how long the content of an event or a mail should have been removed; 0 where none is left.",
)
COLLECTED = Family(
    "dunning_collected_timestamp_seconds",
    "gauge",
    "When what is told of the whole was read (unix time). It is told for a minute, and then left out.",
)

EVENTS_APPLIED = Family(
    "dunning_events_applied_total",
    "counter",
    "Events applied to a customer. `source`: stripe, whichever account; `type` is Stripe's own, or other.",
    ("source", "type"),
)
MAILS = Family(
    "dunning_mails_total",
    "counter",
    "Mails that came to an end. `mail` is its kind; `outcome`: sent, suppressed (not wanted any more), "
    "failed, or unknown (never answered, not sent again).",
    ("mail", "outcome"),
)
CALLS = Family(
    "dunning_calls_total",
    "counter",
    "Messages to the team, and what the billing system was asked to do, that came to an end. `channel`: "
    "chat, channel (one that you have named), retry (a charge) or end (a subscription); `outcome` as for "
    "mails.",
    ("channel", "outcome"),
)
CASES_OPENED = Family("dunning_cases_opened_total", "counter", "Cases that were opened.")
CASES_CLOSED = Family(
    "dunning_cases_closed_total",
    "counter",
    "Cases that ended. `outcome`: recovered, forgiven, credited, voided, written_off, ended or "
    "paid_after_end.",
    ("outcome",),
)
ESCALATIONS = Family(
    "dunning_escalations_total",
    "counter",
    "Calls for a person that were decided. `why` is the name of the alarm, such as attempts or last_call.",
    ("why",),
)
REVOCATIONS = Family(
    "dunning_revocations_total",
    "counter",
    "Access that was taken in a case. `level` is what was left: limited or revoked.",
    ("level",),
)
RESTORES = Family(
    "dunning_restores_total", "counter", "Cases in which exactly what was taken was given back."
)
WITHHELD = Family(
    "dunning_withheld_total",
    "counter",
    "What was due and was not done. `reason`: breaker, cap (of revocations), unconfirmed (the billing "
    "system could not be asked), closed (the case ended first) or unwanted (the rules no longer called for "
    "it).",
    ("reason",),
)
FILLED = Family(
    "dunning_events_filled_total",
    "counter",
    "Events that never arrived and were taken in from the billing system's own list. Counted in the "
    "database, for ever.",
)
SETTLED = Family(
    "dunning_differences_settled_total",
    "counter",
    "Differences that are no more. `outcome`: repaired, or gone (news on its way, or mended by somebody). "
    "Counted in the database, for ever.",
    ("outcome",),
)

GAUGES = (
    INBOX,
    INBOX_AGE,
    OUTBOX,
    OUTBOX_OVERDUE,
    CASES_OPEN,
    CASES_DUE,
    CASES_OVERDUE,
    AT_RISK,
    ACCOUNTS,
    CUSTOMERS,
    MISMATCHES,
    MISMATCH_AGE,
    RECONCILED,
    DIFFERENCES,
    BREAKER,
    PROCESSES,
    HEARTBEAT_AGE,
    QUEUE_WORKERS,
    QUEUE_LENGTH,
    BROKER_UP,
    ENDPOINTS_DISABLED,
    DELIVERIES_PENDING,
    KEPT_TOO_LONG,
    COLLECTED,
)
COUNTERS = (
    EVENTS_APPLIED,
    MAILS,
    CALLS,
    CASES_OPENED,
    CASES_CLOSED,
    ESCALATIONS,
    REVOCATIONS,
    RESTORES,
    WITHHELD,
    FILLED,
    SETTLED,
)
