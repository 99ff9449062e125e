"""What a request says, checked before anything is done: every wrong field is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from starlette.requests import ClientDisconnect, Request

from console.problems import ProblemError

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

MOST_BYTES: Final = 16_384
JSON: Final = "application/json"

# PostgreSQL's texts hold no NUL, and what stands in a line of a table has no line breaks.
_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"


def _line(most: int) -> StringConstraints:
    return StringConstraints(pattern=_LINE, max_length=most, strict=True)


Sentence = Annotated[str, _line(500)]
"""Some words on one line."""

Name = Annotated[str, _line(80)]
"""Whoever it is."""

Ref = Annotated[str, _line(255)]
"""A provider's id."""


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole: Final = BeforeValidator(_whole)
"""For a number without a fraction: in JSON 7.0 is the same as 7. Its limits stand before this."""


def _given(value: T) -> T:
    if value is None:
        raise ValueError("null is no value: leave it out instead")
    return value


NotNull: Final = AfterValidator(_given)
"""For a field that may be left out: None is its default alone."""


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type."""
    return TypeAdapter(kind).json_schema()


class Inputs(BaseModel):
    """Closed to unknown names: a misspelt one must not silently leave something out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Body(Inputs):
    """A JSON object."""

    model_config = ConfigDict(strict=True)


def query_of(request: Request, model: type[M]) -> M:
    """The query's parameters. Raises ProblemError 400 `invalid_query` with each that is wrong."""
    given = request.query_params.multi_items()
    twice = sorted({name for name, _ in given if len(request.query_params.getlist(name)) > 1})
    if twice:
        raise _invalid("query", [(name, "is given more than once") for name in twice])
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise _invalid("query", _wrong(error)) from None


async def body_of(request: Request, model: type[M]) -> M:
    """The JSON body.

    Raises ProblemError: 415 for another type, 413 for more than MOST_BYTES, 400 `invalid_body` for the rest.
    """
    if not _is_json(request.headers.get("content-type", "")):
        raise ProblemError(
            415, "unsupported_media_type", f"Send JSON in UTF-8: `Content-Type: {JSON}`.", {"accept": JSON}
        )
    try:
        return model.model_validate_json(await _read(request))
    except ValidationError as error:
        raise _invalid("body", _wrong(error)) from None


def _is_json(content_type: str) -> bool:
    """Whether it is JSON in UTF-8; parameters that say nothing of that do not matter."""
    kind, *parameters = content_type.lower().split(";")
    given = (each.partition("=") for each in parameters)
    charsets = {value.strip(' "') for name, _, value in given if name.strip() == "charset"}
    return kind.strip() == JSON and charsets <= {"utf-8", "utf8"}


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                # The rest is not read: the connection cannot be used for anything else.
                raise ProblemError(
                    413,
                    "body_too_large",
                    f"A body may have {MOST_BYTES} bytes.",
                    {"connection": "close"},
                )
    except ClientDisconnect:
        raise ProblemError(400, "invalid_body", "The body ended early.") from None
    return bytes(body)


# Where pydantic speaks to programmers.
_WORDS: Final = {
    "extra_forbidden": "there is no such field",
    "missing": "it is needed",
    "string_pattern_mismatch": "it has to be one line, and not an empty one",
}


def _wrong(error: ValidationError) -> Iterable[tuple[str, str]]:
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        said = _WORDS.get(each["type"]) or each["msg"].removeprefix("Value error, ")
        yield ".".join(map(str, each["loc"])), said[:1].lower() + said[1:]


def _invalid(part: str, wrong: Iterable[tuple[str, str]]) -> ProblemError:
    errors = [{"field": field, "message": message} for field, message in wrong]
    first = errors[0]
    detail = f"{first['field'] or 'It'}: {first['message']}."
    return ProblemError(400, f"invalid_{part}", detail, errors=errors)
