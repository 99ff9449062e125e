"""Names both ends of a queue must agree on. Imports nothing, since the receiver and the CLI read it too.

A message is only a wake-up: its arguments are row ids, and losing it costs a few seconds, never an event.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wakeup:
    """Where a message goes: the queue, and the actor that answers it."""

    queue: str
    actor: str


EVENTS: Final = Wakeup("events", "apply_events")
CASES: Final = Wakeup("cases", "advance_cases")
MAIL: Final = Wakeup("mail", "send_mail")
TEAM: Final = Wakeup("team", "notify_team")
BILLING: Final = Wakeup("billing", "call_provider")
# Its ids are endpoints: whoever takes one up sends all that is due there.
WEBHOOKS: Final = Wakeup("webhooks", "tell_application")
# On the team's queue as well: its ids are alarms.
ALARM: Final = Wakeup("team", "sound_alarm")
# On the queue of those who may ask the provider: its ids are reconciliations.
RECONCILE: Final = Wakeup("billing", "reconcile")

# One for each queue.
WAKEUPS: Final = (EVENTS, CASES, MAIL, TEAM, BILLING, WEBHOOKS)

# One message never carries more ids than its actor can do within its time limit.
IDS_PER_MESSAGE: Final = 100

# Messages that wait in a queue: to so many or more the scheduler adds none. What is in the tables can wait
# there, and what is new must not wait behind all of it.
ENOUGH_WAITING: Final = 10

# Messages that RabbitMQ keeps in a queue that nobody serves; of more, the oldest are dropped.
MOST_WAITING: Final = 1_000

# What is ours in the broker begins with it.
NAMESPACE: Final = "dunning"

# The Redis broker's own times: producers and consumers must be built with the same ones.
MAINTENANCE_CHANCE: Final = 100_000  # of a million commands; how soon a dead worker's messages come back
HEARTBEAT_TIMEOUT: Final = 30_000  # ms without a command before a worker counts as dead
DEAD_MESSAGE_TTL: Final = 86_400_000  # ms; a dead message is only a trace, its row is due again


def is_rabbit(url: str) -> bool:
    """Whether this broker is a RabbitMQ; else it is a Redis."""
    return url.startswith(("amqp:", "amqps:"))


def broker_name(url: str) -> str:
    """What people call it."""
    return "RabbitMQ" if is_rabbit(url) else "Redis"
