"""Compares what was seen with what the story wants."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.demo.story import Story
from sandbox.demo.witness import Seen, in_days


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the story has it."""

    what: str
    expected: str
    seen: str


def differences(story: Story, seen: Seen) -> list[Difference]:
    """Everything that is not as it must be; empty is how it should be."""
    text = "\n".join(mail.text for mail in seen.mails).casefold()
    checks = [
        ("mails", story.mails or "none", in_days(seen.mails) or "none"),
        ("team", story.team or "none", in_days(seen.team) or "none"),
        ("chat", _messages(len(seen.team)), _messages(seen.chat)),
        ("access", story.access, in_days(seen.access) or "unknown"),
        ("mails that came twice", "0", str(seen.doubles)),
    ]
    found = [Difference(what, expected, found) for what, expected, found in checks if expected != found]
    found += [
        Difference("words", f'"{words}"', "missing") for words in story.says if words.casefold() not in text
    ]
    found += [Difference("words", f'never "{words}"', "said") for words in story.never_says if words in text]
    return found


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"
