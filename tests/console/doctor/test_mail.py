"""What the doctor finds about the mail server, and about the sender's domain over real DNS."""

import asyncio
from functools import partial
from urllib.parse import quote

import dns.message
import dns.rcode
import dns.rrset
import pytest

from console.doctor import mail, sender
from console.doctor.finding import Finding, Level
from console.doctor.mail import judge
from emails.smtp_probe import Probe, UnreachableError, probe
from tests.console.doctor.looking import found, said, values
from tests.emails.mail_server import PASSWORD, USER, MailServer, client_context

Zone = dict[tuple[str, str], list[str]]

GOOD: Zone = {
    ("acme.dev", "MX"): ["10 mx.acme.dev."],
    ("acme.dev", "TXT"): ['"v=spf1 include:mail.acme.dev " "-all"', '"other=1"'],
    ("resend._domainkey.acme.dev", "TXT"): ['"v=DKIM1; k=rsa; p=MIGf"'],
    ("_dmarc.acme.dev", "TXT"): ['"v=DMARC1; p=none"'],
}


class NameServer(asyncio.DatagramProtocol):
    """A DNS server on loopback with one zone; `silent` names are never answered."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        asked = query.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        answer = dns.message.make_response(query)
        if records := self._zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *records))
        elif not any(known == name for known, _ in self._zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), address)  # type: ignore[attr-defined]  # a datagram transport


def examine(
    zone: Zone, address: str = "Acme <billing@acme.dev>", selector: str | None = None
) -> list[Finding]:
    """Ask a server with this zone about a sender."""

    async def ask() -> list[Finding]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            partial(NameServer, zone), local_addr=("127.0.0.1", 0)
        )
        port = transport.get_extra_info("sockname")[1]
        try:
            resolve = sender.from_dns(["127.0.0.1"], port)
            return await sender.look(values(DUNNING_MAIL_FROM=address), selector=selector, resolve=resolve)
        finally:
            transport.close()

    return asyncio.run(ask())


def without(*names: tuple[str, str]) -> Zone:
    return {key: records for key, records in GOOD.items() if key not in names}


def test_a_domain_with_everything() -> None:
    """Records in pieces count as one; the key was found by itself."""
    (finding,) = examine(GOOD)
    assert (finding.level, "resend" in finding.said) == (Level.GOOD, True)


@pytest.mark.parametrize(
    ("zone", "level", "part"),
    [
        (without(("acme.dev", "TXT")), Level.RISK, "no SPF record"),
        (GOOD | {("acme.dev", "TXT"): ['"v=spf1 -all"', '"v=spf1 ~all"']}, Level.FAULT, "2 SPF records"),
        (GOOD | {("acme.dev", "TXT"): ['"v=spf1 +all"']}, Level.RISK, "+all"),
        (without(("_dmarc.acme.dev", "TXT")), Level.RISK, "no DMARC record"),
        (without(("acme.dev", "MX")), Level.RISK, "takes no mail"),
        (without(("resend._domainkey.acme.dev", "TXT")), Level.NOTE, "no DKIM key"),
        (GOOD | {("resend._domainkey.acme.dev", "TXT"): ['"v=DKIM1; p="']}, Level.NOTE, "no DKIM key"),
    ],
)
def test_each_record_that_is_missing_or_wrong(zone: Zone, level: Level, part: str) -> None:
    """A key without a value was revoked (RFC 6376, 3.6.1)."""
    (sentence,) = said(examine(zone), level)
    assert part in sentence


def test_the_domain_above_and_a_name_of_ones_own() -> None:
    """DMARC of the domain above holds for the one below; a DKIM key may have any name."""
    zone = without(("acme.dev", "MX")) | {
        ("mail.acme.dev", "TXT"): ['"v=spf1 -all"'],
        ("mail.acme.dev", "A"): ["192.0.2.1"],
        ("ours._domainkey.mail.acme.dev", "TXT"): ['"k=ed25519; p=11qY"'],
    }
    findings = examine(zone, "billing@mail.acme.dev", selector="ours")
    assert [each.level for each in findings] == [Level.GOOD]


def test_a_domain_for_examples_and_a_dns_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is a risk without a question, the second only a note."""
    (reserved,) = examine({}, "billing@acme.example")
    assert reserved.level is Level.RISK
    monkeypatch.setattr(sender, "LIFETIME", 0.2)
    (away,) = asyncio.run(
        sender.look(values(DUNNING_MAIL_FROM="billing@acme.dev"), resolve=sender.from_dns(["127.0.0.1"], 1))
    )
    assert (away.level, "could not be looked up" in away.said) == (Level.NOTE, True)


def test_a_mail_server_that_lets_us_in() -> None:
    """Encrypted and logged in, and nothing was sent."""

    async def ask() -> tuple[Probe, list[bytes]]:
        async with MailServer(starttls=True, auth=True) as server:
            url = server.url.replace("//", f"//{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@")
            seen = await probe(f"{url}?tls=required", patience=5, tls_context=client_context())
            return seen, server.messages

    seen, messages = asyncio.run(ask())
    assert (seen.encrypted, seen.logged_in, seen.local, messages) == (True, True, True, [])


def test_a_mail_server_that_does_not() -> None:
    """A wrong password, and nobody there; the password is not in the words."""

    async def ask() -> str:
        async with MailServer(starttls=True, auth=True) as server:
            url = server.url.replace("//", "//somebody:geheim@")
            with pytest.raises(UnreachableError) as refused:
                await probe(f"{url}?tls=required", patience=5, tls_context=client_context())
            return str(refused.value)

    assert "geheim" not in asyncio.run(ask())
    (nobody,) = found(mail.look, SMTP_URL="smtp://127.0.0.1:1")
    assert nobody.level is Level.FAULT


def test_mail_that_can_be_read_on_the_way() -> None:
    """On this machine it cannot."""
    assert judge(Probe(local=False, encrypted=False, logged_in=False))[0].level is Level.RISK
    assert judge(Probe(local=True, encrypted=False, logged_in=False))[0].level is Level.GOOD


def test_whether_bounces_come_back() -> None:
    """Nobody tells of them; somebody would, and has no way to; somebody does."""
    assert said(found(mail.results), Level.RISK) == ["no mail service tells what becomes of mails"]
    no_way = found(mail.results, DUNNING_MAIL_SERVICE="postmark")
    assert (no_way[0].level, "POSTMARK_WEBHOOK_PASSWORDS" in no_way[0].cure) == (Level.RISK, True)
    password = "test-password-0123456789abcdef"
    heard = found(mail.results, DUNNING_MAIL_SERVICE="postmark", POSTMARK_WEBHOOK_PASSWORDS=password)
    assert [each.level for each in heard] == [Level.GOOD]
