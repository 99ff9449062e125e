"""Keep the translations in step with the code.

`python -m console.extract fr` creates or updates `locales/fr/LC_MESSAGES/console.po`: new strings come in
empty, changed ones are marked fuzzy, and the tests fail until each of them is translated.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog

from console.banner import BANNERS
from language.extract import source, update


def source_catalogue() -> Catalog:
    """Every `Message` in this room, in English."""
    return source(Path(__file__).parent, [("**.py", "python")], {"Message": None})


if __name__ == "__main__":
    update(BANNERS, sys.argv[1:], source_catalogue(), "The banner an application shows to customers.")
