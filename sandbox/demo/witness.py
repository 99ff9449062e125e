"""Sees what anybody outside can see: mails in the inbox, messages in the chat, answers of the access API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from emails.message import message_id
from emails.reference import mail_key
from sandbox.demo.days import day_of
from sandbox.demo.happenings import Counts, Happening
from sandbox.demo.players import Player
from sandbox.demo.records import Records
from sandbox.demo.stage import Stage
from sandbox.mail import Mail
from sandbox.merchant import DOMAIN, TEAM_ADDRESS
from sandbox.pages import page_name

# What the stories call our mails and calls.
NAMES = {
    "payment_failed": "payment failed",
    "final_warning": "final warning",
    "access_ended": "access ended",
    "payment_recovered": "receipt",
    "first_payment": "first payment",
    "card_expiring": "card expires",
    "attempts": "third failed charge",
    "blocked": "card refused for good",
    "unresolved": "open for a week",
    "last_call": "last call",
    "high_value": "valuable customer",
}
# What the access API says of somebody it has not heard of.
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that arrived; `page` is its file in the inbox's directory."""

    day: int
    what: str
    subject: str
    page: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Level:
    """An access level, and the day on which it was first seen (None: before the first)."""

    day: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of one customer; `chat` counts messages, `doubles` counts mails that came twice."""

    mails: tuple[Sent, ...]
    team: tuple[Sent, ...]
    access: tuple[Level, ...]
    chat: int
    doubles: int


class Witness:
    """Looks after every stop of the clocks, and remembers. `api` asks the access API."""

    def __init__(self, stage: Stage, roles: Sequence[Player], api: httpx.AsyncClient) -> None:
        self._stage, self._roles, self._api = stage, roles, api
        self._levels: dict[str, list[Level]] = {role.ref: [] for role in roles}
        self._looked_at = 0

    async def look(self, day: int | None) -> list[Happening]:
        """What is new since the last look; None: before the first day."""
        mails = self._stage.inbox.messages[self._looked_at :]
        self._looked_at += len(mails)
        answers = await asyncio.gather(*(self._access(role) for role in self._roles))
        news = [self._arrival(mail) for mail in mails]
        for role, level in zip(self._roles, answers, strict=True):
            levels = self._levels[role.ref]
            if not levels or levels[-1].what != level:
                levels.append(Level(day, level))
                if day is not None:
                    news.append(Happening(day, "access", role.story.name, level))
        return news

    async def _access(self, role: Player) -> str:
        answer = await self._api.get(f"/v1/access/{role.ref}", params={"source": role.source})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return NOBODY
        return str(answer.raise_for_status().json()["level"])

    def _arrival(self, mail: Mail) -> Happening:
        if mail.is_to(TEAM_ADDRESS):
            return Happening(day_of(mail.date), "team", "to the team", mail.subject)
        names = {role.story.email: role.story.name for role in self._roles}
        who = ", ".join(names.get(recipient, recipient) for recipient in mail.recipients)
        return Happening(day_of(mail.date), "mail", f"to {who}", mail.subject)

    def counts(self) -> Counts:
        """Everything so far."""
        delivered = [each.event_id for each in self._stage.stripe.delivery.log if each.acknowledged]
        delivered += self._stage.told
        mails = list(self._stage.inbox.messages)
        calls = sum(mail.is_to(TEAM_ADDRESS) for mail in mails)
        return Counts(
            events=len(set(delivered)),
            deliveries=len(delivered),
            mails=len(mails) - calls,
            calls=calls,
            access_changes=sum(len(levels) - 1 for levels in self._levels.values() if levels),
        )

    def testimony(self, role: Player, records: Records) -> Seen:
        """All that was seen of one customer. `records` tell by its Message-ID what a mail is."""
        names = {
            message_id(mail_key(role.source, step.key), DOMAIN): _name(step.name)
            for step in records.steps
            if step.customer == role.ref
        }
        own = self._stage.inbox.to(role.story.email)
        team = [mail for mail in self._stage.inbox.to(TEAM_ADDRESS) if _id(mail) in names]
        return Seen(
            mails=_in_order(own, names),
            team=_in_order(team, names),
            access=tuple(self._levels[role.ref]),
            chat=sum(role.ref in message for message in self._stage.chat.messages),
            doubles=len(own) + len(team) - len({_id(mail) for mail in (*own, *team)}),
        )


def _name(step: str) -> str:
    # A reminder's name ends with its number.
    return NAMES.get(step, step.partition(":")[0].replace("_", " "))


def _in_order(mails: Sequence[Mail], names: dict[str, str]) -> tuple[Sent, ...]:
    return tuple(
        Sent(
            day_of(mail.date), names.get(_id(mail), "unknown mail"), mail.subject, page_name(mail), mail.text
        )
        for mail in sorted(mails, key=lambda mail: (mail.date, mail.number))
    )


def _id(mail: Mail) -> str:
    return str(mail.message["Message-ID"])


def in_days(things: Sequence[Sent | Level]) -> str:
    """`payment failed d0 d3, receipt d8`: as the stories write it."""
    phrases: list[str] = []
    last = None
    for thing in things:
        day = "" if thing.day is None else f" d{thing.day}"
        if thing.what == last:
            phrases[-1] += day
        else:
            phrases.append(thing.what + day)
        last = thing.what
    return ", ".join(phrases)
