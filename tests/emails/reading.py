"""Reads a mail as its recipient would: the visible words of the HTML, its buttons and its headings."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "img", "br", "link", "input"}
_INVISIBLE = {"style", "title", "head"}


@dataclass
class Page:
    """The visible paragraphs of an HTML mail, in order, and what can be clicked."""

    headings: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(html: str) -> Page:
    """Parse a rendered mail; the hidden preheader counts as visible, since inboxes show it."""
    parser = _Reader()
    parser.feed(html)
    parser.close()
    parser.page.unclosed = parser.open
    return parser.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.page.images.append(dict(attrs))
        if tag == "a":
            self._href = dict(attrs)["href"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()
        if tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        if not data.strip() or set(self.open) & _INVISIBLE:
            return
        self.page.words.append(data.strip())
        if self._href is not None:
            self.page.links.append((data.strip(), self._href))
        if self.open[-1] == "h1":
            self.page.headings.append(data.strip())
