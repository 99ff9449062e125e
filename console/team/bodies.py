"""What is said with an action on a case."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from console.inputs import Body, Name, NotNull, Sentence, Whole, schema_of

MOST_DAYS: Final = 3650
# Years that every time zone can reckon with.
FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)
Days = Annotated[int, Field(ge=1, le=MOST_DAYS), Whole]

_DAY: Final = {"type": "string", "format": "date", "pattern": "^2[0-9]{3}-"}


class Reasoned(Body):
    """Why, and who says so."""

    reason: Annotated[Sentence, Field(description="For whoever asks later.")]
    by: Annotated[
        Name | None,
        NotNull,
        WithJsonSchema(schema_of(Name)),
        Field(description="Who says so. The label of the key is written down in any case."),
    ] = None


class UntilADay(Reasoned):
    """To the end of a day, or for so many days from now."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["until"]}, {"required": ["days"]}]})

    until: Annotated[
        date | None,
        NotNull,
        WithJsonSchema(_DAY),
        Field(ge=FIRST, le=LAST, description="It counts to its end, in the merchant's time zone."),
    ] = None
    days: Annotated[Days | None, NotNull, WithJsonSchema(schema_of(Days))] = None

    @model_validator(mode="after")
    def _has_an_end(self) -> UntilADay:
        if (self.until is None) == (self.days is None):
            raise ValueError("give until or days, and not both")
        return self


class SoManyDays(Reasoned):
    """So many days more."""

    days: Days


class ToSomebody(Reasoned):
    """Who takes it over."""

    to: Name
