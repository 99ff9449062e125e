"""Which of a billing system's questions our key may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from providers.lookup import ProviderUnavailableError, RefusedError

Api = TypeVar("Api")


async def lacking(api: Api, reads: Mapping[str, Callable[[Api], Awaitable[object]]]) -> list[str]:
    """The permissions that the key lacks, of those in `reads`, each with a question that needs it.

    Raises ProviderUnavailableError where the system cannot be asked.
    """
    missing = []
    for permission, ask in reads.items():
        try:
            await ask(api)
        except ProviderUnavailableError as error:
            if not error.forbidden:
                raise
            missing.append(permission)
        except RefusedError:
            # It was let in, and only the question was not to their liking.
            continue
    return missing
