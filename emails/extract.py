"""Keep the translations in step with the templates.

`python -m emails.extract fr` creates or updates `locales/fr/LC_MESSAGES/emails.po`: new strings come in
empty, changed ones are marked fuzzy, and the tests fail until each of them is translated.
"""

import sys

from babel.messages.catalog import Catalog

from emails.environment import TEMPLATES
from emails.translations import MAILS
from language.extract import source, update

_METHODS = [("**.txt", "jinja2"), ("**.html", "jinja2")]
_OPTIONS = {"**.txt": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def source_catalogue() -> Catalog:
    """Every string the templates mark for translation, in English."""
    return source(TEMPLATES, _METHODS, _KEYWORDS, _OPTIONS)


if __name__ == "__main__":
    update(MAILS, sys.argv[1:], source_catalogue(), "The mails to customers.")
