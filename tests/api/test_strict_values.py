"""Values of bodies and queries have one form: a walk over the OpenAPI document tries others everywhere."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.config import Settings
from app.main import create_app
from tests.api.access_table import OPERATIONS, Operation
from tests.api.matrix import Matrix
from tests.builders.exams import body_of
from tests.builders.world import Identity

pytestmark = pytest.mark.anyio

DOCUMENT: dict[str, Any] = create_app(Settings(environment="test")).openapi()
ID = str(uuid4())
OTHER_FORMS: dict[str, list[Any]] = {
    "date-time": [
        20261201,
        1796083200.5,
        "20261201",
        "1796083200",
        "2026-12-01",
        "2026-12-01T10:00",
        "2026-12-01T10:00:00",
        "2026-12-01 10:00:00Z",
        "2026-12-01T10:00:00+0530",
        "2026-13-01T10:00:00Z",
        " 2026-12-01T10:00:00Z",
        True,
    ],
    "uuid": [f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", ""), f" {ID}", 7],
    "boolean": ["yes", "true", "on", 1, 0, 1.0],
    "integer": ["1", 1.0, True, " 1"],
}
"""Values that Pydantic would read as this format or type, and which mean something else or are a mistake."""

Steps = tuple[str | int, ...]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def kind_of(schema: dict[str, Any]) -> str | None:
    """The format or type that has other forms."""
    found = schema.get("format", schema.get("type"))
    return found if found in OTHER_FORMS else None


def fields_of(schema: dict[str, Any], steps: Steps = ()) -> Iterator[tuple[Steps, str, Any]]:
    """Each field of a body below this schema: where it stands, its kind, and a document around it."""
    schema = resolved(schema)
    if len(steps) > 8:
        return
    if kind := kind_of(schema):
        yield steps, kind, None
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from fields_of(branch, steps)
    for name, part in schema.get("properties", {}).items():
        fixed = {key: each["const"] for key, each in schema["properties"].items() if "const" in each}
        for inside, kind, around in fields_of(part, (*steps, name)):
            yield inside, kind, {**fixed, **(around or {})} if not steps else around
    if "items" in schema:
        yield from fields_of(schema["items"], (*steps, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        names = resolved(schema.get("propertyNames", {}))
        key = names.get("enum", [ID if names.get("format") == "uuid" else "en"])[0]
        yield from fields_of(schema["additionalProperties"], (*steps, key))


def document_with(steps: Steps, value: Any, around: dict[str, Any] | None) -> Any:
    """The smallest body that has the value at this place."""
    for step in reversed(steps):
        value = [value] if step == 0 else {step: value}
    return {**(around or {}), **value}


def bodies() -> Iterator[tuple[Operation, Steps, str, Any]]:
    for method, template in OPERATIONS:
        described = DOCUMENT["paths"][template][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in described:
            for steps, kind, around in fields_of(described["application/json"]["schema"]):
                yield (method, template), steps, kind, around


def queries(*kinds: str) -> Iterator[tuple[Operation, str, str]]:
    for method, template in OPERATIONS:
        for each in DOCUMENT["paths"][template][method.lower()].get("parameters", []):
            schemas = [each["schema"], *each["schema"].get("anyOf", [])]
            for kind in {kind_of(resolved(schema)) for schema in schemas} & set(kinds):
                if each["in"] == "query" and kind:
                    yield (method, template), each["name"], kind


BODIES = list(bodies())


@pytest.mark.parametrize("operation", sorted({each[0] for each in BODIES}), ids=" ".join)
async def test_fields_of_bodies(matrix: Matrix, operation: Operation) -> None:
    path, taken = matrix.world.path(operation[1]), []
    for _, steps, kind, around in (each for each in BODIES if each[0] == operation):
        field = ".".join(str(step) for step in steps)
        for value in OTHER_FORMS[kind]:
            body = document_with(steps, value, around)
            answer = await matrix.send(Identity.ADMIN, operation, path, json=body)
            errors = body_of(answer, 422).get("errors", [])
            if not any(is_at(error["field"], field) for error in errors):
                taken.append((field, value, [error["field"] for error in errors]))
    assert taken == []


def is_at(reported: str, field: str) -> bool:
    """Unions add the name of the branch to the place, such as `tag.constrained-str` or `statements.intro`."""
    return set(field.split(".")) <= set(reported.split("."))


def test_the_walk_finds_the_fields() -> None:
    found = {(operation, ".".join(map(str, steps))): kind for operation, steps, kind, _ in BODIES}
    exams, tests = ("POST", "/v1/exams"), ("POST", "/v1/tests")
    assert found[exams, "opens_at"] == "date-time"
    assert found[tests, "sections.0.question_ids.0"] == "uuid"
    assert found[tests, "shuffle.options"] == "boolean"
    assert len(found) > 80


@pytest.mark.parametrize(("operation", "name", "kind"), list(queries("date-time", "uuid")), ids=str)
async def test_query_parameters(matrix: Matrix, operation: Operation, name: str, kind: str) -> None:
    for value in OTHER_FORMS[kind]:
        path = matrix.world.path(operation[1])
        answer = await matrix.send(Identity.ADMIN, operation, path, params={name: value})
        assert [error["field"] for error in body_of(answer, 422)["errors"]] == [f"query.{name}"], value


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z"),
        ("2026-12-01t10:00:00.25z", "2026-12-01T10:00:00.250000Z"),
        ("2026-12-01T10:00:00+05:30", "2026-12-01T04:30:00Z"),
        ("2026-12-01T10:00:00.123456789-00:00", "2026-12-01T10:00:00.123456Z"),
    ],
)
async def test_times_as_rfc_3339_writes_them(author: httpx.AsyncClient, given: str, read: str) -> None:
    body = {"title": "Mock", "opens_at": given, "closes_at": "2090-01-01T08:00:00Z"}
    assert body_of(await author.post("/exams", json=body), 201)["opens_at"] == read
