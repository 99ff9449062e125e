"""Take a person out of everything that is kept about them. What happened, when, and for how much money stays.

`docs/privacy.md` has the list, and `tests/db/test_privacy.py` holds it against the tables.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# What stands where somebody's own words stood.
REMOVED = "removed, since the customer was forgotten"
# Rows of the inbox that are looked through by one statement.
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows lost something. `waiting` are events that lose their content once they are applied."""

    mails: int = 0
    mail_results: int = 0
    links: int = 0
    notes: int = 0
    answers: int = 0
    events: int = 0
    waiting: int = 0


# Each mail and each call that is decided and not handed over will never be: nobody's claim holds any more.
_UNSENT = """
    UPDATE outbox SET status = 'suppressed', lease_until = NULL, last_error = 'the customer was forgotten'
    WHERE customer_id = :id AND kind IN ('mail', 'team')
      AND (status = 'pending' OR (status = 'sending' AND handed_at IS NULL))
"""
_MAILS = """
    UPDATE outbox SET recipient = NULL, rendered = NULL, last_error = split_part(last_error, ': ', 1),
                      reason = CASE name WHEN 'resent' THEN :removed ELSE reason END
    WHERE customer_id = :id AND kind IN ('mail', 'team')
      AND (recipient IS NOT NULL OR rendered IS NOT NULL OR last_error LIKE '%: %'
           OR (name = 'resent' AND reason <> :removed))
"""
_RESULTS = """
    UPDATE mail_results SET details = NULL FROM outbox
    WHERE outbox.id = mail_results.outbox_id AND outbox.customer_id = :id AND details IS NOT NULL
"""
_LINKS = "DELETE FROM links WHERE customer_id = :id"
# Whom a case was handed to is one of the team.
_INSTRUCTIONS = """
    UPDATE instructions SET why = :removed, "to" = CASE verb WHEN 'hand_over' THEN "to" END
    WHERE customer_id = :id AND verb NOT IN ('forget', 'remember')
      AND (why <> :removed OR ("to" IS NOT NULL AND verb <> 'hand_over'))
"""
_JOURNAL = """
    UPDATE journal SET reason = :removed,
                       data = CASE kind WHEN 'instruction.hand_over' THEN data ELSE data - 'to' END
    WHERE customer_id = :id AND reason <> :removed
      AND (kind = 'mail.asked'
           OR (kind LIKE 'instruction.%' AND kind NOT IN ('instruction.forget', 'instruction.remember')))
"""
_ANSWERS = """
    DELETE FROM api_requests
    WHERE EXISTS (SELECT FROM unnest(CAST(:needles AS text[])) needle
                  WHERE position(needle IN lower(encode(answer, 'escape'))) > 0)
"""
_IN_FLIGHT = """
    SELECT count(*) FROM outbox
    WHERE customer_id = :id AND kind IN ('mail', 'team')
      AND status = 'sending' AND handed_at IS NOT NULL AND lease_until >= clock_timestamp()
"""
_ADDRESSES = """
    SELECT recipient FROM outbox WHERE customer_id = :id AND kind = 'mail' AND recipient IS NOT NULL
    UNION SELECT "to" FROM instructions WHERE customer_id = :id AND verb IN ('name_payer', 'confirm_payer')
    UNION SELECT email FROM customers WHERE id = :id
    UNION SELECT metadata ->> :billing_contact FROM customers WHERE id = :id
"""
_INVOICES = "SELECT invoice FROM cases WHERE customer_id = :id"


async def withdraw(connection: AsyncConnection, customer_id: int) -> int:
    """Let nothing more be sent about the customer; how much is being sent at this moment, and cannot be kept.

    The caller holds the account's row lock.
    """
    await connection.execute(text(_UNSENT), {"id": customer_id})
    return int((await connection.execute(text(_IN_FLIGHT), {"id": customer_id})).scalar_one())


async def addresses(connection: AsyncConnection, customer_id: int, billing_contact: str) -> frozenset[str]:
    """Every address that mails of this customer went to, or might have; `billing_contact` is metadata's."""
    found = await connection.execute(
        text(_ADDRESSES), {"id": customer_id, "billing_contact": billing_contact}
    )
    return frozenset(each for each in found.scalars() if each)


