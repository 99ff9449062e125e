"""The metrics of single processes.

No label ever holds an id, an address or an amount, and none has more values than code or settings list.
"""

from metrics.family import Family

# Every process.

PROCESS = Family(
    "dunning_process_info",
    "gauge",
    "Always 1. `kind`: receiver, worker, scheduler, api or portal.",
    ("kind",),
)

# The receiver.

WEBHOOKS = Family(
    "dunning_webhooks_total",
    "counter",
    "Deliveries that were answered with 200. `outcome`: accepted, duplicate, ignored (nobody handles the "
    "type) or wrong_mode (a live event at a test receiver, or the other way round).",
    ("outcome",),
)
WEBHOOKS_HEARD = Family(
    "dunning_webhooks_heard_total",
    "counter",
    "The same deliveries, by who made them. `source`: stripe, stripe:NAME, commet, ses and so on, and the "
    "names of your own; each that is set up, from 0 on.",
    ("source",),
)
WEBHOOKS_REJECTED = Family(
    "dunning_webhooks_rejected_total",
    "counter",
    "Requests refused for what they are. `reason` begins with signature or envelope, or is empty, too_large, "
    "too_slow or unstorable.",
    ("reason",),
)
WEBHOOKS_UNAVAILABLE = Family(
    "dunning_webhooks_unavailable_total",
    "counter",
    "Deliveries answered with 503, which are made again. `reason`: the database's fault (timeout, full and "
    "their like) or ours (fault).",
    ("reason",),
)
COMMITS = Family(
    "dunning_webhook_commits_total", "counter", "Commits that stored events, each of one or many of them."
)
WEBHOOK_NUDGES = Family(
    "dunning_webhook_nudges_total",
    "counter",
    "Events that a worker was woken for. `outcome`: sent, or dropped (the broker was away: the scheduler "
    "hands the event out).",
    ("outcome",),
)

# Workers, schedulers and the page for customers: whoever asks Stripe, sends, or wakes somebody.

STRIPE_SECONDS = Family(
    "dunning_stripe_request_seconds",
    "histogram",
    "How long Stripe took to answer, repeats by the library included. `outcome`: answered, declined (the "
    "card was), refused (Stripe would not), missing (404) or failed (nobody knows).",
    ("outcome",),
)
COMMET_SECONDS = Family(
    "dunning_commet_request_seconds",
    "histogram",
    "How long Commet took to answer. `outcome`: answered, refused (Commet would not), missing (404) or "
    "failed (nobody knows).",
    ("outcome",),
)
COMMET_ERRORS = Family(
    "dunning_commet_errors_total",
    "counter",
    "Calls whose answer nobody knows. `kind` is Commet's own code, such as rate_limited, unauthorized or "
    "internal_error, or the class of the fault, such as ConnectError or ReadTimeout.",
    ("kind",),
)
STRIPE_ERRORS = Family(
    "dunning_stripe_errors_total",
    "counter",
    "Calls whose answer nobody knows. `kind` is the class of the library's error, such as RateLimitError, "
    "APIConnectionError or AuthenticationError.",
    ("kind",),
)
DELIVERY_SECONDS = Family(
    "dunning_delivery_seconds",
    "histogram",
    "How long it took to hand over one message. `channel`: mail, chat, or channel (one that you have named); "
    "`outcome`: accepted, deferred (tried again), rejected, or unanswered (may have arrived: it is not sent "
    "again).",
    ("channel", "outcome"),
)
MESSAGES = Family(
    "dunning_queue_messages_total",
    "counter",
    "Wake-ups that a worker took from its queue. `outcome`: done, or failed (the rows are handed out again).",
    ("queue", "outcome"),
)
MESSAGE_SECONDS = Family(
    "dunning_queue_message_seconds",
    "histogram",
    "How long a worker was busy with one wake-up.",
    ("queue",),
)
NUDGES_LOST = Family(
    "dunning_nudges_lost_total",
    "counter",
    "Wake-ups that the broker did not take: the scheduler hands the rows out, some seconds later.",
    ("queue",),
)
TICKS = Family(
    "dunning_ticks_total",
    "counter",
    "Looks of this scheduler for due work. `outcome`: done, or missed (the database was away).",
    ("outcome",),
)

# The access API and the page for customers.

REQUEST_SECONDS = Family(
    "dunning_http_request_seconds",
    "histogram",
    "How long an answer took. `endpoint` is the name of the function that gave it; `status` is 2xx, 3xx, 4xx "
    "or 5xx.",
    ("endpoint", "status"),
)

OF_ALL = (PROCESS,)
OF_RECEIVER = (WEBHOOKS, WEBHOOKS_HEARD, WEBHOOKS_REJECTED, WEBHOOKS_UNAVAILABLE, COMMITS, WEBHOOK_NUDGES)
OF_WORKER = (
    STRIPE_SECONDS,
    STRIPE_ERRORS,
    COMMET_SECONDS,
    COMMET_ERRORS,
    DELIVERY_SECONDS,
    MESSAGES,
    MESSAGE_SECONDS,
    NUDGES_LOST,
)
OF_HTTP = (REQUEST_SECONDS,)
OF_SCHEDULER = (TICKS,)
