"""Keep the translations in step with the templates.

`python -m emails.extract fr` creates or updates `locales/fr/LC_MESSAGES/emails.po`: new strings come in
empty, changed ones are marked fuzzy, and the tests fail until each of them is translated.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from emails.environment import TEMPLATES
from emails.translations import po_path

_METHODS = [("**.txt", "jinja2"), ("**.html", "jinja2")]
_OPTIONS = {"**.txt": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def source_catalogue() -> Catalog:
    """Every string the templates mark for translation, in English."""
    catalogue = Catalog(project="dunning-worker", charset="utf-8", fuzzy=False)
    found = extract_from_dir(TEMPLATES, _METHODS, _OPTIONS, _KEYWORDS, directory_filter=lambda _: True)
    for filename, line, message, comments, context in sorted(found, key=lambda each: (each[0], each[1])):
        catalogue.add(message, locations=[(filename, line)], auto_comments=comments, context=context)
    return catalogue


def update(language: str) -> Path:
    """Bring the catalogue of one language in step with the templates; creates it when missing."""
    path = po_path(language)
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language.replace("-", "_"))
    else:
        path.parent.mkdir(parents=True)
        catalogue = Catalog(
            locale=language.replace("-", "_"),
            header_comment="# The mails to customers.",
            project="dunning-worker",
            version="1",
            msgid_bugs_address="the issue tracker",
            last_translator="dunning-worker",
            language_team=language,
            fuzzy=False,
        )
    catalogue.update(source_catalogue(), update_creation_date=False)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, ignore_obsolete=True, include_lineno=False)
    return path


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        update(wanted)
