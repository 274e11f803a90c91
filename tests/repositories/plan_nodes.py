"""Query plans as PostgreSQL's EXPLAIN describes them in JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]


def literal(value: Any) -> str:
    """A value as SQL writes it. A list becomes a text that is the literal of an array."""
    if isinstance(value, list):
        value = "{" + ",".join(map(_element, value)) + "}"
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def _element(value: Any) -> str:
    if value is None:
        return "null"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def nodes(plan: Node) -> Iterator[Node]:
    """A node of a plan and all nodes below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
