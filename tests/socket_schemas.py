"""Compares messages of sockets with the AsyncAPI document."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from app.api.asyncapi import document

Json = dict[str, Any]


def check_message(message: Json) -> None:
    """Raise ValidationError if the document does not describe this message, or not all of its fields."""
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
