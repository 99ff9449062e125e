"""The escalation as one message for a Slack-compatible chat webhook."""

from datetime import tzinfo
from pathlib import Path

from emails.catalogue import TeamEscalation
from emails.context import Reader
from emails.environment import fill
from emails.translations import SOURCE_LANGUAGE

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def chat_text(escalation: TeamEscalation, *, timezone: tzinfo, templates: Path | None = None) -> str:
    """The case in Slack's mrkdwn: `&`, `<` and `>` in what customers wrote are escaped, links are labelled.

    In English; `templates` as for `render`. Raises ValueError for a naive datetime or a link that is not
    http(s).
    """
    facts = Reader(SOURCE_LANGUAGE, timezone).show(escalation)
    escaped = {name: _escaped(value) for name, value in facts.items()}
    lines = fill(SOURCE_LANGUAGE, f"{escalation.template}/chat.txt", escaped, templates).splitlines()
    return "\n".join(line for line in lines if line.strip())


def _escaped(value: object) -> object:
    match value:
        case str():
            return value.translate(_ESCAPES)
        case tuple():
            return tuple(map(_escaped, value))
        case _:
            return value
