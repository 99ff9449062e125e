"""The peers' queues, which both ends must agree on."""

from worker.queues import Wakeup

NOOP = Wakeup("noop", "noop")
USUAL = Wakeup("usual", "usual")
