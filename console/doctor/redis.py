"""Redis or Valkey: it only carries wake-ups, but must not throw them away to make room for others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from redis import RedisError

from console.doctor.finding import Finding, fault, good, note, risk
from console.doctor.values import Values
from settings.broker import PossibleBroker
from worker.redis_client import open_redis

AREA = "Redis"
TIMEOUT = 3.0  # seconds
NEARLY_FULL = 0.8


async def look(values: Values) -> list[Finding]:
    """Asks INFO alone, which hosted servers allow where they forbid CONFIG."""
    settings = values.of(PossibleBroker)
    if settings is None or settings.redis_url is None:
        return []
    if settings.broker_url is not None:
        return [note(AREA, "is not used", "BROKER_URL names a RabbitMQ instead.", "Take REDIS_URL away.")]
    try:
        info = await asyncio.to_thread(_info, settings.redis_url.get_secret_value())
    except (RedisError, OSError) as error:
        what = f"cannot be used ({type(error).__name__})"
        harm = "Nothing is lost: the scheduler finds every row. But each step waits for seconds."
        return [fault(AREA, what, harm, "Start it, or look at REDIS_URL.")]
    return judge(info)


def _info(url: str) -> Mapping[str, Any]:
    with open_redis(url, limit=TIMEOUT) as client:
        info: Mapping[str, Any] = client.info()
    return info


def judge(info: Mapping[str, Any]) -> list[Finding]:
    """`info` is the answer to INFO, as the library reads it."""
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version")
    found = [*_memory(info), *_kept(info), *_role(info)]
    wrong = any(each.level in ("fault", "risk") for each in found)
    return found if wrong else [good(AREA, f"{name} {version}, throws nothing away"), *found]


def _memory(info: Mapping[str, Any]) -> Iterator[Finding]:
    policy, limit = info.get("maxmemory_policy"), int(info.get("maxmemory") or 0)
    if policy != "noeviction" and limit:
        yield fault(
            AREA,
            f"throws keys away when it is full (maxmemory-policy {policy})",
            "Wake-ups and the queues' own bookkeeping vanish without a word; work stands still for seconds, "
            "again and again.",
            "Set maxmemory-policy to noeviction; do not share it with a cache.",
        )
    elif policy != "noeviction":
        yield risk(
            AREA,
            f"would throw keys away if it were given a limit (maxmemory-policy {policy})",
            "The day somebody sets maxmemory, wake-ups vanish without a word.",
            "Set maxmemory-policy to noeviction.",
        )
    if info.get("evicted_keys"):
        yield risk(
            AREA,
            f"has thrown {info['evicted_keys']} keys away since it started",
            "Some of them may have been wake-ups.",
            "Set maxmemory-policy to noeviction and give it more memory.",
        )
    if limit and int(info.get("used_memory", 0)) > NEARLY_FULL * limit:
        yield risk(
            AREA, "is nearly full", "Wake-ups are refused, and work waits for seconds.", "Raise maxmemory."
        )


def _kept(info: Mapping[str, Any]) -> Iterator[Finding]:
    if not info.get("aof_enabled"):
        yield note(
            AREA,
            "keeps nothing over a restart (appendonly is off)",
            "Wake-ups are lost with it; the scheduler finds the work again some seconds later.",
            "Set appendonly to yes if those seconds matter.",
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield risk(AREA, "cannot write its file", "It may refuse to take anything.", "Look at its disk.")


def _role(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info.get("role") not in (None, "master"):
        yield fault(AREA, "is a replica", "Nothing can be queued.", "Let REDIS_URL name the primary.")
