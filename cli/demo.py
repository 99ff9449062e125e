"""`dunning demo`."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import CommandError, Json, console, print_json

if TYPE_CHECKING:
    from sandbox.demo.director import Outcome
    from sandbox.demo.screen import Silence
    from sandbox.demo.stage import Stage

DIRECTORY = Path(".dunning/demo")


def command(
    json: Json = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Repeat the disorder of the webhooks of an earlier run.", min=0)
    ] = None,
) -> None:
    """Play thirty days of dunning through the real program, in about half a minute.

    Sixteen customers of a simulated Stripe, one of Commet and one of a billing
    system that speaks the neutral format. Everything else is as in production:
    signed webhooks (some of them twice, none in order), the receiver, Valkey,
    the workers, the scheduler, the access API, PostgreSQL, SMTP.
    The mails are kept as pages in .dunning/demo/mails.
    Exit code 1 when a story ends differently from what it must.

    \b
    Examples:
      dunning demo
      dunning demo --keep          and then look around
      dunning demo --json | jq .totals
    """
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # everything is stopped in order, as by Ctrl-C
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311  disorder, not a secret
    try:
        ok = _play(began, seed, json=json, keep=keep)
    except ModuleNotFoundError as missing:
        raise CommandError(
            f"The demo needs {missing.name}, which is not installed.", "pip install 'dunning-worker[sandbox]'"
        ) from missing
    raise typer.Exit(0 if ok else 1)


def _play(began: float, seed: int, *, json: bool, keep: bool) -> bool:
    """Whether every story ended as it must."""
    import httpx

    from sandbox.demo.director import play
    from sandbox.demo.directory import fresh_directory
    from sandbox.demo.stage import stage
    from sandbox.demo.stories import STORIES
    from sandbox.errors import SandboxError

    audience = _audience(json)
    try:
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(fresh_directory(DIRECTORY))
            with audience:
                set_up = stack.enter_context(stage(directory, seed, audience.starting))
                outcome = asyncio.run(play(set_up, STORIES, audience))
            _report(outcome, directory, seed, time.monotonic() - began, json=json)
            if keep:
                _keep(set_up)
    except (SandboxError, TimeoutError, httpx.HTTPError, OSError) as error:
        hint = f"The logs are in {DIRECTORY}/logs. To repeat it: dunning demo --seed {seed}"
        raise CommandError(f"The demo could not be played: {error or type(error).__name__}", hint) from error
    return outcome.ok


def _audience(json: bool) -> Silence:
    from sandbox.demo.screen import Lines, Screen, Silence

    if json:
        return Silence()
    screen = console()
    return Screen(screen) if screen.is_terminal else Lines(screen)


def _report(outcome: Outcome, directory: Path, seed: int, seconds: float, *, json: bool) -> None:
    from sandbox.demo.report import as_json, print_report

    if json:
        print_json({"seed": seed, **as_json(outcome, directory, seconds)})
        sys.stdout.flush()
    else:
        print_report(console(), outcome, directory / "mails/index.html", seconds)
        if not outcome.ok:
            console().print(f"To repeat it: dunning demo --seed {seed}")


def _keep(set_up: Stage) -> None:
    """Print where everything is, on stderr, and wait for Ctrl-C."""
    from cli.up_addresses import path_line

    out = console(sys.stderr)
    out.print("\nEverything goes on running until Ctrl-C. In another terminal:\n", style="bold")
    for line in [*path_line(), *set_up.addresses()]:
        out.print(line, soft_wrap=True, markup=False)
    set_up.processes.run(lambda exited: out.print(f"{exited.name} ended with exit code {exited.code}"))
