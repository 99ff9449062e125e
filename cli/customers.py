"""Which customer a person means: by provider id, mail address, or one of their invoices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from cli.output import CommandError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.lookups import Found


BY_CUSTOMER: Final = "Give the provider's id (cus_123) or the mail address."
BY_ANYTHING: Final = (
    "Give the customer's id (cus_123) or mail address, or an invoice of theirs that failed: its id (in_123) "
    "or its number."
)


class AmbiguousError(CommandError):
    """Several customers fit; the message lists them. Exit code 2: the question has to be another one."""

    def __init__(self, wanted: str, found: Sequence[Found]) -> None:
        lines = [f"{one.ref}  {one.source}  {one.name or '-'}  {one.email or '-'}" for one in found]
        super().__init__("\n".join([f"{len(found)} customers fit {wanted}:", *lines]), "Ask by the id.")


async def one(
    connection: AsyncConnection,
    wanted: str,
    *ways: Callable[[AsyncConnection, str], Awaitable[list[Found]]],
    hint: str = BY_CUSTOMER,
) -> Found:
    """The only customer that the first successful of `ways` finds.

    Raises CommandError with `hint`, what can be asked by, when nobody fits; AmbiguousError when several do.
    """
    for find in ways:
        found = await find(connection, wanted)
        if len(found) == 1:
            return found[0]
        if found:
            raise AmbiguousError(wanted, found)
    raise CommandError(f"Nothing is known of {wanted}.", hint)
