"""A gallery of every mail in every language, as pages to look at in a browser."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path

from emails.brand import Brand
from emails.catalogue import TeamEscalation
from emails.environment import environment
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, samples
from emails.translations import SOURCE_LANGUAGE, languages


def write_gallery(
    folder: Path,
    *,
    brand: Brand = BRAND,
    locales: Sequence[str] | None = None,
    timezone: tzinfo = UTC,
) -> Path:
    """Write `<locale>/<mail>.html` and `.txt` for every sample and an index of them; returns the index.

    `locales` defaults to every language there is. Existing files of the same names are replaced.
    """
    shelves = []
    for locale in locales or languages():
        (folder / locale).mkdir(parents=True, exist_ok=True)
        mails = []
        for name, props in samples():
            if isinstance(props, TeamEscalation) and locale != SOURCE_LANGUAGE:
                continue
            mail = render(props, brand=brand, locale=locale, timezone=timezone, now=NOW)
            _write(folder / locale / name, mail)
            mails.append((name, mail.subject))
        shelves.append((locale, mails))
    first = f"{shelves[0][0]}/{shelves[0][1][0][0]}.html"
    index = folder / "index.html"
    page = environment(SOURCE_LANGUAGE, "html").get_template("gallery.html")
    index.write_text(page.render(brand=brand, shelves=shelves, first=first), encoding="utf-8")
    return index


def _write(path: Path, mail: RenderedMail) -> None:
    path.with_name(f"{path.name}.html").write_text(mail.html, encoding="utf-8")
    path.with_name(f"{path.name}.txt").write_text(f"Subject: {mail.subject}\n\n{mail.text}", encoding="utf-8")
