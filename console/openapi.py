"""The OpenAPI 3.1 document of the API, made from the operations it serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from console.operation import Operation
from console.problems import PROBLEM
from console.scopes import MEANINGS

_REF: Final = "#/components/schemas/{model}"
# What any request may get, by status.
EVERYWHERE: Final[Mapping[int, tuple[str, ...]]] = {500: ("fault",), 503: ("unavailable",)}
WITH_A_KEY: Final[Mapping[int, tuple[str, ...]]] = {
    401: ("key_missing", "key_unknown"),
    403: ("scope_missing",),
}
_ABOUT: Final = """\
May a customer use the product, what is being done about unpaid invoices, and what people decide about them.
Times are ISO 8601 in UTC; amounts are in the currency's smallest unit, as Stripe counts them.
"""

Mode = Literal["validation", "serialization"]


class FieldProblem(BaseModel):
    """A field that is wrong; `field` is empty where it is the whole."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457). `status` and `code` may be relied on."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[FieldProblem] | None = None


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document as plain JSON values."""
    operations = list(operations)
    answers = [(each.path + each.method, TypeAdapter(each.answer)) for each in operations]
    wanted: list[tuple[str, Mode, TypeAdapter[Any]]] = [(key, "serialization", kind) for key, kind in answers]
    wanted.append(("problem", "serialization", TypeAdapter(Problem)))
    schemas, defined = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    bodies = {each.body.__name__: each.body for each in operations if each.body}
    body_refs, body_defs = models_json_schema(
        [(each, "validation") for each in bodies.values()], ref_template=_REF
    )
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(
            each,
            schemas[each.path + each.method, "serialization"],
            body_refs[each.body, "validation"] if each.body else None,
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "dunning", "version": version("dunning-worker"), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**defined.get("$defs", {}), **_left_out(body_defs.get("$defs", {}))},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of `dunning keys create`. Scopes: "
                    + "; ".join(f"`{scope}`: {meaning}" for scope, meaning in MEANINGS.items()),
                }
            },
        },
    }


def _left_out(bodies: Mapping[str, Any]) -> dict[str, Any]:
    """Bodies have no null either, though our models say so of what was left out."""
    for body in bodies.values():
        for described in body.get("properties", {}).values():
            if described.get("default", ...) is None:
                del described["default"]
    return dict(bodies)


def _described(each: Operation, answer: Mapping[str, Any], body: Mapping[str, Any] | None) -> dict[str, Any]:
    responses = {
        "200": {
            "description": "Done" if each.method == "POST" else "Found",
            "content": {each.media_type: {"schema": answer}},
        }
    }
    if each.etag:
        responses["200"]["headers"] = {"ETag": {"schema": {"type": "string"}}}
        responses["304"] = {"description": "The asker has it already"}
    for status, codes in sorted(_problems(each).items()):
        responses[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: " + ", ".join(f"`{code}`" for code in codes),
            "content": {PROBLEM: {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
    described: dict[str, Any] = {
        "operationId": f"{each.method.lower()}{_camel(each.path)}",
        "summary": each.summary,
        "parameters": _parameters(each),
        "responses": responses,
        "security": [{"key": [each.scope]}] if each.scope else [],
    }
    if each.about:
        described["description"] = each.about
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return described


def _problems(each: Operation) -> dict[int, tuple[str, ...]]:
    found = {**EVERYWHERE, **(WITH_A_KEY if each.scope else {})}
    return found | {status: codes + found.get(status, ()) for status, codes in each.problems.items()}


def _camel(path: str) -> str:
    words = path.replace("{", "").replace("}", "").replace("-", "/").replace(".", "/").split("/")
    return "".join(word.capitalize() for word in words)


def _parameters(each: Operation) -> list[dict[str, Any]]:
    in_path = [part[1:-1] for part in _placeholders(each.path)]
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in in_path
    ]
    for place, model in (("query", each.query), ("header", each.headers)):
        if model is None:
            continue
        schema = model.model_json_schema(by_alias=True, ref_template=_REF)
        for name, field in schema["properties"].items():
            required = name in schema.get("required", ())
            described = _without_null(field, schema.get("$defs", {}))
            about = described.pop("description", "")
            found.append(
                {"name": name, "in": place, "required": required, "description": about, "schema": described}
            )
    return found


def _placeholders(path: str) -> list[str]:
    return [f"{{{part.partition('}')[0]}}}" for part in path.split("{")[1:]]


def _without_null(field: Mapping[str, Any], defined: Mapping[str, Any]) -> dict[str, Any]:
    """A query has no null: what may be left out is simply not required."""
    plain = {name: value for name, value in field.items() if name not in ("anyOf", "title", "default")}
    for option in field.get("anyOf", ()):
        if option.get("type") != "null":
            plain = {**option, **plain}
    if "$ref" in plain:
        plain = {**defined[plain.pop("$ref").rpartition("/")[2]], **plain}
    if field.get("default") is not None:
        plain["default"] = field["default"]
    return plain
