"""What a delivery's outcome says is true: above all whether the server may have the message."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar
from urllib.parse import quote

import pytest

from emails.delivery import Accepted, Deferred, Rejected, Unanswered
from emails.message import build_message
from emails.render import RenderedMail
from emails.samples import NOW
from emails.smtp import SmtpTransport
from emails.smtp_lines import SmtpLines
from tests.emails.mail_server import PASSWORD, USER, MailServer, Moment, client_context

# Seconds to wait for one answer of a server that keeps silent.
BRIEF = 0.3

T = TypeVar("T")


def run(scenario: Coroutine[None, None, T]) -> T:
    async def within_limit() -> T:
        async with asyncio.timeout(20):
            return await scenario

    return asyncio.run(within_limit())


def message(text: str = "Hello\n", recipient: str = "maria@customer.example") -> bytes:
    return build_message(
        RenderedMail("Your payment", text, "<p>Hello</p>"),
        sender="Northwind <billing@northwind.example>",
        recipient=recipient,
        reply_to=None,
        key="payment_failed:in_1:attempt:1",
        domain="mail.northwind.example",
        thread_key=None,
        date=NOW,
    )


def test_an_accepted_message_arrives_byte_for_byte() -> None:
    """Lines that start with a dot survive, and the envelope carries the bare address."""

    async def scenario() -> None:
        sent = message("..\n.\n.hidden\n" + "long line " * 200 + "\n", "Maria <maria@customer.example>")
        async with MailServer() as server:
            transport = SmtpTransport(server.url)
            assert await transport.send(sent) == Accepted("250 OK queued as TEST1")
            await transport.close()
        assert server.messages == [sent]
        assert server.recipients == ["maria@customer.example"]

    run(scenario())


def test_one_connection_serves_many_messages_at_once() -> None:
    """Concurrent sends queue up on the kept connection."""

    async def scenario() -> None:
        async with MailServer() as server:
            transport = SmtpTransport(server.url)
            outcomes = await asyncio.gather(*(transport.send(message()) for _ in range(10)))
            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            await transport.close()
            await server.until_closed()
        assert (server.connections, len(server.messages)) == (1, 10)

    run(scenario())


def test_no_more_lines_are_used_than_are_needed() -> None:
    """Ten at once go over the three there are, ten one after the other over one."""

    async def scenario() -> None:
        for at_once, connections in ((10, 3), (1, 1)):
            async with MailServer() as server:
                lines = SmtpLines(server.url, 3)
                for _ in range(10 // at_once):
                    outcomes = await asyncio.gather(*(lines.send(message()) for _ in range(at_once)))
                    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert (server.connections, len(server.messages)) == (connections, 10)

    run(scenario())


def test_an_idle_connection_is_closed() -> None:
    """An unused connection goes away by itself, and the next send makes a new one."""

    async def scenario() -> None:
        async with MailServer() as server:
            transport = SmtpTransport(server.url, keep_idle=0.05)
            await transport.send(message())
            await server.until_closed()
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert server.connections == 2

    run(scenario())


@pytest.mark.parametrize(
    ("moment", "reply"), [("RCPT", "550 5.1.1 no such user"), ("DATA", "554 no"), ("MESSAGE", "554 5.7.1 no")]
)
def test_a_refusal_for_good_is_final(moment: Moment, reply: str) -> None:
    """5xx about the recipient or the message is Rejected, and the connection serves the next message."""

    async def scenario() -> None:
        async with MailServer({moment: [reply]}) as server:
            transport = SmtpTransport(server.url)
            code, text = reply.split(" ", 1)
            assert await transport.send(message()) == Rejected(int(code), text)
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert server.connections == 1

    run(scenario())


@pytest.mark.parametrize(
    ("moment", "reply"),
    [
        ("MAIL", "451 4.3.0 later"),
        ("MAIL", "550 5.7.1 this sender may not"),
        ("RCPT", "450 4.2.1 greylisted"),
        ("RCPT", "530 5.7.0 authenticate first"),
        ("DATA", "452 4.3.1 disk full"),
        ("MESSAGE", "451 4.7.0 later"),
        ("MESSAGE", "421 4.3.2 shutting down"),
    ],
)
def test_a_refusal_for_now_may_be_sent_again(moment: Moment, reply: str) -> None:
    """4xx, and 5xx about our own sender or credentials, leave the message with us."""

    async def scenario() -> None:
        async with MailServer({moment: [reply]}) as server:
            transport = SmtpTransport(server.url)
            assert await transport.send(message()) == Deferred(int(reply[:3]), reply[4:])
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()

    run(scenario())


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_failure_before_the_message_is_deferred(moment: Moment, fault: str) -> None:
    """As long as the message was not handed over, the server cannot have it."""

    async def scenario() -> None:
        async with MailServer({moment: [fault]}) as server:
            transport = SmtpTransport(server.url, timeout=BRIEF)
            assert isinstance(await transport.send(message()), Deferred)
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert len(server.messages) == 1

    run(scenario())


@pytest.mark.parametrize("fault", ["drop", "hang", "this is not SMTP", "354 go ahead"])
def test_a_message_handed_over_without_an_answer_is_unanswered(fault: str) -> None:
    """Once the message is out, silence, a cut line or nonsense leave its fate unknown."""

    async def scenario() -> None:
        async with MailServer({"MESSAGE": [fault]}) as server:
            transport = SmtpTransport(server.url, timeout=BRIEF)
            assert isinstance(await transport.send(message()), Unanswered)
            assert len(server.messages) == 1
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert (server.connections, len(server.messages)) == (2, 2)

    run(scenario())


def test_a_connection_cut_while_idle_is_replaced() -> None:
    """The server hung up between two messages: the second goes over a new connection."""

    async def scenario() -> None:
        async with MailServer() as server:
            transport = SmtpTransport(server.url)
            await transport.send(message())
            server.cut()
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert (server.connections, len(server.messages)) == (2, 2)

    run(scenario())


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", ["drop", "421 4.4.2 idle for too long"])
def test_a_kept_connection_that_fails_before_the_message_is_replaced(moment: Moment, fault: str) -> None:
    """The server gave the kept connection up and we only learn it now: a new one carries the message."""

    async def scenario() -> None:
        async with MailServer({moment: ["ok", fault]}) as server:
            transport = SmtpTransport(server.url)
            await transport.send(message())
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert (server.connections, len(server.messages)) == (2, 2)

    run(scenario())


def test_a_kept_connection_to_a_server_that_is_gone_is_deferred() -> None:
    """Reconnecting fails: the message is still with us."""

    async def scenario() -> None:
        async with MailServer() as server:
            transport = SmtpTransport(server.url)
            await transport.send(message())
        assert isinstance(await transport.send(message()), Deferred)

    run(scenario())


def test_a_cancelled_send_leaves_no_stale_answer_behind() -> None:
    """The late answer to a cancelled send is never taken for the answer to the next one."""

    async def scenario() -> None:
        async with MailServer({"MESSAGE": ["hang"], "RCPT": ["ok", "550 no such user"]}) as server:
            transport = SmtpTransport(server.url)
            sending = asyncio.ensure_future(transport.send(message()))
            while "MESSAGE" not in server.commands:
                await asyncio.wait([sending], timeout=0.01)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert isinstance(await transport.send(message()), Rejected)
            await transport.close()
        assert server.connections == 2

    run(scenario())


def test_an_address_with_a_long_name_is_found() -> None:
    """Names of customers may need encoding, and several lines: the envelope has the bare address."""

    async def scenario() -> None:
        name = "Muñoz de la Peña y Fernández, María del Carmen " * 2
        sent = message(recipient=f"{name}<maria@customer.example>")
        async with MailServer() as server:
            transport = SmtpTransport(server.url)
            assert isinstance(await transport.send(sent), Accepted)
            await transport.close()
        assert server.recipients == ["maria@customer.example"]

    run(scenario())


def test_an_impossible_address_is_rejected_without_a_connection() -> None:
    """A stored message whose address cannot exist is final."""

    async def scenario() -> None:
        async with MailServer() as server:
            broken = message().replace(b"maria@customer.example", b"nobody")
            outcome = await SmtpTransport(server.url).send(broken)
            assert isinstance(outcome, Rejected)
        assert server.connections == 0

    run(scenario())


@pytest.mark.parametrize("encryption", ["tls", "starttls"])
def test_login_over_tls(encryption: str) -> None:
    """smtps:// and ?tls=required both log in with the decoded user and password."""

    async def scenario() -> None:
        async with MailServer(
            tls=encryption == "tls", starttls=encryption == "starttls", auth=True
        ) as server:
            login = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@localhost:{server.port}"
            url = f"smtps://{login}" if encryption == "tls" else f"smtp://{login}?tls=required"
            transport = SmtpTransport(url, tls_context=client_context())
            assert isinstance(await transport.send(message()), Accepted)
            await transport.close()
        assert server.logins == [USER.encode()]

    run(scenario())