async def erase(
    connection: AsyncConnection, customer_id: int, ref: str, known: Collection[str], events: Erased
) -> Erased:
    """Erase it from all but the mirror, which `changes.save` writes, and the inbox, which `events` counts.

    `known` are the customer's addresses. The caller holds the account's row lock.
    """

    async def changed(statement: str, **values: object) -> int:
        wanted = {"id": customer_id} | ({"removed": REMOVED} if ":removed" in statement else {})
        return (await connection.execute(text(statement), wanted | values)).rowcount

    invoices = (await connection.execute(text(_INVOICES), {"id": customer_id})).scalars()
    needles = _needles(ref, known) | {f'"{invoice}"'.lower() for invoice in invoices}
    answers = await connection.execute(text(_ANSWERS), {"needles": sorted(needles)})
    said = await changed(_INSTRUCTIONS)
    return Erased(
        mails=await changed(_MAILS),
        mail_results=await changed(_RESULTS),
        links=await changed(_LINKS),
        notes=max(said, await changed(_JOURNAL)),
        answers=answers.rowcount,
        events=events.events,
        waiting=events.waiting,
    )


def _needles(ref: str, known: Collection[str]) -> set[str]:
    """What a payload about the customer holds, in small letters: the id as JSON has it, or an address."""
    return {f'"{ref}"'.lower(), *(address.strip().lower() for address in known)}


# In the order in which they were applied, which the index `inbox_payloads` has.
_SETTLED = text("""
    WITH looked AS MATERIALIZED (
        SELECT id, due_at, lower(encode(payload, 'escape')) AS said FROM inbox
        WHERE payload IS NOT NULL AND status NOT IN ('pending', 'dead')
          AND (due_at, id) > (CAST(:at AS timestamptz), CAST(:id AS bigint))
        ORDER BY due_at, id LIMIT :batch),
    blanked AS (
        UPDATE inbox SET payload = NULL, last_error = NULL FROM looked
        WHERE inbox.id = looked.id
          AND EXISTS (SELECT FROM unnest(CAST(:needles AS text[])) needle WHERE position(needle IN said) > 0)
        RETURNING inbox.id)
    SELECT (SELECT count(*) FROM looked) AS looked, (SELECT count(*) FROM blanked) AS blanked,
           due_at, id FROM looked ORDER BY due_at DESC, id DESC LIMIT 1
""")
_DEAD = text("""
    UPDATE inbox SET status = 'discarded', payload = NULL, last_error = 'the customer was forgotten'
    WHERE status = 'dead'
      AND EXISTS (SELECT FROM unnest(CAST(:needles AS text[])) needle
                  WHERE position(needle IN lower(encode(payload, 'escape'))) > 0)
""")
_PENDING = text("""
    SELECT count(*) FROM inbox
    WHERE status = 'pending'
      AND EXISTS (SELECT FROM unnest(CAST(:needles AS text[])) needle
                  WHERE position(needle IN lower(encode(payload, 'escape'))) > 0)
""")


async def blank_events(
    connection: AsyncConnection, ref: str, known: Collection[str], *, within: float | None = None
) -> Erased:
    """Blank what has arrived about the customer, whose addresses are `known`.

    All of it, or what was applied within so many seconds: what came while the rest was looked through.
    """
    needles = sorted(_needles(ref, known))
    blanked, row_id = 0, 0
    at = (
        await connection.execute(
            text("SELECT coalesce(clock_timestamp() - make_interval(secs => :within), 'epoch')"),
            {"within": within},
        )
    ).scalar_one()
    while True:
        values = {"at": at, "id": row_id, "batch": BATCH, "needles": needles}
        row = (await connection.execute(_SETTLED, values)).one_or_none()
        if row is None:
            break
        blanked, at, row_id = blanked + row.blanked, row.due_at, row.id
        if row.looked < BATCH:
            break
    dead = (await connection.execute(_DEAD, {"needles": needles})).rowcount
    waiting = (await connection.execute(_PENDING, {"needles": needles})).scalar_one()
    return Erased(events=blanked + dead, waiting=waiting)
