"""Charts as SVG that needs no script. What colours say is said by labels and patterns, and by a table beside.

Drawn for the width of a phone and shown a little larger on a desk. Colours come from the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from console.figures.formats import percent
from console.figures.waiting import LAST_DAY, Point

WIDTH: Final = 440
ROW, BAR, BAR_TOP, GAP = 42, 13, 21, 2
# The curve's plot, from the left and the top, and where days and shares have a line or a label.
LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 42, 428, 22, 218, 250
DAYS, SHARES = (0, 7, 14, 21, 30, 45, 60), (0, 0.25, 0.5, 0.75, 1)
LABELLED: Final = (7, 14, 30, 60)


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its name, what is said at its end, and its parts as shares of the longest bar."""

    name: str
    end: str
    parts: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its name and what it shows. `legend`: the look of each part, and its name."""

    id: str
    title: str
    about: str
    drawing: Markup
    height: int
    legend: Sequence[tuple[str, str]] = ()

    @property
    def svg(self) -> Markup:
        """The whole image, as assistive technology is told of it."""
        return Markup(
            '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-title {id}-about">'
            '<title id="{id}-title">{title}</title><desc id="{id}-about">{about}</desc>{drawing}</svg>'
        ).format(
            width=WIDTH,
            height=self.height,
            id=self.id,
            title=self.title,
            about=self.about,
            drawing=self.drawing,
        )


def bars(id_: str, title: str, about: str, rows: Sequence[Bar], legend: Sequence[tuple[str, str]]) -> Chart:
    """Bars below each other, each under its name, in parts that look as `legend` says."""
    looks = [look for look, _ in legend]
    drawn = Markup("").join(
        piece for number, row in enumerate(rows) for piece in _row(row, number * ROW, looks)
    )
    return Chart(id_, title, about, drawn, max(len(rows), 1) * ROW, legend if len(legend) > 1 else ())


def _row(row: Bar, top: int, looks: Sequence[str]) -> Iterator[Markup]:
    yield _text(0, top + 14, row.name)
    yield _text(WIDTH, top + 14, row.end, anchor="end", kind="end")
    yield Markup('<rect class="track" x="0" y="{}" width="{}" height="{}" rx="3"/>').format(
        top + BAR_TOP, WIDTH, BAR
    )
    left = 0.0
    for look, part in zip(looks, row.parts, strict=True):
        width = part * WIDTH
        if width:
            # What is not nothing shows, and parts stand a little apart.
            yield Markup(
                '<rect class="part {}" x="{:.1f}" y="{}" width="{:.1f}" height="{}" rx="2"/>'
            ).format(look, left, top + BAR_TOP, max(width - GAP, GAP), BAR)
        left += width


def curve(id_: str, title: str, about: str, points: Sequence[Point]) -> Chart:
    """The share that is recovered by each day, as steps: nothing is known between two days."""
    drawn = Markup("").join([*_grid(), *_steps(points), *_labels(points)])
    return Chart(id_, title, about, drawn, HEIGHT)


def _x(day: float) -> float:
    return LEFT + (RIGHT - LEFT) * day / LAST_DAY


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _grid() -> Iterator[Markup]:
    for share in SHARES:
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
            LEFT, RIGHT, _y(share), _y(share)
        )
        yield _text(LEFT - 7, _y(share) + 4, percent(share), anchor="end", kind="axis")
    for day in DAYS:
        yield _text(_x(day), BOTTOM + 18, str(day), anchor="middle", kind="axis")
    yield _text((LEFT + RIGHT) / 2, HEIGHT - 1, "days after the first failure", anchor="middle", kind="axis")


def _steps(points: Sequence[Point]) -> Iterable[Markup]:
    if not points:
        return
    steps = "".join(f"H{_x(point.day):.1f}V{_y(point.share):.1f}" for point in points)
    outline = f"M{LEFT},{BOTTOM}{steps}"
    yield Markup('<path class="area" d="{}V{}Z"/>').format(outline, BOTTOM)
    yield Markup('<path class="line" d="{}"/>').format(outline)


def _labels(points: Sequence[Point]) -> Iterator[Markup]:
    for point in points:
        if point.day in LABELLED:
            x, y = _x(point.day), _y(point.share)
            yield Markup('<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(x, y)
            # To the left, where the line has not risen so far yet.
            yield _text(x + 4, y - 9, percent(point.share), anchor="end", kind="end")


def _text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "name") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, escape(words)
    )
