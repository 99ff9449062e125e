"""Which ink stands on which ground in a rendered mail, as a browser would work it out."""

import re
from html.parser import HTMLParser

from css_inline import CSSInliner

DARK_RULES = re.compile(r"@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}", re.DOTALL)

_VOID = {"meta", "img", "br", "link"}
_DECLARED = re.compile(r"(?<![-\w])(color|background-color)\s*:\s*(#[0-9a-fA-F]{6})")


def in_the_dark(html: str) -> str:
    """The mail with its dark-mode rules written over the others, as a dark inbox applies them."""
    rules = "\n".join(DARK_RULES.findall(html))
    return CSSInliner(load_remote_stylesheets=False).inline(
        html.replace("</head>", f"<style>{rules}</style></head>")
    )


def pairs(html: str) -> dict[tuple[str, str], str]:
    """Every (ink, ground) that words are written in, each with the first words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[tuple[str, str], str] = {}
        self._open = [("#000000", "#ffffff", True)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = dict(attrs).get("style") or ""
        set_here = dict(_DECLARED.findall(style))
        ink, ground, visible = self._open[-1]
        ink = set_here.get("color", ink)
        ground = set_here.get("background-color", ground)
        if tag == "img":  # its alternative text
            self.found.setdefault((ink, ground), str(dict(attrs)["alt"]))
        if tag not in _VOID:
            shown = visible and tag not in {"style", "title"} and not re.search(r"display:\s*none", style)
            self._open.append((ink, ground, shown))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        ink, ground, visible = self._open[-1]
        if visible and data.strip():
            self.found.setdefault((ink, ground), data.strip())
