"""The inbox: a real SMTP server that keeps mails, shows them as pages, and fails on request."""

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.inbox import Inbox, mail_inbox
from sandbox.smtp import Fault
from tests.sandbox.machine import until

DATE = "2031-02-03T09:30:00+00:00"


def a_mail(to: str = "anna@example.com", subject: str = "Zahlung fehlgeschlagen: 5 €") -> EmailMessage:
    """A mail with both parts and a simulated date."""
    mail = EmailMessage()
    mail["From"] = "Northwind <billing@northwind.example>"
    mail["To"] = to
    mail["Subject"] = subject
    mail["X-Dunning-Date"] = DATE
    mail.set_content("Grüße, the <plain> part\n")
    mail.add_alternative('<p class="x">the "HTML" part</p>', subtype="html")
    return mail


def connect(url: str, timeout: float = 10.0) -> smtplib.SMTP:
    """A connection as any sender makes it."""
    where = urlsplit(url)
    return smtplib.SMTP(str(where.hostname), int(where.port or 0), timeout=timeout)


@pytest.fixture
def sender(inbox: Inbox) -> Iterator[smtplib.SMTP]:
    """One connection to the inbox."""
    with connect(inbox.url) as connection:
        yield connection
        connection.close()


def test_mail_is_kept_as_sent(inbox: Inbox, sender: smtplib.SMTP) -> None:
    """Envelope, subject, both parts and both times are what was sent."""
    sender.send_message(a_mail(), "bounce@northwind.example", ["Anna@Example.com", "copy@example.com"])
    (mail,) = inbox.wait_for(1)
    assert (mail.sender, mail.recipients) == (
        "bounce@northwind.example",
        ("Anna@Example.com", "copy@example.com"),
    )
    assert mail.subject == "Zahlung fehlgeschlagen: 5 €"
    assert mail.text.strip() == "Grüße, the <plain> part"
    assert mail.html.strip() == '<p class="x">the "HTML" part</p>'
    assert mail.date == datetime.fromisoformat(DATE)
    assert abs((datetime.now(UTC) - mail.received_at).total_seconds()) < 60
    assert inbox.to("anna@example.com") == inbox.to("COPY@example.com") == [mail]
    assert inbox.to("nobody@example.com") == []


def test_the_date_header_can_name_the_simulated_time() -> None:
    """A sender that writes the simulated time into Date is understood, in whatever zone it writes it."""
    mail = a_mail()
    mail["Date"] = "Thu, 01 Jan 2026 10:13:00 +0100"
    with mail_inbox(clock_header="Date") as inbox, connect(inbox.url) as connection:
        connection.send_message(mail)
        (received,) = inbox.wait_for(1)
    assert received.date == datetime(2026, 1, 1, 9, 13, tzinfo=UTC)
    assert received.simulated


def test_mail_without_a_simulated_date_has_the_time_of_arrival(inbox: Inbox, sender: smtplib.SMTP) -> None:
    """No header, or one that is no time, leaves the machine's clock."""
    for value in (None, "the day before yesterday"):
        mail = a_mail()
        del mail["X-Dunning-Date"]
        if value is not None:
            mail["X-Dunning-Date"] = value
        sender.send_message(mail)
    assert all(not mail.simulated and mail.date == mail.received_at for mail in inbox.wait_for(2))


def test_waiting_for_mail_that_does_not_come_fails(inbox: Inbox) -> None:
    """A test that waits for too many mails is told how many came."""
    with pytest.raises(TimeoutError, match="0 of 2 mails"):
        inbox.wait_for(2, "anna@example.com", timeout_seconds=0.05)


def test_refusals_are_answered_as_asked_and_then_end(inbox: Inbox, sender: smtplib.SMTP) -> None:
    """The next mails are refused with the given reply, at DATA or for a recipient; the one after is taken."""
    inbox.refuse(1, "451 4.7.1 greylisted")
    inbox.refuse(1, "550 5.1.1 no such user", at="rcpt")
    with pytest.raises(smtplib.SMTPDataError, match="greylisted") as at_data:
        sender.send_message(a_mail())
    with pytest.raises(smtplib.SMTPRecipientsRefused) as at_recipient:
        sender.send_message(a_mail())
    sender.send_message(a_mail())
    assert at_data.value.smtp_code == 451
    assert at_recipient.value.recipients == {"anna@example.com": (550, b"5.1.1 no such user")}
    assert len(inbox.messages) == 1


