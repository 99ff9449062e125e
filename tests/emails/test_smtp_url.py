"""One setting says where mail goes and how well it is protected on the way."""

import pytest

from emails.smtp_url import SmtpUrl


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpUrl("mail.example", 25, "offered")),
        ("smtp://127.0.0.1:2525", SmtpUrl("127.0.0.1", 2525, "offered")),
        ("smtp://[::1]:2525", SmtpUrl("::1", 2525, "offered")),
        ("smtp://mail.example?tls=required", SmtpUrl("mail.example", 587, "required")),
        ("smtp://mail.example?tls=off", SmtpUrl("mail.example", 25, "off")),
        ("smtps://mail.example", SmtpUrl("mail.example", 465, "implicit")),
        ("smtp://me:p%40ss%2F@mail.example", SmtpUrl("mail.example", 587, "required", "me", "p@ss/")),
        ("smtp://me:pass@localhost", SmtpUrl("localhost", 25, "offered", "me", "pass")),
        ("smtp://me:pass@127.0.0.1", SmtpUrl("127.0.0.1", 25, "offered", "me", "pass")),
        ("smtp://me:pass@mail.example?tls=off", SmtpUrl("mail.example", 25, "off", "me", "pass")),
    ],
)
def test_what_a_url_means(url: str, server: SmtpUrl) -> None:
    """A password for another machine never travels in the clear unless that is asked for."""
    assert SmtpUrl.parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example:25",
        "http://mail.example",
        "smtp://",
        "smtp://me:hush@mail.example?tls=maybe",
        "smtp://me:hush@mail.example?verify=no",
        "smtps://me:hush@mail.example?tls=off",
        "smtp://me:hush@mail.example:port",
    ],
)
def test_a_wrong_url_is_refused_without_repeating_the_password(url: str) -> None:
    """Said at start-up, not at the first mail."""
    with pytest.raises(ValueError, match=r".+") as refusal:
        SmtpUrl.parse(url)
    assert "hush" not in str(refusal.value)


def test_the_password_is_not_shown() -> None:
    """Not even in a traceback."""
    assert "hush" not in repr(SmtpUrl.parse("smtps://me:hush@mail.example"))
