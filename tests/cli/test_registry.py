"""Every subcommand the help promises exists, and every module of a subcommand is in the help."""

import inspect
from pathlib import Path

import pytest
import typer

import cli
from cli.registry import ENTRIES, Entry, resolve

HELPERS = {"__init__", "__main__", "commands", "main", "output", "registry"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_entry_leads_to_a_command(entry: Entry) -> None:
    """The target is a typer.Typer or a function, and its help is a sentence."""
    target = resolve(entry)
    assert isinstance(target, typer.Typer) or inspect.isfunction(target)
    if inspect.isfunction(target):
        assert target.__doc__


def test_each_module_that_offers_a_command_is_registered() -> None:
    """A file cli/<name>.py with a `command` or an `app` is reachable as `dunning <name>`."""
    registered = {entry.target.partition(":")[0].removeprefix("cli.") for entry in ENTRIES}
    for path in sorted(Path(cli.__path__[0]).glob("*.py")):
        source = path.read_text(encoding="utf-8")
        if path.stem not in HELPERS and ("\ndef command(" in source or "\napp = " in source):
            assert path.stem in registered, f"add {path.stem} to cli/registry.py"
