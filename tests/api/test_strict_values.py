"""Values of bodies and queries have one form: a walk over the OpenAPI document tries others everywhere."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.access_table import OPERATIONS, Operation
from tests.api.body_fields import DOCUMENT, ID, document_with, fields_of_bodies, resolved
from tests.api.matrix import Matrix, body_for
from tests.builders.exams import body_of
from tests.builders.world import Identity
from tests.thorough import part

pytestmark = pytest.mark.anyio

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


def kind_of(schema: dict[str, Any]) -> str | None:
    """The format or type that has other forms."""
    found = schema.get("format", schema.get("type"))
    return found if found in OTHER_FORMS else None


def queries(*kinds: str) -> Iterator[tuple[Operation, str, str]]:
    for method, template in OPERATIONS:
        for each in DOCUMENT["paths"][template][method.lower()].get("parameters", []):
            schemas = [each["schema"], *each["schema"].get("anyOf", [])]
            for kind in {kind_of(resolved(schema)) for schema in schemas} & set(kinds):
                if each["in"] == "query" and kind:
                    yield (method, template), each["name"], kind


BODIES = fields_of_bodies(kind_of)


async def test_fields_of_bodies(matrix: Matrix) -> None:
    """Each field with a sixth of the values in `make test`, and with one at least."""
    taken = []
    for operation, steps, kind, around in BODIES:
        path, field = matrix.world.path(operation[1]), ".".join(map(str, steps))
        forms = OTHER_FORMS[kind]
        for value in part(forms, f"{operation} {field}", min(len(forms), 6)):
            body, identity = document_with(steps, value, around), Identity.ADMIN
            if operation[1].endswith("/responses"):
                identity, body = Identity.OWNER, save_with(operation, matrix, body)
            answer = await matrix.send(identity, operation, path, json=body)
            errors = body_of(answer, 422).get("errors", [])
            if field not in {error["field"] for error in errors}:
                taken.append((operation, field, value, [error["field"] for error in errors]))
    assert taken == []


def save_with(operation: Operation, matrix: Matrix, wrong: dict[str, Any]) -> dict[str, Any]:
    """A right save with this part in it. Single responses are read once the rest of the body is right."""
    right: dict[str, Any] = body_for(operation, matrix.world.mine)["json"]
    if "responses" in wrong:
        return right | {"responses": [right["responses"][0] | wrong["responses"][0]]}
    return right | wrong


def test_the_walk_finds_the_fields() -> None:
    found = {(operation, ".".join(map(str, steps))): kind for operation, steps, kind, _ in BODIES}
    exams, tests = ("POST", "/v1/exams"), ("POST", "/v1/tests")
    assert found[exams, "opens_at"] == "date-time"
    assert found[tests, "sections.0.question_ids.0"] == "uuid"
    assert found[tests, "shuffle.options"] == "boolean"
    assert len(found) > 80


async def test_query_parameters(matrix: Matrix) -> None:
    for operation, name, kind in queries("date-time", "uuid"):
        path = matrix.world.path(operation[1])
        for value in OTHER_FORMS[kind]:
            answer = await matrix.send(Identity.ADMIN, operation, path, params={name: value})
            errors = body_of(answer, 422)["errors"]
            assert [error["field"] for error in errors] == [name], (operation, value)


async def test_times_as_rfc_3339_writes_them(author: httpx.AsyncClient) -> None:
    for given, read in [
        ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z"),
        ("2026-12-01t10:00:00.25z", "2026-12-01T10:00:00.250000Z"),
        ("2026-12-01T10:00:00+05:30", "2026-12-01T04:30:00Z"),
        ("2026-12-01T10:00:00.123456789-00:00", "2026-12-01T10:00:00.123456Z"),
    ]:
        body = {"title": "Mock", "opens_at": given, "closes_at": "2090-01-01T08:00:00Z"}
        assert body_of(await author.post("/exams", json=body), 201)["opens_at"] == read, given
