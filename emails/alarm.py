"""What the merchant's team is told that is no customer's case: that all is held back, that an import is done.

Plain on purpose: it must be readable when little else works, and has nothing to translate or to brand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from emails.render import RenderedMail

RELEASE = 'dunning breaker release --by YOUR_NAME --why "..."'


@dataclass(frozen=True, slots=True)
class Notice:
    """A headline, and what there is to say below it."""

    headline: str
    paragraphs: tuple[str, ...]


def alarm_mail(notice: Notice) -> RenderedMail:
    """The mail with this notice."""
    html = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in notice.paragraphs)
    head = f'<html lang="en"><head><title>{escape(notice.headline)}</title></head>'
    page = f"<!DOCTYPE html>\n{head}<body>\n{html}\n</body></html>\n"
    return RenderedMail(notice.headline, "\n\n".join(notice.paragraphs) + "\n", page)


def alarm_chat(notice: Notice) -> str:
    """The same for a Slack-compatible chat, whose own three characters are escaped."""
    said = "\n".join([f"*{notice.headline}*", *notice.paragraphs])
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def on_hold(*, brand: str, reason: str, by: str | None, at: datetime) -> Notice:
    """A breaker that tripped at `at` (an aware time), or was tripped by somebody."""
    who = f"{by} has put it on hold: " if by else ""
    return Notice(
        f"{brand}: dunning is on hold",
        (
            f"Since {_written(at)}, we send customers no mail, take nobody's access and charge nothing.",
            f"Why: {who}{reason}.",
            "Receipts, calls to you and access for those who pay go on. Nothing is lost: what is due waits, "
            "and whoever pays meanwhile hears nothing of it.",
            "Please find out whether so many customers can really have failed to pay. `dunning breaker` "
            "shows the figures.",
            f"When all is well, or as it should be: {RELEASE}",
        ),
    )


def given_up(*, brand: str, events: int, at: datetime) -> Notice:
    """So many events that could not be applied by `at` (an aware time), and that nobody has put away."""
    what = "an event" if events == 1 else f"{events} events"
    return Notice(
        f"{brand}: {what} could not be applied",
        (
            f"As of {_written(at)}, {what} that we were sent could not be applied, each after five tries or "
            "since nobody can read it. What it says is not known here: somebody may have paid, or not.",
            "Nothing is lost: they are kept as they came, with the error. All other events go on as ever.",
            "Which, and why: dunning dead list",
            "When the cause is mended, an update of ours being the usual cure: dunning dead retry --all",
            'What may be left alone for good: dunning dead discard EVENT --by YOUR_NAME --why "..."',
            "As long as there are any, you are told once a day.",
        ),
    )


def endpoint_off(*, brand: str, number: int, host: str, why: str, at: datetime) -> Notice:
    """An endpoint of the merchant's application that was switched off at `at` (an aware time)."""
    return Notice(
        f"{brand}: a webhook endpoint is switched off",
        (
            f"Since {_written(at)}, nothing is sent to endpoint {number} at {host} any more.",
            f"Why: {why}.",
            "Nothing is lost: events are kept. Mails and access go on as ever, but whatever that endpoint "
            "does with our events, such as letting customers in, has stopped.",
            f"When it works again: dunning webhooks enable {number}",
            f"Then send what it has missed: dunning webhooks replay {number} --failed",
        ),
    )


def source_closed(*, brand: str, source: str, at: datetime) -> Notice:
    """A source ("stripe:acct_1") whose account has disconnected, as was heard at `at` (an aware time)."""
    return Notice(
        f"{brand}: {source} has disconnected",
        (
            f"On {_written(at)} we heard that the account behind {source} does not let us read anything any "
            "more, nor do anything there.",
            "So we write to none of its customers, charge nothing, and access stays as it is: we cannot know "
            "any more who pays.",
            "If that was meant, take their access away yourselves, where it should end.",
            "If it was not, have the account connect again. When it has been reconciled with: "
            f'dunning customer resume-source {source} --by YOUR_NAME --why "..."',
        ),
    )


def trial(*, brand: str) -> Notice:
    """Nothing is the matter: somebody wants to see whether this arrives."""
    return Notice(
        f"{brand}: a test message",
        (
            "Somebody has run `dunning team test`. If you can read this, this channel works.",
            "It is where you hear of customers who need a person, and of trouble with dunning itself.",
        ),
    )


def taken_over(*, brand: str, cases: int, uncalled: int, at: datetime) -> Notice:
    """An import that was finished at `at` (an aware time): one call in the place of one for each case."""
    return Notice(
        f"{brand}: {cases} open cases were taken over",
        (
            f"On {_written(at)} the import was finished. The customers hear of us over the next three days "
            "on which mails may arrive, and nobody loses access sooner than a week after that.",
            f"{uncalled} of these cases were due for a call to you before: three charges had failed, or it "
            "was unpaid for a week. You are not called about each of them now, but if another charge "
            "fails, and before access ends.",
            "`dunning case list` has all of them, the oldest first; `dunning explain CUSTOMER` tells the "
            "rest.",
        ),
    )


def at_odds(
    *, brand: str, locked: int, unpaid: int, other: int, customers: Sequence[str], at: datetime
) -> Notice:
    """What Stripe was asked about at `at` (an aware time), and what that has not mended."""
    told = (
        f"{_customers(locked, 'has', 'have')} paid and {'is' if locked == 1 else 'are'} locked out.",
        f"{_customers(unpaid, 'is', 'are')} let in, and nothing of theirs is paid for.",
        f"In {other} other {'thing' if other == 1 else 'things'} Stripe says something else than we know.",
    )
    sides = tuple(words for words, many in zip(told, (locked, unpaid, other), strict=True) if many)
    more = locked + unpaid + other > len(customers)
    return Notice(
        f"{brand}: {'customers are locked out who have paid' if locked else 'Stripe and we disagree'}",
        (
            *sides,
            f"On {_written(at)} Stripe was asked about each of them, and what could safely be put right was.",
            f"Begin with: {', '.join(customers)}{', and others' if more else ''}.",
            "`dunning reconcile --list` has all of them, `dunning explain CUSTOMER` tells the story of one. "
            "You are told of them once a day, as long as they last.",
        ),
    )


def _customers(many: int, one: str, several: str) -> str:
    return f"{many} customer {one}" if many == 1 else f"{many} customers {several}"


def _written(at: datetime) -> str:
    return f"{at:%B} {at.day}, {at:%Y, %H:%M %Z}"
