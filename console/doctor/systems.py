"""The billing systems that customers come from: can those be asked that have to be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.doctor.asking import UnusableError, connection_to
from console.doctor.finding import Finding, fault, good
from console.doctor.values import Values
from db import sources
from providers.keyless import Keyless
from providers.systems import system_of
from settings import WorkerSettings
from settings.connections import Database

AREA = "Billing systems"


async def look(values: Values) -> list[Finding]:
    """Nothing where the settings are wrong, or the database cannot be asked, which another look says."""
    database, worker = values.of(Database), values.of(WorkerSettings)
    if database is None or worker is None:
        return []
    try:
        async with connection_to(database) as connection:
            found = await sources.known(connection)
    except UnusableError:
        return []
    return list(judge(found, worker))


def judge(found: Sequence[str], worker: WorkerSettings) -> Iterator[Finding]:
    """`found` are the sources that have customers here."""
    for source in found:
        gateway = system_of(source).gateway(source, worker)
        if isinstance(gateway, Keyless):
            yield fault(
                AREA,
                f"{source} has customers here, but {gateway.setting} is not set",
                "Each of its events waits ten minutes for its reason, and nobody's access is taken.",
                f"Set {gateway.setting} for every worker.",
            )
    if found:
        yield good(AREA, f"customers are of {', '.join(found)}")
