"""`dunning keys`: who may ask the API, and for what."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import read, write
from cli.moments import when
from cli.output import CommandError, Json, print_json
from cli.tables import print_rows, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from db.api_keys import ApiKey

# A key is known by how it begins: by people, by tools that look for leaked secrets, and by our logs.
PREFIX = "dk_"
RANDOM_BYTES = 24
LONGEST_LABEL = 60  # characters

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """Make keys of the API, list them, revoke them.

    \b
    Scopes, each of which stands for itself:
      access    ask whether a customer has access, and for their banner
      cases     read the cases: who owes what, what was done, what comes next
      act       decide about cases: pause, extend, stop, forgive, and so on
      figures   read the figures
      webhooks  see and change where events are sent to
    """


def _scopes(given: str) -> list[str]:
    from console.scopes import Scope

    names = [name.strip() for name in given.split(",")]
    known = [scope.value for scope in Scope]
    if wrong := [name for name in names if name not in known]:
        raise typer.BadParameter(f"{wrong[0] or 'nothing'} is no scope: take of {', '.join(known)}")
    return [name for name in known if name in names]


def _label(given: str) -> str:
    label = given.strip()
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise typer.BadParameter(f"a label is one line of {LONGEST_LABEL} characters at most")
    return label


@app.command()
def create(
    label: Annotated[
        str, typer.Argument(help="Whose key it is. It stands beside all they decide.", callback=_label)
    ],
    scopes: Annotated[
        str, typer.Option(metavar="SCOPE[,SCOPE]", help="access, cases, act, figures, webhooks.")
    ],
    days: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=3650, help="It ends after so many days.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and print it, this once: only its hash is kept.

    \b
    access    ask whether a customer has access, and for their banner
    cases     read the cases: who owes what, what was done, what comes next
    act       decide about cases: pause, extend, stop, forgive, and so on
    figures   read the figures
    webhooks  see and change where events are sent to

    \b
    Examples:
      dunning keys create shop --scopes access
      dunning keys create "support desk" --scopes cases,act --days 365
      dunning keys create crm --scopes cases --json | jq -r .key
    """
    from db import api_keys

    wanted = _scopes(scopes)
    secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    digest = api_keys.digest_of(secret.encode())
    lasts = timedelta(days=days) if days else None
    made = write(load(ToolSettings), lambda it: api_keys.add(it, digest, label, wanted, lasts))
    if json:
        print_json({"key": secret, **asdict(made)})
        return
    # Alone on its line, whatever the width: it is to be copied. What is said of it goes elsewhere.
    typer.echo(secret)
    until = f" until {made.expires_at:%Y-%m-%d}" if made.expires_at else ""
    typer.echo(f"Key {made.id} ({made.label}) may {', '.join(made.scopes)}{until}.", err=True)
    typer.echo("Keep it now: it is not shown again.", err=True)


@app.command("list")
def list_(json: Json = False) -> None:
    """List all keys, those that are over too. `last used` is true to ten minutes.

    \b
    Examples:
      dunning keys list
    """
    from db import api_keys

    keys = read(load(ToolSettings), api_keys.every)
    if json:
        print_json(keys)
        return
    now = datetime.now(UTC)
    rows = [
        [
            key.id,
            key.label,
            ",".join(key.scopes),
            _state(key, now),
            when(key.made_at, now),
            when(key.last_used_at, now),
        ]
        for key in keys
    ]
    columns = ["Key", "Label", "Scopes", "State", "Made", "Last used"]
    print_rows(columns, rows, empty="No keys. Make one: dunning keys create LABEL --scopes access")


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at:
        return f"revoked {when(key.revoked_at, now)}"
    if key.expires_at is None:
        return "good"
    return f"{'ends' if key.expires_at > now else 'ended'} {when(key.expires_at, now)}"


@app.command()
def revoke(
    key: Annotated[int, typer.Argument(help="Its number in `dunning keys list`.", min=1, max=2**63 - 1)],
    json: Json = False,
) -> None:
    """Let a key in no longer. Running processes notice it within five seconds.

    \b
    Exit codes:
      0  it is revoked, now or before
      1  there is no such key, or the database cannot be reached

    \b
    Examples:
      dunning keys revoke 3
    """
    from db import api_keys

    revoked = write(load(ToolSettings), lambda connection: api_keys.revoke(connection, key))
    if revoked is None:
        raise CommandError(f"There is no key {key}.", "See `dunning keys list`.")
    if json:
        print_json(revoked)
        return
    say(f"Key {revoked.id} ({revoked.label}) lets nobody in any more.")
