"""The client for Commet's API: every answer is plain JSON, never an SDK object, and every fault is ours.

By commet-sdk's own asynchronous client, which keeps its connections and pins the API's version. Its retries
are off: it would wait for as long as Commet says, up to half a minute each time, in an actor that has twenty
seconds; whoever asks here can come back. So is its telemetry, which would tell of the machine it runs on.
The limit of time is ours: 9.7.0 takes one, and hands every request None instead, which is none.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import fields, is_dataclass
from enum import Enum
from time import perf_counter
from typing import Any, Literal
from urllib.parse import quote

import httpx
from commet import AsyncCommet, CommetAPIError

from metrics.instruments import commet_errors, commet_seconds
from providers.fields import Json
from providers.lookup import ProviderUnavailableError, RefusedError
from providers.pacing import Pace
from tracing import spans

# Seconds for a question, from first to last.
TIMEOUT = 8.0
# Commet names no most for its lists; this is what its dashboard shows.
A_PAGE = 100
ADDRESS = "https://commet.co"
# Commet's codes are words (docs: API error reference). Whatever else stands there may hold anything.
CODE = re.compile(r"[a-zA-Z_]{1,64}")
Kind = Literal["customers", "subscriptions", "invoices"]
Listable = Literal[Kind, "transactions", "webhooks"]


class CommetApi:
    """Commet's API of one organization. Names are in snake case, as the SDK has them.

    `api_base` replaces https://commet.co, for a simulated Commet on loopback. `timeout` is in seconds. With a
    `pace` every question waits for its turn. Raises ValueError for a key that does not begin with ck_ or rk_.
    """

    def __init__(
        self,
        api_key: str,
        *,
        livemode: bool,
        api_base: str | None = None,
        timeout: float = TIMEOUT,
        pace: Pace | None = None,
    ) -> None:
        self._sdk = AsyncCommet(api_key, retries=0, telemetry=False)
        if api_base:
            # The SDK has one address for everybody, and no parameter for another.
            self._sdk._http._client.base_url = httpx.URL(f"{api_base}/api/v1")
        self._livemode, self._timeout, self._pace = livemode, timeout, pace

    async def read(self, kind: Kind, ref: str) -> Json | None:
        """An object by its id, or None where there is none."""
        try:
            return await self._asked(getattr(self._sdk, kind).get(_in_path(ref)))
        except RefusedError as refused:
            if refused.missing:
                return None
            raise

    async def listed(self, kind: Listable, **wanted: Any) -> Json:
        """A page: its objects are in `data`, and `next_cursor` leads on while there are more (`has_more`)."""
        return await self._asked(getattr(self._sdk, kind).list(**wanted))

    async def recovery_link(self, subscription: str) -> Json:
        """The `url` where the outstanding renewal of a past due subscription is paid."""
        return await self._asked(self._sdk.subscriptions.create_recovery_link(_in_path(subscription)))

    async def portal_session(self, customer: str, back: str) -> Json:
        """The `portal_url` of a session that ends after half an hour without a click, and after two hours."""
        return await self._asked(self._sdk.portal.get_url(customer_id=customer, return_url=back))

    async def subscribe(self, **wanted: Any) -> Json:
        """A subscription that waits for its first payment, at its `checkout_url`."""
        return await self._asked(self._sdk.subscriptions.create(**wanted))

    async def _asked(self, call: Awaitable[Any]) -> Json:
        """Raises RefusedError, or ProviderUnavailableError where nobody knows the answer.

        Of an error only its kind and code are kept: its text may hold what was asked for, or of whom.
        """
        if self._pace:
            await self._pace.turn()
        with spans.span("commet"):
            began, outcome = perf_counter(), "failed"
            try:
                answer = await _understood(call, self._timeout)
                outcome = "answered"
            except RefusedError as refused:
                outcome = "missing" if refused.missing else "refused"
                raise
            except ProviderUnavailableError as error:
                commet_errors.labels(str(error)).inc()
                raise
            finally:
                commet_seconds.labels(outcome).observe(perf_counter() - began)
                spans.note(outcome=outcome)
        if any(each.get("livemode", self._livemode) is not self._livemode for each in _objects(answer)):
            # Older keys do not say of which mode they are.
            raise ProviderUnavailableError("key_of_the_other_mode", refused=True)
        return answer


async def _understood(call: Awaitable[Any], within: float) -> Json:
    try:
        async with asyncio.timeout(within):
            answer = _plain(await call)
    except CommetAPIError as error:
        raise _fault(error.status_code or 0, error.code) from None
    except (TimeoutError, httpx.HTTPError) as error:
        raise ProviderUnavailableError(type(error).__name__) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        # The SDK met JSON of another shape than it was made for.
        raise ProviderUnavailableError("unreadable") from None
    if not isinstance(answer, dict):
        raise ProviderUnavailableError("unreadable")
    return answer


def _fault(status: int, given: Any) -> RefusedError | ProviderUnavailableError:
    code = given if isinstance(given, str) and CODE.fullmatch(given) else f"status_{status}"
    if status in (401, 403, 408, 429) or not 400 <= status < 500:
        return ProviderUnavailableError(
            code, passing=status == 429, forbidden=status == 403, refused=status == 401
        )
    # What could be no id of Commet's may be one of yours.
    return RefusedError(code, missing=status in (400, 404, 422))


def _plain(value: Any) -> Any:
    """Without the SDK's classes: its enumerations are strings of a kind of their own."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _objects(answer: Json) -> list[Json]:
    """What says of which mode it is: an object, or those of a list."""
    listed = answer.get("data")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else [answer]


def _in_path(ref: str) -> str:
    """The SDK puts ids into addresses as they are, and yours may hold a slash."""
    return quote(ref, safe="")
