"""The base of every settings class, and `setting()`, which declares one setting with its explanation."""

from collections.abc import Container, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from settings.errors import Problem

DEFAULT_CURE = "Set it in the environment or in .env."


class Settings(BaseSettings):
    """Frozen, closed to unknown names, and fed by `settings.loading` alone: it never reads os.environ itself.

    Fields can be given by environment name or by field name, which is what tests do.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        # A process needs one class, and what the others are like only to know their names.
        defer_build=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """One source, so that a stray variable of the shell cannot reach a process behind `load`'s back."""
        return (init_settings,)

    @classmethod
    def lacking(cls, given: Container[str]) -> Sequence[Problem]:
        """What is missing by the names that are `given`, beyond the fields that are required one by one."""
        return ()


def setting(
    name: str,
    about: str,
    *,
    example: str,
    default: Any = PydanticUndefined,
    cure: str = DEFAULT_CURE,
    unless: str | None = None,
    **limits: Any,
) -> Any:
    """Declare a setting read from the environment variable `name`.

    `about` says what it does, `cure` what to do when it is wrong; both stand in error messages and in
    docs/settings.md. `default` is written as in the environment, and validated like any other value;
    `unless` names the setting that makes this one, which has a default for that, dispensable; `limits` are
    pydantic's (`ge`, `le`, `default_factory`...).
    """
    if "default_factory" not in limits:
        limits["default"] = default
    return Field(
        validation_alias=name,
        validate_default=True,
        description=about,
        examples=[example],
        json_schema_extra={"cure": cure, "unless": unless},
        **limits,
    )


def dispensable_with(field: FieldInfo) -> str | None:
    """The setting without which this one is required."""
    extra = field.json_schema_extra
    return str(extra["unless"]) if isinstance(extra, dict) and extra.get("unless") else None


def _split(value: object) -> object:
    """`"a, b"` -> `("a", "b")`. Keeps empty items: `a,,b` is a mistake, and the item's own check says so."""
    return tuple(item.strip() for item in value.split(",")) if isinstance(value, str) else value


Commas = BeforeValidator(_split)
"""Marks a tuple that is written with commas: `Annotated[tuple[int, ...], Commas]`."""

Names = Annotated[tuple[str, ...], Commas]
