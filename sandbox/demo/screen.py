"""Shows the demo while it runs: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sandbox.demo.days import LAST_DAY
from sandbox.demo.happenings import Counts, Happening, Kind

LEVEL_STYLES = {"full": "green", "warned": "yellow", "limited": "dark_orange", "revoked": "red"}
_MARKS: dict[Kind, tuple[str, str]] = {
    "deed": ("•", "cyan"),
    "mail": ("✉", "blue"),
    "team": ("☎", "magenta"),
    "access": ("▪", "white"),
}
_LINES = 12
_FRAMES_PER_SECOND = 8


class Silence:
    """An audience that is told everything and says nothing, for machines."""

    def starting(self, what: str) -> None:
        """Say nothing."""

    def day(self, day: int, counts: Counts) -> None:
        """Say nothing."""

    def happened(self, happening: Happening) -> None:
        """Say nothing."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was opened."""


class Lines(Silence):
    """One line for each thing that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def starting(self, what: str) -> None:
        self._console.print(f"starting {what}")

    def happened(self, happening: Happening) -> None:
        self._console.print(Text(f"day {happening.day:>2}  {happening.kind:<6}  {sentence(happening)}"))


class Screen(Silence):
    """A progress bar over the days, the figures so far, and the newest happenings."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=40),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._progress.add_task("starting", total=LAST_DAY)
        self._counts = Counts()
        self._lines: deque[Text] = deque(maxlen=_LINES)
        self._live = Live(
            console=console,
            refresh_per_second=_FRAMES_PER_SECOND,
            transient=True,
            get_renderable=self._picture,
        )

    def starting(self, what: str) -> None:
        self._progress.update(self._task, description=f"starting {what}")

    def day(self, day: int, counts: Counts) -> None:
        self._progress.update(self._task, completed=day, description=f"day {day} of {LAST_DAY}")
        self._counts = counts

    def happened(self, happening: Happening) -> None:
        mark, style = _MARKS[happening.kind]
        style = LEVEL_STYLES.get(happening.what, style)
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f"d{happening.day:<3}", "dim").append(f"{mark} ", style)
        self._lines.append(line.append(sentence(happening), style if happening.kind == "access" else ""))

    def refresh(self) -> None:
        """Draw now; otherwise it is drawn several times a second."""
        self._live.refresh()

    def __enter__(self) -> Screen:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def _picture(self) -> Group:
        figures = Table.grid(padding=(0, 3))
        counts = self._counts
        figures.add_row(
            *(
                Text.assemble((str(number), "bold"), f" {what}")
                for number, what in (
                    (counts.events, "events"),
                    (counts.mails, "mails to customers"),
                    (counts.calls, "calls for the team"),
                    (counts.access_changes, "access changes"),
                )
            )
        )
        return Group(
            self._progress,
            Padding(figures, (1, 0, 1, 2)),
            *(Padding(line, (0, 0, 0, 2)) for line in self._lines),
        )


def sentence(happening: Happening) -> str:
    """What happened, in one line."""
    match happening.kind:
        case "deed":
            return f"{happening.who} {happening.what}"
        case "access":
            return f"{happening.who}: access {happening.what}"
        case _:
            return f"{happening.who}: {happening.what}"
