"""Build one process's settings from the environment and .env, or say everything that is wrong with them."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from settings.errors import Problem, SettingsError
from settings.field import DEFAULT_CURE, Settings
from settings.processes import PROCESSES
from settings.systems import lacking

T = TypeVar("T", bound=Settings)

PREFIX = "DUNNING_"
# Docker Compose reads the same .env for its own variables and for those of the postgres image.
FOREIGN_PREFIXES = ("COMPOSE_", "POSTGRES_")


def load(settings: type[T], env: Mapping[str, str] = os.environ, env_file: Path | None = Path(".env")) -> T:
    """Read `settings` from `env`, and from `env_file` where `env` is silent; empty counts as not set.

    Raises SettingsError with every wrong or missing setting, and with every DUNNING_* variable or .env key
    that no process knows: a misspelt name must not silently leave a default in force.
    """
    filed = _read_env_file(env_file)
    found = _given(env, filed)
    own_names = fields_by_name(settings)
    own = {name: found[name] for name in own_names if name in found}
    problems = _unknown(env, filed)
    try:
        built = settings(**own)
    except ValidationError as invalid:
        problems += _invalid(settings, invalid, found)
    problems += [*lacking(own_names, found), *settings.lacking(found)]
    if problems:
        # `from None`: pydantic's own error shows the rejected input, and that may be a secret.
        raise SettingsError(tuple(problems)) from None
    return built


def given(env: Mapping[str, str] = os.environ, env_file: Path | None = Path(".env")) -> dict[str, str]:
    """What is set, in `env` or where that is silent in `env_file`; unchecked. Raises SettingsError."""
    return _given(env, _read_env_file(env_file))


def fields_by_name(settings: type[Settings]) -> dict[str, FieldInfo]:
    """The settings of one class by environment name, in order of declaration."""
    return {str(field.validation_alias): field for field in settings.model_fields.values()}


def known_names() -> frozenset[str]:
    """The environment name of every setting of every process."""
    return frozenset(name for settings in PROCESSES for name in fields_by_name(settings))


def _given(env: Mapping[str, str], filed: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in {**filed, **env}.items() if value.strip()}


def _read_env_file(env_file: Path | None) -> dict[str, str]:
    if env_file is None or not env_file.is_file():
        return {}
    try:
        # No interpolation: a dollar sign in a password is a dollar sign.
        values = dotenv_values(env_file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((Problem(str(env_file), "cannot be read", f"{type(error).__name__}"),)) from error
    return {name: value or "" for name, value in values.items()}


def _unknown(env: Mapping[str, str], filed: Mapping[str, str]) -> list[Problem]:
    known = known_names()
    suspects = {name: "the environment" for name in env if name.startswith(PREFIX)}
    suspects |= {name: ".env" for name in filed if not name.startswith(FOREIGN_PREFIXES)}
    problems = []
    for name, place in sorted(suspects.items()):
        if name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.75)
            cure = (
                f"Did you mean {close[0]}?"
                if close
                else "Remove it, or look the name up in docs/settings.md."
            )
            problems.append(Problem(name, f"is set in {place}, but there is no such setting.", cure))
    return problems


def _invalid(settings: type[Settings], invalid: ValidationError, given: Mapping[str, str]) -> list[Problem]:
    """One problem per setting, the first that was found, in order of declaration."""
    # An error in a default is told by the field's name. One that is made from another setting fails with it.
    names = {
        attribute: str(field.validation_alias)
        for attribute, field in settings.model_fields.items()
        if field.default_factory is None
    }
    first: dict[str, Any] = {}
    for error in invalid.errors(include_input=False, include_url=False):
        place = str(error["loc"][0])
        first.setdefault(names.get(place, place), error)
    return [
        _problem(name, field, first[name], given)
        for name, field in fields_by_name(settings).items()
        if name in first
    ]


def _problem(name: str, field: FieldInfo, error: Mapping[str, Any], given: Mapping[str, str]) -> Problem:
    extra = field.json_schema_extra
    cure = str(extra["cure"]) if isinstance(extra, dict) else DEFAULT_CURE
    example = str(field.examples[0]) if field.examples else None
    if error["type"] == "missing":
        alike = get_close_matches(name, given.keys() - known_names(), n=1, cutoff=0.9)
        cure = f"{alike[0]} is set: did you mean {name}? {cure}" if alike else cure
        return Problem(name, f"is not set. {field.description}", cure, example)
    wrong = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return Problem(name, f"{wrong}.", cure, example)
