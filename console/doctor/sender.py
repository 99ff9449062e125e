"""The sender's domain in DNS: without SPF, DKIM and DMARC a warning is accepted and then lies among spam.

Google and Yahoo ask bulk senders for all three since February 2024 (Google's e-mail sender guidelines).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.resolver

from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from emails.addresses import parse_address
from settings.messages import Mail

AREA = "Sender"
LIFETIME = 5.0  # seconds for one question, with its repetitions

# Where the larger mail services put their keys; a domain cannot be asked for its selectors.
SELECTORS = (
    "default", "dkim", "mail", "s1", "s2", "k1", "k2", "k3", "selector1", "selector2", "google", "resend",
    "pm", "mandrill", "mta", "smtp", "zoho", "fm1", "brevo1", "mg", "krs", "sig1",
)  # fmt: skip
# RFC 2606 and RFC 6761: names that nobody can own.
RESERVED = ("example", "test", "invalid", "localhost", "local")

Resolve = Callable[[str, str], Awaitable[Sequence[str]]]
"""Name and record type -> the records as text. Raises LookupError where DNS does not answer."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What DNS says. `dmarc` is that of the domain or of the next one above that has any."""

    name: str
    takes_mail: bool
    spf: tuple[str, ...]
    dkim: tuple[str, ...]
    dmarc: str | None


async def look(
    values: Values, *, selector: str | None = None, resolve: Resolve | None = None
) -> list[Finding]:
    """`selector` is the name the domain's DKIM key has, if it is none of the usual ones."""
    settings = values.of(Mail)
    if settings is None:
        return []
    domain = parse_address(settings.mail_from).domain.lower()
    if domain.rpartition(".")[2] in RESERVED:
        harm = "Nobody's mail server takes a mail from there."
        return [risk(AREA, f"{domain} is a name for examples", harm, "Set DUNNING_MAIL_FROM to your own.")]
    try:
        found = await read(resolve or from_dns(), domain, (selector,) if selector else SELECTORS)
    except LookupError as error:
        harm = "SPF, DKIM and DMARC may be missing, and mails among spam."
        cure = "Try again where DNS answers."
        return [note(AREA, f"{domain} could not be looked up ({error})", harm, cure)]
    return judge(found)


async def read(resolve: Resolve, domain: str, selectors: Sequence[str]) -> Domain:
    texts = await resolve(domain, "TXT")
    keys = [name for name in selectors if await _has_key(resolve, f"{name}._domainkey.{domain}")]
    return Domain(
        domain,
        takes_mail=bool(await resolve(domain, "MX") or await resolve(domain, "A")),
        spf=tuple(each for each in texts if each.lower().split(" ")[0] == "v=spf1"),
        dkim=tuple(keys),
        dmarc=await _dmarc(resolve, domain),
    )


def judge(found: Domain) -> list[Finding]:
    wrong = [*_spf(found), *_dkim(found), *_dmarc_of(found), *_mx(found)]
    return wrong or [good(AREA, f"{found.name} has SPF, DKIM ({', '.join(found.dkim)}) and DMARC")]


def _spf(found: Domain) -> Iterator[Finding]:
    if not found.spf:
        harm = "Large providers refuse the mails, or put them among spam."
        cure = "Publish the SPF record that your mail service names."
        yield risk(AREA, f"{found.name} has no SPF record", harm, cure)
    elif len(found.spf) > 1:
        harm = "RFC 7208 calls that an error: receivers then go by none of them."
        yield fault(AREA, f"{found.name} has {len(found.spf)} SPF records", harm, "Make them one.")
    elif found.spf[0].lower().endswith("+all"):
        harm = "Anybody may send in your name."
        yield risk(AREA, f"{found.name} has an SPF record that ends in +all", harm, "End it in ~all or -all.")


def _dkim(found: Domain) -> Iterator[Finding]:
    if not found.dkim:
        yield note(
            AREA,
            f"no DKIM key of {found.name} was found under the usual names",
            "Without a signature large providers refuse the mails, or put them among spam.",
            "Set DKIM up at your mail service, or tell its name: `dunning doctor --dkim-selector NAME`.",
        )


def _dmarc_of(found: Domain) -> Iterator[Finding]:
    if found.dmarc is None:
        yield risk(
            AREA,
            f"{found.name} has no DMARC record",
            "Google and Yahoo ask senders of many mails for one.",
            f'Publish "v=DMARC1; p=none; rua=mailto:..." at _dmarc.{found.name} to begin with.',
        )


def _mx(found: Domain) -> Iterator[Finding]:
    if not found.takes_mail:
        harm = "Answers of customers are lost, and some servers refuse senders nobody can answer."
        yield risk(AREA, f"{found.name} takes no mail", harm, "Give the domain an MX record.")


async def _has_key(resolve: Resolve, name: str) -> bool:
    return any("p=" in each and not each.rstrip(" ;").endswith("p=") for each in await resolve(name, "TXT"))


async def _dmarc(resolve: Resolve, domain: str) -> str | None:
    """Its own, or that of a domain above it, which holds for it too (RFC 7489, 6.6.3)."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        texts = await resolve("_dmarc." + ".".join(labels[start:]), "TXT")
        records = [each for each in texts if each.lower().startswith("v=dmarc1")]
        if records:
            return records[0]
    return None


def from_dns(nameservers: Sequence[str] = (), port: int = 53) -> Resolve:
    """Ask the servers of this machine's configuration, or these. One resolver, so one cache, for all."""
    try:
        resolver = dns.asyncresolver.Resolver(configure=not nameservers)
    except dns.resolver.NoResolverConfiguration:
        resolver = dns.asyncresolver.Resolver(configure=False)
    if nameservers:
        resolver.nameservers = list(nameservers)
        resolver.port = port
    resolver.lifetime = LIFETIME

    async def resolve(name: str, kind: str) -> Sequence[str]:
        try:
            answer = await resolver.resolve(name, kind)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.exception.DNSException as error:
            raise LookupError(type(error).__name__) from error
        if kind == "TXT":
            # One record may come in pieces of 255 bytes, which belong together (RFC 7208, 3.3).
            return [b"".join(each.strings).decode("latin-1") for each in answer]
        return [each.to_text() for each in answer]

    return resolve
