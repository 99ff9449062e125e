"""Which language a text is shown in: what a request asks for, then what is known of the customer."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from babel import Locale
from babel.core import UnknownLocaleError

# Enough for every browser's list; a longer one is somebody's experiment.
MOST_RANGES = 20


def wanted(accept_language: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4).

    `*` and what is refused with `q=0` are left out, like anything that cannot be read.
    """
    ranked = []
    for position, item in enumerate(accept_language.split(",")[:MOST_RANGES]):
        tag, _, parameters = item.partition(";")
        weight = _weight(parameters)
        if (tag := tag.strip()) and tag != "*" and weight > 0:
            ranked.append((-weight, position, tag))
    return [tag for _, _, tag in sorted(ranked)]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0


def choose(tags: Iterable[str], languages: Collection[str]) -> tuple[str, str] | None:
    """The first of `languages` that serves one of `tags`, and the locale for its dates, or None.

    The region is kept where it is known: `de-AT` gives `("de", "de_AT")`, and January is Jänner there.
    """
    for tag in tags:
        language = tag.replace("_", "-").partition("-")[0].lower()
        if language in languages:
            return language, _locale(tag) or language
    return None


def _locale(tag: str) -> str | None:
    try:
        return str(Locale.parse(tag.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return None
