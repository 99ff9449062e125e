"""`dunning policy move`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.batches import in_batches
from cli.customers import AmbiguousError, one
from cli.database import read
from cli.moments import stamp
from cli.nudging import nudge
from cli.output import CommandError, Json, print_error, print_json
from cli.saying import By, DryRun, Why
from cli.tables import print_rows, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dunning.segments import PolicySource
    from worker.usecases.move_policy import Move

# Of all that was moved, a person is shown so much.
SHOWN = 20


def move(
    why: Why,
    customer: Annotated[
        str | None, typer.Argument(metavar="CUSTOMER", help="The provider's id (cus_123) or a mail address.")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every customer with an open case.")] = False,
    segment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only cases that fall under this segment now.")
    ] = None,
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Move running cases to the policy that is in force now; by itself a case keeps its own.

    \b
    Grace is stamped anew, but access never ends earlier than a final warning has said.
    Cases that were moved already are left as they are: after an interruption, say it again.

    \b
    Examples:
      dunning policy move cus_123 --why "an annual plan now" --dry-run
      dunning policy move --all --segment annual --why "three weeks for annual plans"
    """
    if (customer is None) == (not everybody):
        raise typer.BadParameter("name one customer, or say --all")
    from settings.logging import configure
    from worker.policy import policy

    settings = load(ToolSettings)
    configure("command", settings.log_format, "warning")
    rules = policy(settings)
    _known(rules, segment)
    work = _Mover(settings, rules, by, why, segment, dry_run)
    try:
        moves = work.everybody(quiet=json) if customer is None else work.one(customer)
    except AmbiguousError as error:
        print_error("Which one?", str(error), error.hint)
        raise typer.Exit(2) from error
    if json:
        print_json({"dry_run": dry_run, "moves": moves})
    else:
        _print(moves, dry_run=dry_run)


def _known(rules: PolicySource, segment: str | None) -> None:
    from dunning.segments import PolicyBook

    names = [each.name for each in rules.segments] if isinstance(rules, PolicyBook) else []
    if segment is not None and segment not in (*names, "base"):
        raise CommandError(f"There is no segment {segment}.", f"There are: {', '.join([*names, 'base'])}.")


class _Mover:
    """Moves customers, some in each transaction."""

    def __init__(
        self,
        settings: ToolSettings,
        rules: PolicySource,
        by: str,
        why: str,
        segment: str | None,
        dry_run: bool,
    ) -> None:
        self._settings, self._rules = settings, rules
        self._by, self._why, self._segment, self._dry_run = by, why.strip().rstrip("."), segment, dry_run
        if not self._why:
            raise CommandError("It must be known why: give a reason for whoever asks later.")

    def one(self, wanted: str) -> list[Move]:
        from db.lookups import find_customers

        async def find(connection: AsyncConnection) -> int:
            return (await one(connection, wanted, find_customers)).id

        return self._move([read(self._settings, find)], quiet=True)

    def everybody(self, *, quiet: bool) -> list[Move]:
        from db.lookups import customers_with_open_cases

        return self._move(read(self._settings, customers_with_open_cases), quiet=quiet)

    def _move(self, ids: Sequence[int], *, quiet: bool) -> list[Move]:
        from worker.usecases.move_policy import move_policy

        now, moves = datetime.now(UTC), []

        async def work(connection: AsyncConnection, ids: Sequence[int]) -> list[tuple[int, list[Move]]]:
            return [
                (
                    customer_id,
                    await move_policy(
                        connection,
                        customer_id,
                        policy=self._rules,
                        by=self._by,
                        why=self._why,
                        now=now,
                        segment=self._segment,
                    ),
                )
                for customer_id in ids
            ]

        for done in in_batches(self._settings, ids, work, dry_run=self._dry_run, quiet=quiet):
            if not self._dry_run:
                nudge(self._settings, [customer_id for customer_id, moved in done if moved])
            moves += [each for _, moved in done for each in moved]
        return moves


def _print(moves: Sequence[Move], *, dry_run: bool) -> None:
    if not moves:
        say("Every open case has the policy in force already: nothing to move.")
        return
    if dry_run:
        say("Only tried, nothing was changed. It would be:", style="bold")
    print_rows(
        ["Customer", "Case", "From", "To", "Access ends"],
        [[each.customer, each.case, each.before, each.after, _ends(each)] for each in moves[:SHOWN]],
    )
    for (before, after), number in sorted(Counter((each.before, each.after) for each in moves).items()):
        say(f"{number} from {before} to {after}.")
    if len(moves) > SHOWN:
        say(f"{SHOWN} of {len(moves)} are shown: --json has all.")


def _ends(moved: Move) -> str:
    if moved.ends_at == moved.ended_at:
        return stamp(moved.ends_at)
    return f"{stamp(moved.ended_at)}, now {stamp(moved.ends_at)}"
