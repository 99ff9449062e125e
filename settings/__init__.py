"""Settings, one class per process, read from the environment and .env."""

from importlib import import_module
from typing import TYPE_CHECKING

from settings.errors import Problem, SettingsError

if TYPE_CHECKING:
    from settings.loading import given, load
    from settings.processes import (
        ApiSettings,
        ImportSettings,
        PolicySettings,
        PortalSettings,
        PreviewSettings,
        ReceiverSettings,
        SchedulerSettings,
        ToolSettings,
        WorkerSettings,
    )
else:

    def __getattr__(name: str) -> object:
        """Not before it is used: processes are put together of what packages of `providers/` declare, with
        what stands here.
        """
        if name not in __all__:
            raise AttributeError(name)
        return getattr(
            import_module(f"settings.{'processes' if name.endswith('Settings') else 'loading'}"), name
        )


__all__ = [
    "ApiSettings",
    "ImportSettings",
    "PolicySettings",
    "PortalSettings",
    "PreviewSettings",
    "Problem",
    "ReceiverSettings",
    "SchedulerSettings",
    "SettingsError",
    "ToolSettings",
    "WorkerSettings",
    "given",
    "load",
]
