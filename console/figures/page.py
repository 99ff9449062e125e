"""One page with everything, without scripts or requests: for a desk, a phone, paper, and without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from console.figures import Figures
from console.figures.definitions import DEFINITIONS
from console.figures.formats import NOTHING, days, many, money, months, rate
from console.figures.notes import notes, nothing
from console.figures.sections import sections
from console.figures.shown import total
from dunning.money import format_date

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that stands at the top, what else belongs to it, and what it is in a sentence."""

    title: str
    value: str
    others: Sequence[str]
    about: str


def page(figures: Figures) -> str:
    """The whole HTML document."""
    return _template().render(
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704  # our own file
        months=months(figures.period),
        zone=figures.period.zone.key,
        made_at=format_date(figures.made_at, "en", figures.period.zone),
        nothing=nothing(figures) if figures.empty else None,
        notes=list(notes(figures)),
        tiles=list(_tiles(figures)),
        sections=list(sections(figures)),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _tiles(figures: Figures) -> Iterator[Tile]:
    everything, quartiles = total(figures), figures.waits.quartiles()
    cases, money_of = everything.counts, everything.money.items()
    risks = [money(each.amount, each.currency) for each in figures.at_risk]
    yield _tile("at_risk", risks, many(sum(each.cases for each in figures.at_risk), "open case"))
    yield _tile("due", [money(tally.due, code) for code, tally in money_of], many(cases.cases, "case"))
    yield _tile("net", [money(tally.net, code) for code, tally in money_of], many(cases.recovered, "case"))
    if cases.cases:
        still_open = f"{many(cases.open, 'case')} still open" if cases.open else "final"
        yield _tile("rate", [rate(cases.rate)], still_open)
    if quartiles:
        spread = f"half of them {days(quartiles.lower)} to {days(quartiles.upper)}"
        yield _tile("wait", [days(quartiles.median)], spread)


def _tile(id_: str, values: Sequence[str], more: str) -> Tile:
    definition = DEFINITIONS[id_]
    first_sentence = definition.text.partition(". ")[0].rstrip(".") + "."
    return Tile(definition.title, values[0] if values else NOTHING, [*values[1:], more], first_sentence)
