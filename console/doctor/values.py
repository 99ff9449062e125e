"""The settings, process by process and group by group: what is wrong with some hides nothing of the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from console.doctor.finding import Finding, fault, good
from settings import Problem, SettingsError, WorkerSettings, load
from settings.field import Settings
from worker import build

AREA = "Settings"

T = TypeVar("T", bound=Settings)


class Values:
    """What is set, in `env` and where that is silent in `env_file`."""

    def __init__(self, env: Mapping[str, str] = os.environ, env_file: Path | None = Path(".env")) -> None:
        self._env = env
        self._env_file = env_file

    def of(self, group: type[T]) -> T | None:
        """One group of settings, or None where something of it is wrong or missing."""
        try:
            return load(group, self._env, self._env_file)
        except SettingsError:
            return None

    def findings(self, processes: Mapping[str, type[Settings]]) -> list[Finding]:
        """Everything that would stop one of these from starting; `processes` by their commands' names."""
        problems: dict[str, Problem] = {}
        stopped: dict[str, list[str]] = {}
        for name, process in processes.items():
            for problem in self._problems(process):
                problems[problem.name] = problem
                stopped.setdefault(problem.name, []).append(name)
        if not problems:
            return [good(AREA, f"complete for {', '.join(processes)}")]
        return [
            fault(AREA, f"{name} {problem.wrong}", _stops(stopped[name]), problem.cure)
            for name, problem in problems.items()
        ]

    def _problems(self, process: type[Settings]) -> tuple[Problem, ...]:
        try:
            loaded = load(process, self._env, self._env_file)
            if isinstance(loaded, WorkerSettings):
                # The policy file and templates of the merchant's own.
                build.check(loaded)
        except SettingsError as error:
            return error.problems
        return ()


def _stops(names: list[str]) -> str:
    return "These do not start: " + ", ".join(names) + "."
