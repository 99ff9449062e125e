"""Keep the translations in step with the templates.

`python -m portal.extract fr` creates or updates `locales/fr/LC_MESSAGES/portal.po`: new strings come in
empty, changed ones are marked fuzzy, and the tests fail until each of them is translated.
"""

import sys

from babel.messages.catalog import Catalog

from language.extract import source, update
from portal.render import PAGES, TEMPLATES

_OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}


def source_catalogue() -> Catalog:
    """Every string the templates mark for translation, in English."""
    keywords: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}
    return source(TEMPLATES, [("**.html", "jinja2")], keywords, _OPTIONS)


if __name__ == "__main__":
    update(PAGES, sys.argv[1:], source_catalogue(), "The page where customers fix a failed payment.")
