"""Addresses of PostgreSQL and the mail server: what is accepted, and the forms the libraries want."""

from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlunsplit

from pydantic import AfterValidator, SecretStr

from settings.checks import split_url
from settings.hosts import Place, split_hosts

_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_POSTGRES_OPTIONS = frozenset({"host", "port", "sslmode", "target_session_attrs"})
_POSTGRES_PORT = 5432
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})


def check_database_url(value: SecretStr) -> SecretStr:
    """A PostgreSQL URL; `?host=/directory` names a unix socket, `?sslmode=` has libpq's meaning.

    Of several hosts, with commas between them, the one that can write is looked for by itself:
    `target_session_attrs=read-write` may say so and changes nothing.
    """
    parts, hosts = split_hosts(value.get_secret_value(), _POSTGRES_SCHEMES, _POSTGRES_PORT)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # libpq ignores no unknown option and neither do we: asyncpg would send it to the server as a GUC.
    for unknown in sorted(options.keys() - _POSTGRES_OPTIONS):
        raise ValueError(f"has the option {unknown!r}; host, port and sslmode are the ones understood")
    if options.get("sslmode", "prefer") not in _SSL_MODES:
        raise ValueError("has an unknown sslmode")
    if options.get("target_session_attrs", "read-write") not in ("read-write", "primary"):
        raise ValueError("asks for a server that nothing can be stored on: target_session_attrs=read-write")
    if not hosts and not parts.hostname and not options.get("host"):
        raise ValueError("names no server: neither a host nor ?host=/socket/directory")
    if not parts.path.strip("/"):
        raise ValueError("names no database")
    _listed(options)
    return value


def for_sqlalchemy(url: str) -> str:
    """The same database for `create_async_engine`: asyncpg's dialect, whose name for sslmode is `ssl`."""
    parts, options = _for_both(url)
    named = [("ssl" if name == "sslmode" else name, text) for name, text in options.items()]
    return _rebuilt("postgresql+asyncpg", parts.netloc, parts.path, named)


def for_asyncpg(url: str) -> str:
    """The same database as a DSN for `db.connecting.connect`, or for `asyncpg.connect` if it has one host."""
    parts, options = _for_both(url)
    return _rebuilt("postgresql", parts.netloc, parts.path, list(options.items()))


def _for_both(url: str) -> tuple[SplitResult, dict[str, str]]:
    """The parts, and the options with several hosts among them, where both libraries look for them."""
    parts, hosts = split_hosts(url, _POSTGRES_SCHEMES, _POSTGRES_PORT)
    options = dict(parse_qsl(parts.query))
    options.pop("target_session_attrs", None)
    if several := hosts or _listed(options):
        options["host"] = ",".join(host for host, _ in several)
        options["port"] = ",".join(str(port) for _, port in several)
    return parts, options


def _listed(options: dict[str, str]) -> list[Place]:
    """The hosts of the query, if there are several. Raises ValueError when they have too few ports."""
    hosts = options.get("host", "").split(",")
    if len(hosts) == 1:
        return []
    ports = options.get("port", str(_POSTGRES_PORT)).split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    if len(ports) != len(hosts) or not all(each.isdecimal() for each in ports):
        raise ValueError("has hosts in its query and not as many ports")
    return list(zip(hosts, map(int, ports), strict=True))


def _rebuilt(scheme: str, netloc: str, path: str, options: list[tuple[str, str]]) -> str:
    # urlunsplit drops the empty authority of postgresql:///name, so the two slashes are written here.
    query = urlencode(options, safe="/", quote_via=quote)
    return f"{scheme}://{netloc}" + urlunsplit(("", "", path, query, ""))


def check_smtp_url(value: SecretStr) -> SecretStr:
    """smtp:// (STARTTLS when the server offers it) or smtps:// (TLS from the first byte)."""
    parts = split_url(value.get_secret_value(), ("smtp", "smtps"))
    if not parts.hostname:
        raise ValueError("has no host name")
    if parts.username and not parts.password:
        raise ValueError("has a user name but no password")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(check_database_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(check_smtp_url)]
