"""Where Redis is: one server, or the Sentinels that know which one it is now."""

from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator, SecretStr

from settings.checks import split_url
from settings.hosts import read_place, split_hosts

_SENTINELS = ("redis+sentinel", "rediss+sentinel")
_SENTINEL_PORT = 26379
_SENTINEL_OPTIONS = frozenset({"sentinel_username", "sentinel_password"})


def check_redis_url(value: SecretStr) -> SecretStr:
    """redis://, rediss:// (TLS), unix:///path/to/socket, or redis+sentinel://host,host/name/0.

    `worker.redis_client` reads what is accepted here.
    """
    url = value.get_secret_value()
    if url.startswith(tuple(f"{scheme}:" for scheme in _SENTINELS)):
        _check_sentinels(url)
        return value
    parts = split_url(url, ("redis", "rediss", "unix", *_SENTINELS))
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("names no socket")
    if parts.scheme != "unix" and not parts.hostname:
        raise ValueError("has no host name")
    return value


def _check_sentinels(url: str) -> None:
    parts, hosts = split_hosts(url, _SENTINELS, _SENTINEL_PORT)
    if not hosts:
        read_place(parts.netloc.rpartition("@")[2], _SENTINEL_PORT)
    name, *database = parts.path.strip("/").split("/")
    if not name:
        raise ValueError(
            "does not name what the Sentinels watch, as redis+sentinel://host:26379/mymaster/0 does"
        )
    if len(database) > 1 or not all(each.isdecimal() for each in database):
        raise ValueError("has something other than a number after the name of what the Sentinels watch")
    unknown = sorted({option for option, _ in parse_qsl(parts.query)} - _SENTINEL_OPTIONS)
    if unknown:
        raise ValueError(
            f"has the option {unknown[0]!r}; sentinel_username and sentinel_password are the ones understood"
        )


RedisUrl = Annotated[SecretStr, AfterValidator(check_redis_url)]
