"""Reading the OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]
REF = "#/components/schemas/"


def operations(document: Mapping[str, Any]) -> Iterator[Json]:
    """Every operation of the document."""
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method != "parameters")


def type_name(operation: Mapping[str, Any], suffix: str) -> str:
    """A name for a schema of this operation, such as `StartTestProblem`."""
    return "".join(word.capitalize() for word in operation["operationId"].split("_")) + suffix


def components(document: Json) -> Json:
    """The named schemas of the document."""
    schemas: Json = document.setdefault("components", {}).setdefault("schemas", {})
    return schemas


def ref(name: str) -> Json:
    """A reference to a named schema."""
    return {"$ref": REF + name}
