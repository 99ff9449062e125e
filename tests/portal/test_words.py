"""What the pages say, state by state and language by language, and what is never said on any of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from dunning.abilities import EVERYTHING, NOTHING
from dunning.declines import Category
from dunning.money import Money
from dunning.rules.paying_now import Refusal
from emails.catalogue import CardLabel
from emails.context import Reader
from emails.render import render
from emails.samples import BRAND, payment_failed
from portal.answers import FormFrame
from portal.facts import Coming, Facts, Owed, State
from portal.offer import offer
from portal.render import PAGES, TEMPLATES, Pages
from portal.view import day_of, offered, template_of, view
from tests.emails.voices import VOICES

LANGUAGES = PAGES.languages()
NOW = datetime(2026, 11, 16, 13, tzinfo=UTC)
OPEN = Facts(
    state=State.OPEN,
    category=Category.EXPIRED_CARD,
    plan="Team plan",
    number="NW-0042",
    amount=Money(1999, "eur"),
    card=CardLabel("visa", "4242"),
    declined=None,
    coming=(Coming(NOW + timedelta(days=2), "retry"), Coming(NOW + timedelta(days=9), "revoked")),
    others=(),
    access=None,
    access_since=None,
    processing=False,
    refused=None,
    refused_anew=None,
    promise_within=(NOW.date() + timedelta(days=1), NOW.date() + timedelta(days=10)),
    promised=None,
    naming=None,
    first_payment=False,
    paid_at=None,
    ended_at=None,
    for_nonpayment=False,
    replaced=False,
    may_return=False,
    on_hold=False,
    left=None,
    left_is_voided=False,
    can=EVERYTHING,
)
STATES = {
    "open": OPEN,
    "bare": replace(OPEN, plan=None, number=None, card=None, coming=()),
    "another card": replace(OPEN, declined=CardLabel("amex", "0005")),
    "limited": replace(OPEN, access="limited", access_since=NOW),
    "revoked": replace(OPEN, access="revoked", access_since=NOW, coming=()),
    "first payment": replace(OPEN, first_payment=True, coming=(Coming(NOW, "expires"),)),
    "unconfirmed": replace(OPEN, refused=Refusal.NEEDS_BANK, promised=NOW.date()),
    **{why.value: replace(OPEN, refused=why) for why in Refusal},
    "naming": replace(OPEN, naming="accounts@customer.example"),
    "no promise": replace(OPEN, promise_within=None),
    "processing": replace(OPEN, processing=True),
    "others": replace(OPEN, others=(Owed("NW-0041", Money(500, "jpy")), Owed(None, Money(100, "usd")))),
    "paid": replace(OPEN, state=State.PAID, paid_at=NOW),
    "paid too late": replace(OPEN, state=State.PAID, paid_at=NOW, ended_at=NOW),
    "on hold": replace(OPEN, on_hold=True),
    "ended": replace(OPEN, state=State.ENDED, ended_at=NOW, for_nonpayment=True, may_return=True),
    "left open": replace(OPEN, state=State.ENDED, ended_at=NOW, may_return=True, left=Money(1999, "eur")),
    "to be voided": replace(
        OPEN, state=State.ENDED, ended_at=NOW, may_return=True, left=Money(1999, "eur"), left_is_voided=True
    ),
    "closed, and ended": replace(OPEN, state=State.CLOSED, may_return=True),
    "replaced": replace(OPEN, state=State.ENDED, ended_at=NOW, replaced=True),
    "closed": replace(OPEN, state=State.CLOSED),
}
NOTICES = re.findall(r'notice == "(\w+)"', (TEMPLATES / "notices.html").read_text(encoding="utf-8"))
MESSAGES = [("link.html", None), ("sent.html", None)] + [
    ("message.html", why) for why in ("busy", "away", "late", "nowhere", "wrong")
]


class Outline(HTMLParser):
    """The elements of a page, in order, and the words of its title, head and body."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "br", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1:] != ["button"]:
            self.words.append(data.strip())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def page(seen: Facts, language: str, notice: str | None = None, *, back: bool = False) -> str:
    """The whole page about these facts, with all that can be done."""
    reader = Reader(language, UTC)
    shown = view(seen, reader, offer(provider=True))
    more = {
        "form": FormFrame("/p/token", "field", "click"),
        "billing_page": "https://northwind.example",
        "pay_page": "https://northwind.example",
        "notice": notice,
        "back": back,
        "dates": {name: day_of(NOW, reader) for name in ("until", "last")},
    }
    return Pages(BRAND).fill(template_of(seen), language, language, shown | more)


