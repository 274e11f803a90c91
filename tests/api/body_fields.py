"""The fields of all request bodies, found by a walk over the OpenAPI document."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from tests.api.access_table import OPERATIONS, Operation
from tests.api.document import openapi_document

DOCUMENT: dict[str, Any] = openapi_document()
ID = str(uuid4())

Steps = tuple[str | int, ...]
KindOf = Callable[[dict[str, Any]], str | None]
"""Names the kind of a schema, or returns None if fields with this schema are not wanted."""


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def fields_of(schema: dict[str, Any], kind_of: KindOf, steps: Steps = ()) -> Iterator[tuple[Steps, str, Any]]:
    """Each wanted field of a body below this schema: its place, its kind, and what must stand beside it."""
    schema = resolved(schema)
    if len(steps) > 8:
        return
    if kind := kind_of(schema):
        yield steps, kind, None
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from fields_of(branch, kind_of, steps)
    for name, part in schema.get("properties", {}).items():
        fixed = {key: each["const"] for key, each in schema["properties"].items() if "const" in each}
        for inside, kind, around in fields_of(part, kind_of, (*steps, name)):
            yield inside, kind, around if steps else {**fixed, **(around or {})}
    if "items" in schema:
        yield from fields_of(schema["items"], kind_of, (*steps, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        names = resolved(schema.get("propertyNames", {}))
        key = names.get("enum", [ID if names.get("format") == "uuid" else "en"])[0]
        yield from fields_of(schema["additionalProperties"], kind_of, (*steps, key))


def fields_of_bodies(kind_of: KindOf) -> list[tuple[Operation, Steps, str, Any]]:
    """The wanted fields of all JSON bodies."""
    found = []
    for method, template in OPERATIONS:
        described = DOCUMENT["paths"][template][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in described:
            fields = fields_of(described["application/json"]["schema"], kind_of)
            found += [((method, template), steps, kind, around) for steps, kind, around in fields]
    return found


def document_with(steps: Steps, value: Any, around: dict[str, Any] | None) -> Any:
    """The smallest body that has the value at this place."""
    for step in reversed(steps):
        value = [value] if step == 0 else {step: value}
    return {**(around or {}), **value}
