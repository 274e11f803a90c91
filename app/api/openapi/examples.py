"""Examples of bodies: the one of the schema itself, or one that is composed from those of its fields."""

from contextlib import suppress
from typing import Any

from app.api.openapi.bodies import EXAMPLES
from app.api.openapi.operations import REF, Json, components, operations

_BY_FORMAT = {
    "binary": "(the content of the file)",
    "date": "2027-05-23",
    "date-time": "2027-05-23T04:00:00Z",
    "email": "asha@example.org",
    "password": "correct horse battery staple",
    "uuid": "0198a5c0-7c1e-7000-8000-000000000001",
}


class NoExample(ValueError):
    """A text has no example, and none follows from its type."""


def add_all(document: Json) -> None:
    """Give every body an example, except where a field has none. A test names these fields."""
    schemas = components(document)
    for operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            with suppress(NoExample):
                content["example"] = example_of(content["schema"], schemas)


def example_of(schema: Json, schemas: Json) -> Any:
    """An example of this schema: its first one, or one that its type suggests."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return EXAMPLES.get(name) or example_of(schemas[name], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return example_of(next(each for each in schema[union] if each.get("type") != "null"), schemas)
    return _of_type(schema, schemas)


def _of_type(schema: Json, schemas: Json) -> Any:
    match schema.get("type"):
        case "object":
            return _of_object(schema, schemas)
        case "array":
            return [example_of(schema["items"], schemas) for _ in range(int(schema.get("minItems", 1)))]
        case "integer" | "number":
            return int(schema.get("minimum", 1))
        case "boolean":
            return True
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    raise NoExample("write `examples` in its Field")


def _of_object(schema: Json, schemas: Json) -> Json:
    """The fields that are required, and the optional ones that have an example."""
    example = {}
    for name, field in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or _has_example(field, schemas):
            try:
                example[name] = example_of(field, schemas)
            except NoExample as error:
                raise NoExample(f"{name}: {error}") from None
    return example


def _has_example(field: Json, schemas: Json) -> bool:
    if "examples" in field:
        return True
    if "$ref" in field:
        return _has_example(schemas[field["$ref"].removeprefix(REF)], schemas)
    return any(_has_example(each, schemas) for each in field.get("anyOf", ()))
