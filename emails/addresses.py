"""Mailboxes, strictly: what is accepted here can stand in a header and in an SMTP envelope as it is."""

import re
from email.headerregistry import Address

# Letters, digits and RFC 5322's atom characters: no quoting, no spaces, nothing that needs SMTPUTF8.
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<mailbox>[^<>]*)>")


class AddressError(ValueError):
    """Mail cannot be sent to or from this address; the message never repeats it."""


def parse_address(value: str) -> Address:
    """Read `a@b.example` or `Name <a@b.example>`; a domain in another script becomes its IDNA form.

    Raises AddressError for anything else, several addresses and control characters included.
    """
    if not value.isprintable():
        raise AddressError("an address must not contain control characters")
    named = _NAMED.fullmatch(value.strip())
    name, mailbox = (named["name"].strip(' "'), named["mailbox"]) if named else ("", value)
    local, _, domain = mailbox.strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise AddressError("the domain of the address cannot exist") from error
    if not (_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise AddressError("not an address of the form name@domain in plain characters")
    return Address(display_name=" ".join(name.split()), username=local, domain=domain)
