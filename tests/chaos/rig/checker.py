"""Does what was answered, sent and stored keep the contract? Pure: it knows history and books alone.

It believes nothing that our own processes say of themselves where the world outside has seen it: what was
acknowledged is what Stripe was answered, what was delivered is what the mail server took, and which access is
right follows from what Stripe had said by then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.rig.access import too_early, wrong_at_the_end
from tests.chaos.rig.books import Books
from tests.chaos.rig.history import Answered, History, Looked, Mailed
from tests.chaos.rig.mails import unexplained, untold, wrong_mails

# What a webhook and a question for access may be answered while our servers are away; None is no answer.
PATIENT = frozenset({503, None})
SETTLED = frozenset({"done", "ignored"})


@dataclass(frozen=True, slots=True)
class Findings:
    """What broke the contract, each in words for a person; `unknown` mails break nothing by themselves.

    `lost`: acknowledged, but not done. `twice`: folded into a customer more than once. `doubled`: mails that
    lie in a mailbox in two copies. `wrong`: whatever else somebody outside has seen and should not have.
    """

    acknowledged: int
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> list[str]:
        """All that must not be."""
        return [*self.lost, *self.twice, *self.doubled, *self.wrong]

    def figures(self) -> dict[str, int]:
        """As `tell` wants them."""
        return {
            "acknowledged": self.acknowledged,
            "lost": len(self.lost),
            "applied_twice": len(self.twice),
            "delivered_twice": len(self.doubled),
            "unknown": len(self.unknown),
            "wrong_state": len(self.wrong),
        }


def check(history: History, books: Books, domain: str) -> Findings:
    """Compare them. `domain` is that of our Message-IDs."""
    acknowledged = {each.event for each in history.all(Answered) if each.acknowledged}
    return Findings(
        acknowledged=len(acknowledged),
        lost=_lost(acknowledged, books),
        twice=_twice(books),
        doubled=_doubled(history),
        unknown=[mail.step for mail in books.mails if mail.status == "unknown"],
        wrong=[
            *_wrong_answers(history),
            *wrong_mails(history, books, domain),
            *unexplained(history, books, domain),
            *untold(history, books),
            *too_early(history),
            *wrong_at_the_end(history),
        ],
    )


def _lost(acknowledged: set[str], books: Books) -> list[str]:
    status = {row.event: row.status for row in books.inbox}
    found = {event: status.get(event, "not stored") for event in sorted(acknowledged)}
    return [f"{event} was acknowledged and is {what}" for event, what in found.items() if what not in SETTLED]


def _twice(books: Books) -> list[str]:
    times = Counter((each.customer, each.event) for each in books.applied)
    return [f"{event} was applied to {who} {n} times" for (who, event), n in times.items() if n > 1]


def _doubled(history: History) -> list[str]:
    copies = Counter(each.mail for each in history.all(Mailed) if each.kept)
    return [f"{mail} was delivered {n} times" for mail, n in copies.items() if n > 1]


def _wrong_answers(history: History) -> list[str]:
    """A signed webhook is taken, or to be sent again; an asker learns the level, or is to ask again."""
    wrong = [
        f"the webhook {each.event} was answered {each.status}"
        for each in history.all(Answered)
        if not each.acknowledged and each.status not in PATIENT
    ]
    known: set[str] = set()
    for each in history.all(Looked):
        if each.status == 200:
            known.add(each.customer)
        elif each.status not in PATIENT and (each.status != 404 or each.customer in known):
            wrong.append(f"the question for {each.customer} was answered {each.status}")
    return wrong
