"""`dunning webhooks`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import read, write
from cli.output import CommandError, Json, print_json
from cli.tables import print_pairs, print_rows, say
from cli.webhook_deliveries import deliveries, replay, try_out
from cli.webhook_views import Number, facts, find, state
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.endpoints import Endpoint

app = typer.Typer(no_args_is_help=True, add_completion=False)

Secret = Annotated[
    str | None, typer.Option(metavar="SECRET", help="One of yours; by default a new one is made.")
]


@app.callback()
def root() -> None:
    """Where your own application is told of cases and access, signed as Standard Webhooks."""


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where events are posted.")],
    event: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="Only events of this type; may be repeated.")
    ] = None,
    about: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    secret: Secret = None,
    json: Json = False,
) -> None:
    """Add an endpoint and print its secret, this once. It hears of what happens from now on.

    \b
    Examples:
      dunning webhooks add https://app.acme.example/hooks
      dunning webhooks add https://app.acme.example/hooks --event access.changed
    """
    from db import endpoints

    types, signing = _types(event or ()), _signing(secret)
    settings = load(ToolSettings)
    _check_url(url, settings)

    async def work(connection: AsyncConnection) -> int | None:
        return await endpoints.add(connection, url, signing, types=types, about=about)

    number = write(settings, work)
    if number is None:
        raise CommandError("There is an endpoint with this URL.", "See `dunning webhooks list`.")
    _print_secret(number, signing, f"Try it: dunning webhooks test {number}", json=json)


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List the endpoints, and whether they accept what they are sent.

    \b
    Examples:
      dunning webhooks list
      dunning webhooks list --json
    """
    from console.endpoints import endpoint_facts
    from db import endpoints

    found = read(load(ToolSettings), endpoints.every)
    if json:
        print_json([endpoint_facts(one) for one in found])
        return
    print_rows(
        ["Endpoint", "URL", "Events", "State"],
        [[one.id, one.url, ", ".join(one.types) or "all", state(one)] for one in found],
        empty="There are none. `dunning webhooks add URL` adds one.",
    )


@app.command()
def show(number: Number, json: Json = False) -> None:
    """Show an endpoint. Its secret is not shown: `rotate` makes a new one.

    \b
    Example:
      dunning webhooks show 1
    """
    from console.endpoints import endpoint_facts

    one = find(load(ToolSettings), number)
    if json:
        print_json(endpoint_facts(one))
    else:
        print_pairs(facts(one), indent=0)


@app.command()
def rotate(
    number: Number,
    overlap: Annotated[
        int, typer.Option("--overlap-hours", min=0, max=720, help="How long the old secret signs as well.")
    ] = 24,
    secret: Secret = None,
    json: Json = False,
) -> None:
    """Make a new secret, and print it this once. For a day, events are signed with the old one as well.

    \b
    Examples:
      dunning webhooks rotate 1
      dunning webhooks rotate 1 --overlap-hours 0    the old one has leaked
    """
    from db import endpoints

    signing = _signing(secret)
    settings = load(ToolSettings)
    _not_of_the_settings(find(settings, number))

    async def work(connection: AsyncConnection) -> None:
        await endpoints.rotate(connection, number, signing, overlap=timedelta(hours=overlap))

    write(settings, work)
    before = f"For {overlap} hours, the one before signs as well." if overlap else "The one before is void."
    _print_secret(number, signing, before, json=json)


@app.command(name="secret")
def new(json: Json = False) -> None:
    """Print a new secret, for DUNNING_WEBHOOK_ENDPOINTS. Nothing is stored.

    \b
    Example:
      dunning webhooks secret
    """
    made = _signing(None)
    if json:
        print_json({"secret": made})
    else:
        say(made)


@app.command()
def events() -> None:
    """Print an example of each event, as JSON.

    \b
    Example:
      dunning webhooks events
    """
    from json import loads

    from outbound.examples import examples

    print_json([loads(body) for body in examples().values()])


@app.command()
def enable(number: Number) -> None:
    """Send events there again, from now on. `dunning webhooks replay` sends what it has missed.

    \b
    Example:
      dunning webhooks enable 1
    """
    from db import endpoints

    settings = load(ToolSettings)
    if find(settings, number).disabled_at is None:
        raise CommandError(f"Endpoint {number} is enabled.")

    async def work(connection: AsyncConnection) -> None:
        await endpoints.enable(connection, number)

    write(settings, work)
    say(f"Endpoint {number} is told again. What it has missed: dunning webhooks replay {number} --failed")


@app.command()
def disable(
    number: Number,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For whoever asks later.")],
) -> None:
    """Send nothing there any more. Events are kept, so that they can be sent later.

    \b
    Example:
      dunning webhooks disable 1 --why "moving to another host"
    """
    from db import endpoints

    settings = load(ToolSettings)
    find(settings, number)

    async def work(connection: AsyncConnection) -> bool:
        return await endpoints.disable(connection, number, why)

    if not write(settings, work):
        raise CommandError(f"Endpoint {number} is disabled already.")
    say(f"Endpoint {number} is told nothing any more, until `dunning webhooks enable {number}`.")


@app.command()
def remove(number: Number, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget an endpoint, its secret, and how far it was told.

    \b
    Example:
      dunning webhooks remove 1
    """
    from db import endpoints

    settings = load(ToolSettings)
    one = find(settings, number)
    _not_of_the_settings(one)
    if not yes:
        typer.confirm(f"Forget {one.url}?", abort=True)

    async def work(connection: AsyncConnection) -> None:
        await endpoints.remove(connection, number)

    write(settings, work)
    say(f"Endpoint {number} is forgotten.")


app.command()(deliveries)
app.command()(replay)
app.command(name="test")(try_out)


def _types(given: Sequence[str]) -> list[str]:
    from dunning.outgoing import EventType

    for name in given:
        if name not in list(EventType):
            raise typer.BadParameter(f"{name} is no event; there are {', '.join(EventType)}")
    return sorted(set(given))


def _signing(given: str | None) -> str:
    from outbound.signing import key_of, new_secret

    secret = given or new_secret()
    try:
        key_of(secret)
    except ValueError as error:
        raise typer.BadParameter(f"the secret {error}") from error
    return secret


def _check_url(url: str, settings: ToolSettings) -> None:
    from outbound.addresses import ForbiddenError, read_url

    try:
        target = read_url(url)
    except ForbiddenError as error:
        raise typer.BadParameter(f"{error}") from error
    if target.scheme == "http" and (settings.livemode or not settings.webhook_private_addresses):
        hint = "In test mode, http:// reaches the networks in DUNNING_WEBHOOK_PRIVATE_ADDRESSES."
        raise CommandError("The URL must start with https://.", hint)


def _not_of_the_settings(one: Endpoint) -> None:
    if one.from_settings:
        raise CommandError(f"Endpoint {one.id} stands in DUNNING_WEBHOOK_ENDPOINTS.", "Change it there.")


def _print_secret(number: int, secret: str, then: str, *, json: bool) -> None:
    if json:
        print_json({"endpoint": number, "secret": secret})
        return
    print_pairs([("Endpoint", number), ("Secret", secret)], indent=0)
    say("Keep it where your application reads it: it is not shown again.")
    say(then)
