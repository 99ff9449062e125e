"""`dunning events` prints what others need to send their events."""

import json

from typer.testing import CliRunner

from cli.events import app


def test_the_schema_is_printed_as_it_is() -> None:
    """Ready to be saved and checked with."""
    done = CliRunner().invoke(app, ["schema"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["title"] == "A billing event in the neutral format"
