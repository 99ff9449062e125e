"""`dunning receiver`."""

import os
from typing import Annotated, NoReturn

import typer

from cli.overrides import environment
from settings import ReceiverSettings, load
from webhooks.config import ReceiverConfig


def command(
    context: typer.Context,
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
    hand_over(ReceiverConfig.from_settings(settings), context.obj)


def hand_over(config: ReceiverConfig, writing: int) -> NoReturn:
    """Give the configuration to whoever serves (`cli.receiving`), by this end of a pipe, and be gone."""
    # Where nobody is there to serve any more, typer knows a broken pipe for what it is, and ends us quietly.
    with os.fdopen(writing, "w") as pipe:
        pipe.write(config.to_json())  # far below the 64 KiB a pipe holds: all of it at once
    os._exit(0)  # they wait for it, and tearing down what is loaded here takes longer than writing
