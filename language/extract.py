"""Keep catalogues in step with their source: what `emails.extract` and `console.extract` have in common."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from language.catalogues import Catalogues

Keywords = Mapping[str, tuple[int, ...] | None]


def source(
    folder: Path,
    methods: Sequence[tuple[str, str]],
    keywords: Keywords,
    options: Mapping[str, dict[str, str]] | None = None,
) -> Catalog:
    """Every string in `folder` that is marked for translation, in English. `methods` as Babel takes them."""
    catalogue = Catalog(project="dunning-worker", charset="utf-8", fuzzy=False)
    found = extract_from_dir(folder, methods, options, keywords, directory_filter=lambda _: True)
    for filename, line, message, comments, context in sorted(found, key=lambda each: (each[0], each[1])):
        catalogue.add(message, locations=[(filename, line)], auto_comments=comments, context=context)
    return catalogue


def update(catalogues: Catalogues, languages: Collection[str], wanted: Catalog, comment: str) -> None:
    """Bring the catalogues of some languages in step with `wanted`; a missing one is created with `comment`.

    New strings come in empty, changed ones are marked fuzzy, those no longer used are dropped.
    """
    for language in languages:
        path = catalogues.path(language)
        catalogue = _read(path, language) if path.exists() else _new(language, comment)
        catalogue.update(wanted, update_creation_date=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=110, ignore_obsolete=True, include_lineno=False)


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"))


def _new(language: str, comment: str) -> Catalog:
    return Catalog(
        locale=language.replace("-", "_"),
        header_comment=f"# {comment}",
        project="dunning-worker",
        version="1",
        msgid_bugs_address="the issue tracker",
        last_translator="dunning-worker",
        language_team=language,
        fuzzy=False,
    )
