"""`dunning events`."""

from __future__ import annotations

from pathlib import Path

import typer

from providers import neutral

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """The neutral format in which any billing system can send its events."""


@app.command()
def schema() -> None:
    """Print its JSON Schema, to check events with before they are sent."""
    path = Path(neutral.__path__[0]) / "schema.json"
    typer.echo(path.read_text(encoding="utf-8"), nl=False)
