"""Pages: Jinja templates in one language each, and the one style sheet, which has the brand's colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emails.brand import Brand
from language.catalogues import Catalogues
from language.compiled import CompiledTemplates
from language.typography import gap

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGES: Final = Catalogues(Path(__file__).parent / "locales", "portal")
_COMPILED: Final = CompiledTemplates()

# The page behind the card in `portal.css`, in light and in dark.
_COLOURS: Final = """\
:root {{
  --brand: {brand.color};
  --brand-ink: {brand.ink};
}}
@media (prefers-color-scheme: dark) {{
  :root {{
    --brand: {brand.color_in_the_dark};
    --brand-ink: {brand.ink_in_the_dark};
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Style:
    """The style sheet; its name changes with what is in it, so that it may be kept for ever."""

    text: str

    @property
    def path(self) -> str:
        return f"/assets/portal.{sha256(self.text.encode()).hexdigest()[:12]}.css"


def style(brand: Brand) -> Style:
    """The style sheet in the brand's colours."""
    return Style(_COLOURS.format(brand=brand) + (TEMPLATES / "portal.css").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language there are words in, by its own name."""

    tag: str
    name: str


@cache
def tongues() -> tuple[Tongue, ...]:
    """What a reader may choose from."""
    return tuple(Tongue(tag, _name(tag)) for tag in PAGES.languages())


def _name(tag: str) -> str:
    locale = Locale.parse(tag, sep="-")
    name = locale.get_display_name(locale) or tag
    return name[0].upper() + name[1:]


class Pages:
    """Fills templates for one merchant."""

    def __init__(self, brand: Brand) -> None:
        self.style = style(brand)
        self._brand = brand

    def fill(self, name: str, language: str, locale: str, facts: Mapping[str, Any]) -> str:
        """One page in `language`, dates and amounts as `locale` writes them.

        A fact that is missing raises jinja2.UndefinedError.
        """
        known = Locale.parse(locale, sep="-")
        frame = {
            "brand": self._brand,
            "stylesheet": self.style.path,
            "lang": locale,
            "direction": "rtl" if known.character_order == "right-to-left" else "ltr",
            "gap": gap(known),
            "tongues": tongues(),
            "tongue": language,
        }
        return _environment(language).get_template(name).render(frame | dict(facts))


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_COMPILED,
    )
    # Added to the environment by the i18n extension.
    made.install_gettext_translations(PAGES.translations(language), newstyle=True)  # type: ignore[attr-defined]
    return made
