"""A gallery of every mail in every language, as pages to look at in a browser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import groupby
from pathlib import Path
from shutil import copyfile
from typing import Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emails.brand import Brand
from emails.catalogue import Mail, TeamEscalation
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, samples
from emails.translations import SOURCE_LANGUAGE, languages

_PARTS: Final = Path(__file__).parent / "gallery"
_DARK_MODE: Final = "@media (prefers-color-scheme: dark)"
_SCHEMES: Final = 'content="light dark"'


@dataclass(frozen=True, slots=True)
class Shown:
    """One mail of the gallery: where it lies under the folder, and what its page says about it."""

    path: str
    locale: str
    name: str
    title: str
    label: str
    subject: str
    text: str


def write_gallery(
    folder: Path,
    *,
    brand: Brand = BRAND,
    locales: Sequence[str] | None = None,
    timezone: tzinfo = UTC,
    templates: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write a folder `<locale>/<mail>/` with `mail.html` and `mail.txt` for every sample, and pages that show
    them; returns `index.html`.

    `locales` defaults to every language there is. Existing files of the same names are replaced. `progress`
    is told how many of how many mails are written.
    """
    wanted = [
        (locale, name, props)
        for locale in locales or languages()
        for name, props in samples()
        # The team is written to in English, whatever language the customer speaks.
        if locale == SOURCE_LANGUAGE or not isinstance(props, TeamEscalation)
    ]
    shown = []
    for done, (locale, name, props) in enumerate(wanted):
        progress(done, len(wanted))
        mail = render(props, brand=brand, locale=locale, timezone=timezone, now=NOW, templates=templates)
        shown.append(_shown(locale, name, props, mail))
        _write_mail(folder / shown[-1].path, mail)
    for asset in ("gallery.css", "gallery.js"):
        copyfile(_PARTS / asset, folder / asset)
    _write_pages(folder, brand, shown)
    progress(len(wanted), len(wanted))
    return folder / "index.html"


def _shown(locale: str, name: str, props: Mail, mail: RenderedMail) -> Shown:
    return Shown(
        path=f"{locale}/{name}",
        locale=locale,
        name=name,
        title=props.template.replace("_", " ").capitalize(),
        label=name.removeprefix(props.template).strip("-").replace("_", " ") or "as usual",
        subject=mail.subject,
        text=mail.text,
    )


def _write_mail(folder: Path, mail: RenderedMail) -> None:
    """The mail as it is sent, and two copies that are light and dark whatever the reader's system is."""
    folder.mkdir(parents=True, exist_ok=True)
    light = mail.html.replace(_DARK_MODE, "@media not all").replace(_SCHEMES, 'content="light"')
    dark = mail.html.replace(_DARK_MODE, "@media all").replace(_SCHEMES, 'content="dark"')
    for name, content in (("mail", mail.html), ("light", light), ("dark", dark)):
        (folder / f"{name}.html").write_text(content, encoding="utf-8")
    (folder / "mail.txt").write_text(f"Subject: {mail.subject}\n\n{mail.text}", encoding="utf-8")


def _write_pages(folder: Path, brand: Brand, shown: Sequence[Shown]) -> None:
    parts = Environment(loader=FileSystemLoader(_PARTS), autoescape=True, undefined=StrictUndefined)
    page = parts.get_template("page.html")
    shelves: dict[str, dict[str, Shown]] = {}
    for mail in shown:
        shelves.setdefault(mail.locale, {})[mail.name] = mail
    names = {locale: Locale.parse(locale, sep="-").display_name or locale for locale in shelves}
    for at, here in enumerate(shown):
        # The same mail in the other languages, or their first one where there is none.
        tabs = [
            (names[locale].capitalize(), shelf.get(here.name) or next(iter(shelf.values())))
            for locale, shelf in shelves.items()
        ]
        shelf = groupby(shelves[here.locale].values(), key=lambda mail: mail.title)
        facts = {
            "brand": brand,
            "here": here,
            "shelf": [(title, list(mails)) for title, mails in shelf],
            "languages": tabs,
        }
        (folder / here.path / "index.html").write_text(page.render(facts, root="../../"), encoding="utf-8")
        if at == 0:
            (folder / "index.html").write_text(page.render(facts, root=""), encoding="utf-8")
