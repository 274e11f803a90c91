"""Compares messages of sockets with the AsyncAPI document."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from app.api.asyncapi import document

Json = dict[str, Any]


def object_schemas(node: Any) -> Iterator[dict[str, Any]]:
    """All schemas in a document that have `properties`."""
    if isinstance(node, list):
        for each in node:
            yield from object_schemas(each)
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for each in node.values():
            yield from object_schemas(each)


def check_message(message: Json) -> None:
    """Raise ValidationError if the document does not describe this message, or not all of its fields.

    For an unknown type of message, raise KeyError.
    """
    _validator(message["type"]).validate(message)


@cache
def _validator(kind: str) -> Draft202012Validator:
    components = document("http://127.0.0.1:8000")["components"]
    schema = {
        **components["messages"][kind]["payload"],
        "components": {"schemas": components["schemas"]},
    }
    closed = _closed(schema)
    Draft202012Validator.check_schema(closed)
    return Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _closed(node: Any) -> Any:
    """The schema, which then refuses fields that it does not name. Clients ignore them; a test does not."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(each) for name, each in node.items()}
    return closed | {"additionalProperties": False} if isinstance(node.get("properties"), dict) else closed
