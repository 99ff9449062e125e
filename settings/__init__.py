"""Settings, one class per process, read from the environment and .env."""

from settings.errors import Problem, SettingsError
from settings.load import given, load
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
