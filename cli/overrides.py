"""Options that stand in for settings, checked by the same rules and with the same messages."""

import os
from collections.abc import Mapping


def environment(**options: object) -> Mapping[str, str]:
    """This process's environment with the given settings put before it; None leaves a setting as it is.

    `load(WorkerSettings, env=environment(DUNNING_WORKER_THREADS=threads))`
    """
    return {**os.environ, **{name: str(value) for name, value in options.items() if value is not None}}
