"""`dunning policy`."""

from __future__ import annotations

import typer

from cli.policy_check import check, default
from cli.policy_diff import diff
from cli.policy_move import move
from cli.policy_simulate import simulate

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """The rules of patience: read a policy, try it, replay everything through it, move cases to it."""


app.command()(check)
app.command()(default)
app.command()(simulate)
app.command()(diff)
app.command()(move)
