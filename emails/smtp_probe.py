"""Going as far as the mail server lets us without sending anything: connect, encrypt, log in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from aiosmtplib.errors import SMTPException

from emails.smtp import open_client
from emails.smtp_url import SmtpUrl, is_local


@dataclass(frozen=True, slots=True)
class Probe:
    """`local`: on this machine, where nobody listens in."""

    local: bool
    encrypted: bool
    logged_in: bool


class UnreachableError(Exception):
    """It cannot be used. The text says how far it went; no password is in it."""


async def probe(url: str, *, patience: float, tls_context: ssl.SSLContext | None = None) -> Probe:
    """Raises UnreachableError, and ValueError for the URL. `patience` in seconds bounds each answer."""
    server = SmtpUrl.parse(url)
    client = open_client(server, timeout=patience, tls_context=tls_context)
    try:
        await client.connect()
        encrypted = client.get_transport_info("sslcontext") is not None
        await client.quit()
    except (SMTPException, OSError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    finally:
        client.close()
    return Probe(is_local(server.host), encrypted, server.username is not None)
