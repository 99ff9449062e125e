"""The message on the wire: the same bytes each time, and no header but ours."""

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dunning.declines import Category
from emails.addresses import AddressError
from emails.message import HeaderError, build_message, message_id
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, payment_failed

MAIL = RenderedMail("Ihre Zahlung an Northwind", "Guten Tag Müller\n.\n", "<p>Guten Tag Müller</p>")


def raw(mail: RenderedMail = MAIL, **changes: Any) -> bytes:
    """As it goes over the wire."""
    arguments: dict[str, Any] = {
        "sender": "Nörthwind Billing <billing@northwind.example>",
        "recipient": "maria@customer.example",
        "reply_to": "help@northwind.example",
        "key": "payment_failed:in_1:attempt:2",
        "domain": "mail.northwind.example",
        "thread_key": "payment_failed:in_1:attempt:1",
        "date": NOW,
        "extra_headers": {"X-Case": "17"},
    }
    return build_message(mail, **(arguments | changes))


def built(mail: RenderedMail = MAIL, **changes: Any) -> EmailMessage:
    """As whoever gets it reads it."""
    back = message_from_bytes(raw(mail, **changes), policy=policy.default)
    assert isinstance(back, EmailMessage)
    assert not back.defects
    return back


def test_the_same_mail_is_the_same_bytes() -> None:
    """A mail built again after a crash is the mail that was built before, boundary included."""
    mail = render(payment_failed(Category.EXPIRED_CARD), brand=BRAND, locale="de", timezone=UTC, now=NOW)
    assert raw(mail) == raw(mail)
    assert raw(mail) != raw(mail, key="payment_failed:in_2:attempt:1")


def test_headers_of_an_automatic_mail() -> None:
    """Nobody's holiday reply answers it, it stays in its thread, and answers reach a person."""
    message = built()
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Message-ID"] == message_id("payment_failed:in_1:attempt:2", "mail.northwind.example")
    first = message_id("payment_failed:in_1:attempt:1", "mail.northwind.example")
    assert (message["In-Reply-To"], message["References"]) == (first, first)
    assert message["Reply-To"] == "help@northwind.example"
    assert message["X-Case"] == "17"
    assert message["Date"].datetime == NOW


@pytest.mark.parametrize("thread_key", [None, "payment_failed:in_1:attempt:2"])
def test_the_first_mail_of_a_thread_answers_nothing(thread_key: str | None) -> None:
    """No reference at all, and none to itself."""
    assert built(thread_key=thread_key)["In-Reply-To"] is None


def test_everything_on_the_wire_is_ascii() -> None:
    """Old servers and filters pass it on unchanged, and it reads back as it was written."""
    sent = raw()
    assert sent.isascii()
    assert max(map(len, sent.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    assert b"\n" not in sent.replace(b"\r\n", b"")
    back = built()
    text, html = back.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == MAIL.text
    assert html.get_content().strip() == MAIL.html
    assert str(back["From"]) == "Nörthwind Billing <billing@northwind.example>"
    assert back.get_content_type() == "multipart/alternative"


@given(st.text(max_size=120), st.text(max_size=120))
def test_no_value_can_start_a_header(subject: str, value: str) -> None:
    """Whatever a value holds, the message has our headers, once each, and two parts."""
    back = built(RenderedMail(subject, "t\n", "<p>h</p>"), extra_headers={"X-Case": value})
    assert back.keys() == built().keys()
    assert back.is_multipart()


@given(st.text(max_size=300))
@example("\r")  # with the line feed that follows, one end of a line and not two
def test_whatever_is_written_is_read(words: str) -> None:
    """In any script and as long as it likes: in the subject, and in both parts, line by line."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    back = built(RenderedMail(words, words + "\n", words + "\n"))
    assert back["Subject"] == shown
    lines = (words + "\n").replace("\r\n", "\n").replace("\r", "\n")
    for part in back.iter_parts():
        assert part.get_content().replace("\r\n", "\n") == lines


@pytest.mark.parametrize("name", ["Subject", "bcc:", "To", "X Case", "X-Case\r\nBcc", "", "Date"])
def test_an_extra_header_is_neither_ours_nor_malformed(name: str) -> None:
    """Callers add headers; they do not replace them."""
    with pytest.raises(HeaderError):
        built(extra_headers={name: "x"})


@pytest.mark.parametrize(
    "address",
    [
        "",
        "maria",
        "maria@",
        "@customer.example",
        "a@b.example, c@d.example",
        "a b@c.example",
        "<a@b.example",
        "a@b.example>x",
        "a@b..example",
        "a@-b.example",
        "a@[127.0.0.1]",
        "müller@customer.example",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\x00",
        "x" * 65 + "@customer.example",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """Nothing reaches a header or an envelope that is not one plain address."""
    with pytest.raises(AddressError):
        built(recipient=address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("maria@customer.example", "maria@customer.example"),
        ("Maria <maria@customer.example>", "Maria <maria@customer.example>"),
        ('"Muster, Maria" <maria@customer.example>', '"Muster, Maria" <maria@customer.example>'),
        ("María del Carmen <maria@customer.example>", "María del Carmen <maria@customer.example>"),
        (r"Back\slash <maria@customer.example>", r'"Back\\slash" <maria@customer.example>'),
        ("=?utf-8?q?x?= <maria@customer.example>", "=?utf-8?q?x?= <maria@customer.example>"),
        ("maria+billing@müller.example", "maria+billing@xn--mller-kva.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_ordinary_addresses_pass(address: str, shown: str) -> None:
    """Names, tags and domains in any script; the domain goes out in ASCII."""
    assert str(built(recipient=address)["To"]) == shown


def test_a_date_has_a_zone() -> None:
    """It is written as an offset, so a naive one would be a guess."""
    with pytest.raises(ValueError, match="time zone"):
        built(date=datetime(2026, 11, 16))  # noqa: DTZ001 - the naive one is the point
    assert built(date=NOW.astimezone(timezone(timedelta(hours=2))))["Date"].endswith("+0200")
