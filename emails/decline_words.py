"""What a decline is called, means and asks for, apart from any mail: the words of `templates/declines.txt`.

There is one place for them, a merchant's own template included, so that a page says what the mails say.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dunning.declines import Category
from emails.context import Reader
from emails.environment import environment
from emails.translations import SOURCE_LANGUAGE, language_of


@dataclass(frozen=True, slots=True)
class DeclineWords:
    """Plain text. `todo` may speak of answering a mail where the category calls for a word with people."""

    headline: str
    what: str
    todo: str


def decline_words(
    category: Category, reader: Reader, *, next_attempt_at: datetime | None = None, folder: Path | None = None
) -> DeclineWords:
    """The words for a category in the reader's language; `folder` holds the merchant's own templates.

    `next_attempt_at` is given only if that attempt will really be made.
    """
    language = language_of(reader.locale) or SOURCE_LANGUAGE
    template = environment(language, "txt", folder).get_template("declines.txt")
    macros = vars(template.make_module({"category": category.value}))
    moment = reader.moment(next_attempt_at) if next_attempt_at else None
    return DeclineWords(
        headline=str(macros["headline"]()).strip(),
        what=str(macros["what"]()).strip(),
        todo=str(macros["todo"](moment)).strip(),
    )
