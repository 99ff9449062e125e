"""Our own processes, as `dunning up` and the demo run them side by side."""

import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

# Mail has a worker of its own, so that a slow mail server does not hold up events.
PROGRAMS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "receiver": ("receiver",),
        "worker": ("worker", "--queues", "events,cases"),
        "mailer": ("worker", "--queues", "mail,team,billing,webhooks"),
        "scheduler": ("scheduler",),
        "api": ("api",),
    }
)


# The page for customers, for those who have set one up.
PORTAL = "portal"

# The `dunning` command, run by this interpreter.
# -P: a directory that happens to be called `cli` where the command is run must not be mistaken for ours.
RUN: Sequence[str] = (sys.executable, "-P", "-m", "cli")

# Below those of clients, which are 32768 and higher on Linux, and 16000 and higher in some sandboxes.
_LOWEST, _PORTS = 10_000, 6_000


def command_line(name: str) -> list[str]:
    """The command line of one of PROGRAMS or PORTAL; KeyError for another name."""
    return [*RUN, *({PORTAL: (PORTAL,)} | dict(PROGRAMS))[name]]


def free_port(preferred: int = 0) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on: the preferred one, or any.

    Chosen here and not by the program, so that it has the same address when it is started again; and none of
    those that a system gives to clients, one of which would have it before the program listens.
    """
    port = preferred or _LOWEST + secrets.randbelow(_PORTS)
    try:
        with socket.create_server(("127.0.0.1", port)):
            return port
    except OSError:
        return free_port()
