"""`dunning receiver`."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from cli.overrides import environment
from settings import ReceiverSettings, load
from webhooks.config import ReceiverConfig


def command(
    host: Annotated[str | None, typer.Option(help="Listen here instead of DUNNING_RECEIVER_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead of DUNNING_RECEIVER_PORT; 0 takes any free one.")
    ] = None,
) -> None:
    """Take webhooks: verify, store, answer. Finishes what it holds on SIGTERM and Ctrl-C.

    \b
    Examples:
      dunning receiver                  behind a TLS proxy on the same machine
      dunning receiver --host 0.0.0.0   in a container
    """
    settings = load(ReceiverSettings, env=environment(DUNNING_RECEIVER_HOST=host, DUNNING_RECEIVER_PORT=port))
    become(ReceiverConfig.from_settings(settings))


def become(config: ReceiverConfig) -> NoReturn:
    """Replace this process by the serving one: same pid, a third of the memory.

    The configuration goes through a pipe, since arguments can be read by every user of the machine.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        pipe.write(config.to_json())  # far below the 64 KiB a pipe holds, so nobody need read yet
    os.set_inheritable(reading, True)
    # -P: a directory named webhooks where the command is run must not be mistaken for ours.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "webhooks", str(reading)])  # noqa: S606 -- no shell wanted
