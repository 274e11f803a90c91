"""Problems in the OpenAPI document: each operation has a schema of its problems that lists their codes.

A route declares its own errors by `problems(…)`, and its `Access` those of authentication and authorization.
The errors that follow from the form of a request are added here. Tests fail where a response has a code that
its operation does not list (tests/documented_problems.py).
"""

from collections.abc import Iterator, Mapping

from pydantic.json_schema import models_json_schema

from app.api.openapi.operations import REF, Json, components, operations, ref, type_name
from app.api.problems import DECLARED, PROBLEM_JSON, problems
from app.core.errors import (
    BodyTooSlow,
    DomainError,
    Invalid,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from app.core.idempotency import IdempotencyKeyReused, ResponseNotStored
from app.schemas.problems import Problem


def describe(document: Json) -> None:
    """Replace the declared errors of each operation by responses with a schema."""
    schemas = components(document)
    _, shapes = models_json_schema([(Problem, "serialization")], ref_template=REF + "{model}")
    schemas.update(shapes["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operation in operations(document):
        responses = operation["responses"]
        if "application/json" in responses.get("422", {}).get("content", {}):
            del responses["422"]  # FastAPI's own schema, which is never sent.
        _add_common(operation)
        name = type_name(operation, "Problem")
        codes = sorted(code for response in responses.values() for code in response.get(DECLARED, ()))
        schemas[name] = _schema_of(codes)
        for response in responses.values():
            _finish(response, name)


def _add_common(operation: Json) -> None:
    responses = operation["responses"]
    for status, response in problems(*_common(operation)).items():
        known = responses.setdefault(str(status), {DECLARED: {}})
        if DECLARED in known:  # A health check sends 503 with a document of its own.
            known[DECLARED] = known[DECLARED] | response[DECLARED]


def _common(operation: Json) -> Iterator[type[DomainError]]:
    """The errors that follow from the form of the request. Any operation may be limited or unavailable."""
    yield from (Invalid, TooManyRequests, Unavailable)
    parameters = operation.get("parameters", ())
    if any(each["in"] == "path" for each in parameters):
        yield NotFound
    if "requestBody" in operation:
        yield from (BodyTooSlow, TooLarge)
    if any(each["name"] == "Idempotency-Key" for each in parameters):
        yield from (ResponseNotStored, IdempotencyKeyReused)


def _schema_of(codes: list[str]) -> Json:
    enum = {"type": "string", "enum": codes}
    return {
        "allOf": [
            ref(Problem.__name__),
            {"type": "object", "properties": {"code": enum}, "required": ["code"]},
        ]
    }


def _finish(response: Json, name: str) -> None:
    titles: Mapping[str, str] | None = response.pop(DECLARED, None)
    if titles is not None:
        response["description"] = " · ".join(f"`{code}`: {title}" for code, title in titles.items())
        response["content"] = {PROBLEM_JSON: {"schema": ref(name)}}