def test_starttls_is_used_when_offered() -> None:
    """Without any option an offer of STARTTLS is taken, and a certificate nobody knows is not accepted."""

    async def scenario() -> None:
        async with MailServer(starttls=True) as server:
            assert isinstance(await SmtpTransport(server.url).send(message()), Deferred)
            trusting = SmtpTransport(server.url, tls_context=client_context())
            assert isinstance(await trusting.send(message()), Accepted)
            await trusting.close()
            plain = SmtpTransport(f"{server.url}?tls=off")
            assert isinstance(await plain.send(message()), Accepted)
            await plain.close()

    run(scenario())


def test_required_tls_never_falls_back_to_plain() -> None:
    """A server that offers no STARTTLS gets neither the password nor the message."""

    async def scenario() -> None:
        async with MailServer(auth=True) as server:
            transport = SmtpTransport(f"{server.url}?tls=required")
            assert isinstance(await transport.send(message()), Deferred)
        assert (server.logins, server.messages) == ([], [])

    run(scenario())


def test_a_wrong_password_is_ours_to_mend() -> None:
    """Refused credentials say nothing about the message: it can be sent once they are right."""

    async def scenario() -> None:
        async with MailServer(auth=True) as server:
            transport = SmtpTransport(f"smtp://someone:wrong@127.0.0.1:{server.port}")
            outcome = await transport.send(message())
            assert isinstance(outcome, Deferred)
            assert outcome.code == 535

    run(scenario())
