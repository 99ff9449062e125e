"""Addresses of PostgreSQL, Redis and the mail server: what is accepted, and the forms the libraries want."""

from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode, urlunsplit

from pydantic import AfterValidator, SecretStr

from settings.checks import split_url

_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_POSTGRES_OPTIONS = frozenset({"host", "port", "sslmode"})
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})


def check_database_url(value: SecretStr) -> SecretStr:
    """A PostgreSQL URL; `?host=/directory` names a unix socket, `?sslmode=` has libpq's meaning."""
    parts = split_url(value.get_secret_value(), _POSTGRES_SCHEMES)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # libpq ignores no unknown option and neither do we: asyncpg would send it to the server as a GUC.
    for unknown in sorted(options.keys() - _POSTGRES_OPTIONS):
        raise ValueError(f"has the option {unknown!r}; host, port and sslmode are the ones understood")
    if options.get("sslmode", "prefer") not in _SSL_MODES:
        raise ValueError("has an unknown sslmode")
    if not parts.hostname and not options.get("host"):
        raise ValueError("names no server: neither a host nor ?host=/socket/directory")
    if not parts.path.strip("/"):
        raise ValueError("names no database")
    return value


def for_sqlalchemy(url: str) -> str:
    """The same database for `create_async_engine`: asyncpg's dialect, whose name for sslmode is `ssl`."""
    parts = split_url(url, _POSTGRES_SCHEMES)
    options = [("ssl" if name == "sslmode" else name, text) for name, text in parse_qsl(parts.query)]
    return _rebuilt("postgresql+asyncpg", parts.netloc, parts.path, options)


def for_asyncpg(url: str) -> str:
    """The same database as a DSN for `asyncpg.connect`."""
    parts = split_url(url, _POSTGRES_SCHEMES)
    return _rebuilt("postgresql", parts.netloc, parts.path, parse_qsl(parts.query))


def _rebuilt(scheme: str, netloc: str, path: str, options: list[tuple[str, str]]) -> str:
    # urlunsplit drops the empty authority of postgresql:///name, so the two slashes are written here.
    query = urlencode(options, safe="/", quote_via=quote)
    return f"{scheme}://{netloc}" + urlunsplit(("", "", path, query, ""))


def check_redis_url(value: SecretStr) -> SecretStr:
    """redis://, rediss:// (TLS) or unix:///path/to/socket."""
    parts = split_url(value.get_secret_value(), ("redis", "rediss", "unix"))
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("names no socket")
    if parts.scheme != "unix" and not parts.hostname:
        raise ValueError("has no host name")
    return value


def check_smtp_url(value: SecretStr) -> SecretStr:
    """smtp:// (STARTTLS when the server offers it) or smtps:// (TLS from the first byte)."""
    parts = split_url(value.get_secret_value(), ("smtp", "smtps"))
    if not parts.hostname:
        raise ValueError("has no host name")
    if parts.username and not parts.password:
        raise ValueError("has a user name but no password")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(check_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(check_redis_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(check_smtp_url)]
