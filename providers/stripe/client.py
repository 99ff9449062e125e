"""The client for Stripe's API: every answer is plain JSON, never an SDK object, and every fault is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from time import perf_counter
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import stripe

from metrics.instruments import stripe_errors, stripe_seconds
from providers.lookup import ProviderUnavailableError
from providers.lookup import RefusedError as RefusedError
from tracing import spans

# Seconds. Short, because whoever asks can come back; the library's own default is 80.
TIMEOUT = 8.0


class StripeApi:
    """Stripe's API, in the client library's pinned version: `ask(api.v1.invoices.retrieve_async(...))`.

    `account` ("acct_...") is one that is connected to the key's own, which all is asked about then.
    """

    def __init__(
        self,
        api_key: str,
        *,
        account: str | None = None,
        api_base: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        client = stripe.StripeClient(
            api_key,
            stripe_account=account,
            max_network_retries=1,
            http_client=_pool(timeout) if account else stripe.HTTPXClient(timeout=timeout),
            base_addresses={"api": api_base} if api_base else {},
        )
        self.v1 = client.v1
        self.v2 = client.v2
        self._raw = client.raw_request_async

    async def read(self, path: str, ref: str | None = None, **params: Any) -> dict[str, Any] | None:
        """An object at `path` ("/v1/invoices") by its id, or None where there is none (404); or a list.

        For what is read often: the library is asked for the answer as it came, and builds no objects of it,
        which takes longer than everything else about a request.
        """
        if ref is not None:
            path = f"{path}/{quote(ref, safe='')}"
        return await _unless_missing(self._measured(self._as_it_came(path, params)))

    async def _as_it_came(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._raw("get", path, **params)
        if not isinstance(answer.data, dict):
            raise stripe.APIError(f"a {type(answer.data).__name__} is not an answer")
        return answer.data

    async def ask(self, call: Awaitable[Any]) -> dict[str, Any] | None:
        """What Stripe knows, or None where it knows nothing of it (404)."""
        return await _unless_missing(self.have_done(call))

    async def have_done(self, call: Awaitable[Any]) -> dict[str, Any]:
        """What came of it. Raises RefusedError, or ProviderUnavailableError where that is not known.

        Of an error only its kind and code are kept: its text may hold what was asked for, or of whom.
        """
        return await self._measured(_plain(call))

    async def _turn(self) -> None:
        """Wait until a question may be asked; at once, unless somebody asks many in a row."""

    async def _measured(self, call: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        await self._turn()
        with spans.span("stripe"):
            return await self._counted(call)

    async def _counted(self, call: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        began, outcome = perf_counter(), "failed"
        try:
            answer = await call
            outcome = "answered"
        except stripe.CardError as error:
            outcome = "declined"
            raise RefusedError(_reason(error), declined=True) from None
        except stripe.InvalidRequestError as error:
            missing = error.http_status == 404
            outcome = "missing" if missing else "refused"
            raise RefusedError(error.code or "invalid_request", missing=missing) from None
        except stripe.StripeError as error:
            stripe_errors.labels(type(error).__name__).inc()
            raise ProviderUnavailableError(
                type(error).__name__,
                passing=isinstance(error, stripe.RateLimitError),
                retry_after=_retry_after(error),
                forbidden=isinstance(error, stripe.PermissionError),
                refused=isinstance(error, stripe.AuthenticationError),
            ) from None
        finally:
            stripe_seconds.labels(outcome).observe(perf_counter() - began)
            spans.note(outcome=outcome)
        return answer


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, stripe.HTTPClient]] = WeakKeyDictionary()


def _pool(timeout: float) -> stripe.HTTPClient:
    """Connections that all connected accounts share: there may be thousands, and each pool costs a megabyte.

    They belong to the running event loop.
    """
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    if timeout not in pools:
        pools[timeout] = stripe.HTTPXClient(timeout=timeout)
    return pools[timeout]


async def _unless_missing(call: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return await call
    except RefusedError as refused:
        if refused.missing:
            return None
        raise


async def _plain(call: Awaitable[Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await call).to_dict()
    return answer


def _retry_after(error: stripe.StripeError) -> float | None:
    """Seconds, where the answer names them; HTTP allows a date as well, which Stripe does not use."""
    told = str((error.headers or {}).get("retry-after", ""))
    return float(told) if told.isdecimal() else None


def _reason(error: stripe.CardError) -> str:
    """Why a charge was declined: the issuer's reason, where it gave one."""
    decline_code = getattr(error.error, "decline_code", None) if error.error else None
    return decline_code or error.code or "card_declined"
