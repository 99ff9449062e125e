"""The one way to Redis, for whoever queues, works or only looks. The receiver reads it, so it imports nobody.

Nobody waits for Redis and nothing is tried again here: what a lost command would have done, the scheduler
finds in the tables.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as Silent
from redis.retry import Retry
from redis.sentinel import Sentinel

SENTINEL_PORT = 26379


class FullError(Disconnected):
    """The server has no memory left and takes nothing more: not even that a message is taken."""


class Primary(Redis):
    """A client that takes a server of no use for one that went away."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Raises redis.ConnectionError for a server that says nothing, is full, or was made a replica.

        Dramatiq knows that error alone: with any other it loses the acknowledgement. A demoted server keeps
        its connections, and would be asked for ever.
        """
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # annotated in part
        except Silent as error:
            raise Disconnected(str(error)) from error
        except OutOfMemoryError as error:
            raise FullError(str(error)) from error
        except ReadOnlyError as error:
            self.connection_pool.disconnect()
            raise Disconnected("the server has become a replica") from error


def open_redis(url: str, *, limit: float) -> Redis:
    """A client, not connected yet, of the server at `url` or of the primary that its Sentinels know.

    `url` is one that `settings.redis` accepts; `limit` are the seconds to connect, and for each command.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": limit,
        "socket_timeout": limit,
        "retry": Retry(NoBackoff(), 0),
    }
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if kind != "sentinel":
        return Primary.from_url(url, **options)
    if scheme == "rediss":
        options["ssl"] = True
    login, _, hosts = parts.netloc.rpartition("@")
    name, _, database = parts.path.strip("/").partition("/")
    query = {option: values[-1] for option, values in parse_qs(parts.query).items()}
    own = {"username": query.get("sentinel_username"), "password": query.get("sentinel_password")}
    places = [_place(each) for each in hosts.split(",")]
    sentinels: Any = Sentinel(places, sentinel_kwargs=options | own)  # type: ignore[no-untyped-call]  # as above
    username, _, password = login.partition(":")
    client: Redis = sentinels.master_for(
        unquote(name),
        redis_class=Primary,
        db=int(database or 0),
        username=unquote(username) or None,
        password=unquote(password) or None,
        **options,
    )
    return client


def _place(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "", parts.port or SENTINEL_PORT
