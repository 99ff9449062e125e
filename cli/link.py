"""`dunning link`."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.customers import one
from cli.database import write
from cli.output import CommandError, Json, print_json
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.accounts import Loaded
    from portal.links import Pages


@dataclass(frozen=True, slots=True)
class Made:
    """A link to the page of a case."""

    case: str
    url: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """How many links to a case open nothing any more."""

    case: str
    links: int


def command(
    customer: Annotated[str, typer.Argument(help="The provider's id (cus_123) or a mail address.")],
    case: Annotated[
        str | None, typer.Option(help="Only the case of this invoice, open or not.", metavar="INVOICE")
    ] = None,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Let all links made until now open nothing.")
    ] = False,
    by: Annotated[
        str | None, typer.Option(help="Who wants it so. Default: your login name.", metavar="NAME")
    ] = None,
    json: Json = False,
) -> None:
    """Print a new link to the customer's page, one for each open case; or revoke those there are.

    \b
    Whoever has a link can open the page: give it to the customer alone.
    It opens the page until a week after the case is over, and only its hash is
    kept, so a link can be replaced but not be looked up.
    Who made or revoked links is written into the customer's story.

    \b
    Examples:
      dunning link cus_123
      dunning link ada@example.com --case in_123 --by maria
      dunning link cus_123 --revoke
    """
    settings = load(ToolSettings)
    from worker.pages import pages

    where = pages(settings)
    if where is None and not revoke:
        raise CommandError(
            "There is no page to link to.", "Set DUNNING_PORTAL_URL and DUNNING_LINK_SECRETS, as for workers."
        )
    who = by or getpass.getuser()
    if revoke:
        revoked = write(settings, lambda connection: _revoke(connection, customer, case, who))
        if json:
            print_json(revoked)
            return
        for each in revoked:
            opens = "link opens" if each.links == 1 else "links open"
            say(f"{each.case}: {each.links} {opens} nothing any more.")
        return
    assert where is not None  # noqa: S101  # said above; tells mypy
    made = write(settings, lambda connection: _make(connection, where, customer, case, who))
    if json:
        print_json(made)
        return
    for link in made:
        # Alone on its line, whatever the width: it is to be copied.
        typer.echo(f"{link.case}  {link.url}" if len(made) > 1 else link.url)


async def _make(
    connection: AsyncConnection, where: Pages, customer: str, case: str | None, by: str
) -> list[Made]:
    from db import journal, links
    from db.journal import Entry
    from db.links import LinkRow

    loaded, cases = await _meant(connection, customer, case)
    at = loaded.clock or datetime.now(UTC)
    made = []
    for ref in cases:
        minted = where.links.mint()
        last = await links.newest(connection, loaded.id, ref)
        link = LinkRow(minted.digest, loaded.id, ref, at, made_by=by)
        if last:
            link = replace(link, plan=last.plan, pay_url=last.pay_url)
        await links.add(connection, link)
        await journal.write(connection, [Entry(loaded.id, at, "link.made", f"{by} asked for it", ref)])
        made.append(Made(ref, where.url(minted)))
    return made


async def _revoke(connection: AsyncConnection, customer: str, case: str | None, by: str) -> list[Revoked]:
    from db import journal, links
    from db.journal import Entry

    loaded, cases = await _meant(connection, customer, case)
    at = loaded.clock or datetime.now(UTC)
    revoked = []
    for ref in cases:
        count = await links.revoke(connection, loaded.id, ref, at)
        reason = f"{by} revoked {count}"
        await journal.write(connection, [Entry(loaded.id, at, "link.revoked", reason, ref)])
        revoked.append(Revoked(ref, count))
    return revoked


async def _meant(connection: AsyncConnection, customer: str, case: str | None) -> tuple[Loaded, list[str]]:
    """The customer, and which of their cases. Raises CommandError when there is none."""
    from db import accounts
    from db.lookups import find_customers

    found = await one(connection, customer, find_customers)
    loaded = (await accounts.load(connection, [found.id]))[found.id]
    known = loaded.account.cases
    if case is not None and case not in known:
        raise CommandError(f"{found.ref} has no case for {case}.", f"See `dunning case show {found.ref}`.")
    cases = [case] if case else [each.invoice for each in loaded.account.open_cases()]
    if not cases:
        raise CommandError(f"{found.ref} has no open case.", "Give --case for one that is closed.")
    return loaded, cases