def message(template: str, why: str | None, language: str) -> str:
    facts = {"why": why, "path": "/p/token"} if why else {"form": FormFrame("/p/token", "field", "click")}
    return Pages(BRAND).fill(template, language, language, facts)


def every(language: str) -> list[str]:
    """Every page there is."""
    pages = [page(seen, language) for seen in STATES.values()]
    pages += [page(OPEN, language, notice) for notice in NOTICES]
    pages += [page(STATES[name], language, back=True) for name in ("open", "ended", "closed, and ended")]
    return pages + [message(template, why, language) for template, why in MESSAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_well_built(language: str) -> None:
    """One heading of the first level, the landmarks, a language, no script, no style of its own."""
    for html in every(language):
        outline = Outline(html)
        assert [outline.count(tag) for tag in ("h1", "main", "header", "footer", "title")] == [1] * 5
        assert outline.tags[0] == ("html", {"lang": language, "dir": "ltr"})
        assert outline.count("script") == outline.count("style") == outline.count("iframe") == 0
        assert not [attrs for _, attrs in outline.tags if any(name.startswith("on") for name in attrs)]
        assert not [attrs for _, attrs in outline.tags if "style" in attrs]
        ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        named = [attrs["aria-labelledby"] for _, attrs in outline.tags if "aria-labelledby" in attrs]
        assert set(named) <= set(ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_threatens_blames_or_is_familiar(language: str) -> None:
    """The tone of the mails, for every category and state."""
    voice = VOICES[language]
    pages = every(language) + [page(replace(OPEN, category=category), language) for category in Category]
    for html in pages:
        said = " ".join(Outline(html).words)
        assert [found.search(said) for found in (voice.threats, voice.blame, voice.familiar)] == [None] * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_masked_and_fraud_are_one_page(language: str) -> None:
    """To the letter, and with no hint of either."""
    masked, fraud = (
        page(replace(OPEN, category=each), language) for each in (Category.MASKED, Category.FRAUD)
    )
    assert masked == fraud
    assert VOICES[language].hints.search(" ".join(Outline(masked).words)) is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", Category)
def test_the_reason_is_told_in_the_words_of_the_mails(category: Category, language: str) -> None:
    """There is one place for them."""
    said = Outline(page(replace(OPEN, category=category), language)).words
    mail = render(payment_failed(category), brand=BRAND, locale=language, timezone=UTC, now=NOW)
    heading = said[said.index(next(word for word in said if word in mail.text))]
    assert heading
    assert [word for word in said if word in mail.text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_a_page_speaks_of_answering_a_mail(language: str) -> None:
    """A page has none to answer."""
    answer = re.compile("reply|antworten|respond|répond|返信|responder", re.IGNORECASE)
    for category in Category:
        said = " ".join(Outline(page(replace(OPEN, category=category), language)).words)
        assert answer.search(said) is None, category


def test_what_may_be_our_own_mistake_is_not_to_be_paid() -> None:
    """A duplicate must not be paid because of our page; nor what is paid already and on its way."""
    for seen in (replace(OPEN, category=Category.MERCHANT_SIDE), STATES["processing"]):
        assert "https://northwind.example" not in page(seen, "en").partition("<footer>")[0]
    assert "https://northwind.example" in page(OPEN, "en").partition("<footer>")[0]


def test_names_are_escaped_and_defused() -> None:
    """Plans and invoices are named by somebody else."""
    html = page(replace(OPEN, plan='<img src=x onerror="a">', number="pay.evil.example"), "en")
    assert "<img src=x" not in html
    assert "pay.evil.example" not in html


def test_nothing_is_offered_that_the_billing_system_cannot_do() -> None:
    """What needs no provider still is: a promise, and somebody else who pays."""
    able, unable = (offered(offer(provider=True), replace(OPEN, can=can)) for can in (EVERYTHING, NOTHING))
    assert {"retry", "method"} <= {action.name for action in able}
    assert {action.name for action in unable} == {"promise", "payer"}
