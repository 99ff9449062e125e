"""The command line of `dunning`: it finds the subcommand, runs it, and tells what went wrong."""

import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from cli.output import CommandError, print_error
from cli.registry import BY_NAME, ENTRIES, Entry, resolve
from settings import SettingsError

# A paragraph that starts with \b keeps its line breaks.
EXAMPLES = """\b
Examples:
  dunning demo                        see it work, with nothing else installed
  dunning up                          run everything here, data in .dunning
  dunning migrate                     prepare the database in DATABASE_URL
  dunning worker --queues mail,team   a worker that only sends
  dunning access cus_123 --json       one customer's access, for a script

Settings come from the environment and .env; docs/settings.md explains each.
"""


class Commands(TyperGroup):
    """Lists subcommands from the registry and imports one only to run it.

    So `dunning receiver` starts without loading the worker's libraries, and `dunning --help` loads none.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for entry in ENTRIES:
            self.commands[entry.name] = TyperCommand(
                entry.name, help=entry.about, rich_help_panel=entry.panel
            )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Typer's own look-up, with its suggestions for a misspelt name, then the real command."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, _load(BY_NAME[name]) if name else found, rest


def _load(entry: Entry) -> Any:
    target = resolve(entry)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(add_completion=False)
        target.command()(function)
    command = typer.main.get_command(target)
    command.name = entry.name
    return command


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # as much to load as the settings are

        typer.echo(f"dunning {version('dunning-worker')}")
        raise typer.Exit


@app.callback(epilog=EXAMPLES)
def root(
    _: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """When a subscription payment fails: the right mail, time to pay, and access that follows the money."""


def run(given: object = None) -> NoReturn:
    """Run the subcommand in this process's arguments, and exit. `given` is its context's `obj`."""
    try:
        # Not app(): that would install typer's exception hook, which prints local variables.
        typer.main.get_command(app)(prog_name="dunning", obj=given)
    except SettingsError as error:
        print_error("Settings", str(error))
        sys.exit(2)
    except CommandError as error:
        print_error("Failed", str(error), error.hint)
        sys.exit(1)
    sys.exit()
