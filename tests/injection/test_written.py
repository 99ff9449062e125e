"""Everything that is written with somebody else's words: mails, pages, calls to the team, tables, log lines.

The fields are found by their types, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import typing
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from html import unescape
from typing import Any

import pytest
import structlog

from cli import output, tables
from console.figures.page import page as report
from console.figures.tidy import write
from emails.alarm import Notice, alarm_chat, alarm_mail
from emails.catalogue import Mail, TeamEscalation
from emails.chat import chat_text
from emails.message import build_message
from emails.render import RenderedMail, render
from emails.samples import BRAND, samples
from metrics.family import Family
from metrics.text import exposition
from outbound.mentions import quiet, quiet_plain
from settings.logging import Format, configure
from tests.console.sample import PAID, figures_of
from tests.injection.words import ATTACKS, NOW, is_harmless, is_one_way, is_plain, with_words
from tests.portal.test_words import STATES, page

EACH = pytest.mark.parametrize("words", ATTACKS.values(), ids=ATTACKS)
MAILS: dict[type, Mail] = {type(mail): mail for _, mail in samples()}
# Made of ids, and not of what customers write.
LINKS = ("links",)


def written(mail: Mail, words: str, locale: str) -> RenderedMail:
    """The mail, with these words wherever there are some."""
    spoiled = with_words(mail, words, leave=LINKS)
    return render(spoiled, brand=BRAND, locale=locale, timezone=UTC, now=NOW)


@EACH
def test_mails(words: str) -> None:
    """Subject, text and HTML of every kind of mail, and the message as it goes over the wire."""
    assert set(MAILS) == set(typing.get_args(Mail))
    for mail in MAILS.values():
        made = written(mail, words, "de")
        assert is_one_way(made.subject, lines=False), made.subject
        assert is_plain(made.subject), made.subject
        assert is_plain(made.text), made.text
        assert is_harmless(made.html), made.html
        message = build_message(
            made, sender="a@b.example", recipient="c@d.example", reply_to=None, key="k", domain="b.example",
            thread_key=None, date=NOW,
        )  # fmt: skip
        parsed = message_from_bytes(message, policy=policy.default)
        assert parsed["to"] == "c@d.example"
        assert (parsed["bcc"], parsed.defects) == (None, [])


def test_a_link_that_is_none_is_never_written() -> None:
    """Each field that holds one."""
    for mail in MAILS.values():
        for name in (each for each in type(mail).__dataclass_fields__ if each.endswith("_url")):
            for words in ("javascript:alert(1)", "https://a.example/\r\nBcc: x@y.example", "//evil.example"):
                with pytest.raises(ValueError, match="a link in a mail"):
                    render(replace(mail, **{name: words}), brand=BRAND, locale="en", timezone=UTC, now=NOW)


@EACH
def test_pages(words: str) -> None:
    """The customer's page in every state. `naming` is an address that was read as one before it was kept."""
    for seen in STATES.values():
        html = page(with_words(seen, words, leave=("naming",)), "fr")
        assert is_harmless(html), html


@EACH
def test_messages_to_the_team(words: str) -> None:
    """Nobody's name calls a whole room, or is a link, or ends a line, whatever the room speaks."""
    escalation = with_words(MAILS[TeamEscalation], words, leave=LINKS)
    assert isinstance(escalation, TeamEscalation)
    said = quiet(chat_text(replace(escalation, links=()), timezone=UTC))
    assert "<" not in said
    rooms = [said, quiet_plain(written(MAILS[TeamEscalation], words, "en").text)]
    rooms.append(quiet(alarm_chat(Notice("On hold", (words,)))))
    for text in rooms:
        assert "@everyone" not in text
        assert "@here" not in text
        assert "<" not in text
    assert all(map(is_plain, rooms[:2])), rooms
    assert is_harmless(alarm_mail(Notice("On hold", ("Why: a surge",))).html)


@EACH
def test_tables_in_a_terminal(words: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """Commands print through these alone; no escape sequence reaches the terminal but rich's own colours."""
    for terminal in (False, True):
        monkeypatch.setattr(tables, "in_terminal", lambda terminal=terminal: terminal)
        tables.print_rows(["name"], [[words], ["b"]])
        tables.print_pairs([(words, words)])
        tables.heading(words)
        tables.say(words)
        output.print_table(["name"], [[words]])
        output.print_error("Wrong", words, words)
        printed = "".join(capsys.readouterr())
        assert is_one_way(printed), printed


@EACH
def test_json_of_commands(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It means the same, and steers nothing."""
    said = words.replace("\ud800", "")
    output.print_json({"name": said})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": said}
    assert is_one_way(printed)


@EACH
def test_reports(words: str) -> None:
    """The page escapes; the table begins no formula, and is read back as it was."""
    figures = figures_of(replace(PAID, code=words.replace("\ud800", "")))
    file = io.StringIO()
    write(figures, file)
    assert "23331" not in file.getvalue()
    cells = [cell for row in csv.reader(io.StringIO(file.getvalue(), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]
    html = report(figures)
    assert not any(tag in html for tag in ("<img", "<script", "onmouseover='"))


@pytest.fixture
def as_before() -> Iterator[None]:
    """What a test makes of logging is undone."""
    kept, handlers = structlog.get_config(), logging.getLogger().handlers
    yield
    structlog.configure(**kept)
    logging.getLogger().handlers = handlers


@EACH
@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.usefixtures("as_before")
def test_log_lines(words: str, form: Format) -> None:
    """One line each, however it comes in: as a value, by a library, in a traceback, as the event itself."""
    log = io.StringIO()
    # Here and not before, so that pytest reads none of it along: what no column holds fits into no report.
    configure("worker", form, stream=log)
    structlog.get_logger().info("case.opened", case_id=words)
    structlog.get_logger().info(words)
    logging.getLogger("a.library").warning("it said %s", words)
    lines = log.getvalue().splitlines()
    assert len(lines) == 3
    assert all(is_one_way(line, lines=False) for line in lines)
    try:
        raise ValueError(words)
    except ValueError:
        structlog.get_logger().exception("failed")
    for line in log.getvalue().splitlines()[4:]:
        assert line.startswith("    "), line
        assert is_one_way(line, lines=False)


@EACH
def test_labels_of_metrics(words: str) -> None:
    """A label ends where it ends."""
    family = Family("dunning_x_total", "counter", "About it.", ("reason",))
    [line] = exposition({family: {words: 1}}).split("\n")[2:-1]
    assert line.startswith('dunning_x_total{reason="')
    assert line.endswith('"} 1')


def test_the_judges_would_notice() -> None:
    """A negative control: each attack, taken as it is, is found by the judge that is there for it."""
    found = {name for name, words in ATTACKS.items() if not (is_plain(words) and is_harmless(words))}
    elsewhere = {"a template", "a format", "everybody in the room", "an attribute", "an entity"}
    assert found == set(ATTACKS) - elsewhere
    assert not is_harmless(f'<p title="{ATTACKS["an attribute"]}">')
    assert not is_harmless(unescape(ATTACKS["an entity"]))
    assert not is_plain("23331")
