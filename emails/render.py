"""From the facts of a mail to its subject, text and HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from re import sub
from typing import Final

from babel import Locale
from css_inline import CSSInliner

from emails.brand import Brand
from emails.catalogue import CardExpiring, FinalWarning, FirstPaymentOpen, Mail, PaymentFailed, TeamEscalation
from emails.context import Reader
from emails.environment import fill
from emails.moulds import Mould, Shape, apart, stand_in
from emails.translations import SOURCE_LANGUAGE, choose_locale, language_of
from language.typography import gap

# Mail clients drop <style>, so the rules are written into every tag.
_INLINER: Final = CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail as it is stored and sent; rendered once, never again."""

    subject: str
    text: str
    html: str


def render(
    props: Mail,
    *,
    brand: Brand,
    locale: str,
    timezone: tzinfo,
    now: datetime,
    templates: Path | None = None,
) -> RenderedMail:
    """Write the mail in the reader's language; a locale without a translation gives English.

    Dates are shown in `timezone`. As of `now`, an attempt or a deadline that has passed is not announced, and
    the days left are counted. Files in the folder `templates` stand in for ours of the same name; they are
    expected to have passed `emails.check.check_templates`. Raises ValueError for a naive datetime or a link
    that is not http(s).
    """
    for_the_team = isinstance(props, TeamEscalation)
    locale = SOURCE_LANGUAGE if for_the_team else choose_locale([locale])
    language = language_of(locale) or SOURCE_LANGUAGE
    facts = facts_of(props, brand, locale, timezone, now)
    if templates or for_the_team:
        # Templates of others may do with a fact what they like, and no two lists for the team are alike.
        return _written(language, props.template, facts, templates)
    shape, values = apart(facts)
    subject, text, html = _moulds(language, props.template, shape, len(values))
    line = _one_line(subject.text(values))
    return RenderedMail(line, text.text(values), html.html([*values, line]))


# Some ten kilobytes each. How many are in use is a matter of the languages, reasons and policies there are.
@lru_cache(maxsize=512)
def _moulds(language: str, template: str, shape: Shape, values: int) -> tuple[Mould, Mould, Mould]:
    """Of the subject, the text and the HTML, which has the finished subject after so many values."""
    mail = _written(language, template, dict(shape), title=stand_in(values))
    return Mould.of(mail.subject), Mould.of(mail.text), Mould.of(mail.html)


def _written(
    language: str,
    template: str,
    facts: Mapping[str, object],
    folder: Path | None = None,
    *,
    title: str | None = None,
) -> RenderedMail:
    subject = _one_line(fill(language, f"{template}/subject.txt", facts, folder))
    text = fill(language, f"{template}/body.txt", facts, folder)
    page = fill(language, f"{template}/body.html", {**facts, "subject": title or subject}, folder)
    return RenderedMail(subject, sub(r"\n{3,}", "\n\n", text).strip() + "\n", _INLINER.inline(page))


def _one_line(words: str) -> str:
    return " ".join(words.split())


def facts_of(props: Mail, brand: Brand, locale: str, timezone: tzinfo, now: datetime) -> dict[str, object]:
    """Everything the templates of this mail may print, by name."""
    shown = Reader(locale, timezone).show(_without_the_past(props, now))
    counted = {"days_left": _days_left(props, now), "card_expired": _card_expired(props, timezone, now)}
    return shown | _frame(brand, locale) | counted


def _without_the_past(props: Mail, now: datetime) -> Mail:
    """A mail delayed on its way to us must not say "we will try again" or "until" of yesterday."""
    match props:
        case PaymentFailed():
            return replace(
                props,
                next_attempt_at=_still_ahead(props.next_attempt_at, now),
                access_until=_still_ahead(props.access_until, now),
            )
        case FirstPaymentOpen():
            return replace(props, expires_at=_still_ahead(props.expires_at, now))
    return props


def _still_ahead(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment and moment > now else None


def _days_left(props: Mail, now: datetime) -> int:
    """Whole days to the deadline of a warning, to the nearest one and at least 1."""
    return (
        max(1, round((props.access_until - now) / timedelta(days=1)))
        if isinstance(props, FinalWarning)
        else 0
    )


def _card_expired(props: Mail, timezone: tzinfo, now: datetime) -> bool:
    """Whether the last month of a card that is told to expire is over, on the reader's calendar."""
    today = now.astimezone(timezone)
    return isinstance(props, CardExpiring) and (today.year, today.month) > props.expires


def _frame(brand: Brand, locale: str) -> dict[str, object]:
    known = Locale.parse(locale, sep="-")
    right_to_left = known.character_order == "right-to-left"
    return {
        "brand": brand,
        "lang": locale,
        "gap": gap(known),
        "direction": "rtl" if right_to_left else "ltr",
        "start": "right" if right_to_left else "left",
    }
