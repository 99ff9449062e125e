"""Where RabbitMQ is: one server, or the nodes of a cluster."""

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator, SecretStr

from settings.hosts import read_place, split_hosts

SCHEMES = ("amqp", "amqps")
_PORTS = {"amqp": 5672, "amqps": 5671}
# As RabbitMQ's own URIs call them.
_OPTIONS = frozenset({"cacertfile", "certfile", "keyfile"})


def check_broker_url(value: SecretStr) -> SecretStr:
    """amqp:// or amqps:// (TLS): one URL or several with semicolons between them, each of one host or more.

    `worker.rabbit` reads what is accepted here.
    """
    for url in value.get_secret_value().split(";"):
        _check(url.strip())
    return value


def _check(url: str) -> None:
    port = _PORTS.get(url.partition(":")[0], 0)
    parts, hosts = split_hosts(url, SCHEMES, port)
    if not hosts:
        read_place(parts.netloc.rpartition("@")[2], port)
    if parts.username and not parts.password:
        raise ValueError("has a user name but no password")
    if "/" in parts.path[1:]:
        raise ValueError("names more than one virtual host: a slash in its name is written %2F")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for unknown in sorted(options.keys() - _OPTIONS):
        raise ValueError(
            f"has the option {unknown!r}; cacertfile, certfile and keyfile are the ones understood"
        )
    if options and parts.scheme == "amqp":
        raise ValueError("names certificates, which only amqps:// has a use for")
    for option, file in options.items():
        if not Path(file).is_file():
            raise ValueError(f"names a {option} that is not there")
    if "keyfile" in options and "certfile" not in options:
        raise ValueError("names a keyfile without its certfile")


BrokerUrl = Annotated[SecretStr, AfterValidator(check_broker_url)]