def test_hang_keeps_the_mail_and_never_answers(inbox: Inbox) -> None:
    """The sender runs into its own time limit, although the mail was accepted."""
    inbox.hang(1)
    impatient = connect(inbox.url, timeout=0.3)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        impatient.send_message(a_mail())
    assert len(inbox.wait_for(1)) == 1


def test_the_fate_of_a_mail_may_follow_from_its_bytes(inbox: Inbox, sender: smtplib.SMTP) -> None:
    """A server that falls silent for a while keeps the mail and then breaks the connection."""
    inbox.fate = lambda content: (
        Fault("hang", "data", stored=True, seconds=0.01) if b"quiet" in content else None
    )
    sender.send_message(a_mail(subject="answered"))
    with pytest.raises(smtplib.SMTPServerDisconnected, match="closed"):
        sender.send_message(a_mail(subject="quiet"))
    assert [mail.subject for mail in inbox.messages] == ["answered", "quiet"]


def test_drop_breaks_the_connection(inbox: Inbox, sender: smtplib.SMTP) -> None:
    """The connection ends instead of an answer, with or without the mail; the next connection works."""
    inbox.drop(1)
    inbox.drop(1, stored=True)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        sender.send_message(a_mail(subject="lost"))
    with connect(inbox.url) as second, pytest.raises(smtplib.SMTPServerDisconnected):
        second.send_message(a_mail(subject="kept"))
    with connect(inbox.url) as third:
        third.send_message(a_mail(subject="answered"))
    assert [mail.subject for mail in inbox.messages] == ["kept", "answered"]


def test_down_refuses_connections_and_comes_back(inbox: Inbox, sender: smtplib.SMTP) -> None:
    """A mail server that is restarted breaks its connections and refuses new ones meanwhile."""
    url = inbox.url
    with inbox.down():
        with pytest.raises(smtplib.SMTPServerDisconnected):
            sender.send_message(a_mail())
        with pytest.raises(ConnectionRefusedError):
            connect(url)
    with connect(url) as again:
        again.send_message(a_mail())
    assert (inbox.url, len(inbox.messages)) == (url, 1)


def test_pages_show_every_mail_and_run_nothing(tmp_path: Path) -> None:
    """The index lists mails by their simulated day; a mail's page holds text, headers and a closed frame."""
    with mail_inbox(tmp_path) as inbox, connect(inbox.url) as sender:
        sender.send_message(a_mail(subject="<script>alert(1)</script>"))
        sender.send_message(a_mail(to="bo@example.com"))
        index = tmp_path / "index.html"
        until(lambda: "bo@example.com" in index.read_text(), 10, "the index lists the second mail")
    assert inbox.index == index
    listed = index.read_text()
    assert "Monday, 3 February 2031" in listed
    assert "09:30" in listed
    assert 'href="0001.html"' in listed
    page = (tmp_path / "0001.html").read_text()
    assert "Grüße, the &lt;plain&gt; part" in page
    assert "X-Dunning-Date" in page
    assert '<iframe title="The mail as HTML" sandbox="allow-popups' in page
    assert "the &#34;HTML&#34; part" in page
    assert "<script" not in page + listed


def test_mails_on_disk_are_there_again_after_a_restart(tmp_path: Path) -> None:
    """Each mail is an .eml file that holds its envelope; a new start reads them and counts on."""
    kept = []
    for _ in range(2):
        with mail_inbox(tmp_path) as inbox, connect(inbox.url) as sender:
            sender.send_message(a_mail(), "bounce@northwind.example", ["anna@example.com", "bo@example.com"])
        kept.append(inbox.messages)
    assert kept[0][0] == kept[1][0]
    assert [mail.number for mail in kept[1]] == [1, 2]
    assert kept[1][0].recipients == ("anna@example.com", "bo@example.com")
    assert (tmp_path / "0002.eml").read_bytes().startswith(b"Return-Path: <bounce@northwind.example>\r\n")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_program_prints_its_url_and_ends_on_a_signal(tmp_path: Path, end: signal.Signals) -> None:
    """The command form serves until it is asked to stop, and has written its pages by then."""
    command = [sys.executable, "-m", "sandbox.inbox", "--directory", str(tmp_path), "--clock-header", "X-Now"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        with connect(program.stdout.readline().strip()) as sender:
            mail = a_mail()
            mail["X-Now"] = "2030-01-01T00:00:00Z"
            sender.send_message(mail)
        os.kill(program.pid, end)
        assert program.wait(10) == 0
    assert "Tuesday, 1 January 2030" in (tmp_path / "index.html").read_text()
