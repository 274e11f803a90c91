"""Values in bodies have one form: JSON's own types, UUIDs with hyphens, and RFC 3339 times with an offset.

Pydantic would also read `1` and `"yes"` as true, `"1"` and `1.0` as 1, numbers as times, and UUIDs in braces.
A client that sends such a value has a mistake, and guessing what it meant can start an exam in 1970.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import CoreSchema, core_schema

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_JSON_TYPES = ("bool", "int", "float")
_NOT_SCHEMAS = frozenset({"default", "metadata", "serialization", "ref", "cls", "config"})
"""Parts of a core schema that do not say how input is validated."""


def _rfc_3339(value: Any) -> Any:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("Send a time as text with an offset, such as 2026-12-01T10:00:00+05:30.")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("Send a time between the years 1 and 9999.") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), AfterValidator(_in_utc)]
"""A time as RFC 3339 writes it, with an offset; converted to UTC."""


def strict(schema: CoreSchema) -> CoreSchema:
    """The schema of a body in which booleans, numbers and UUIDs have only one form, at any depth."""
    strict_schema: CoreSchema = _strict(schema)
    return strict_schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if isinstance(node, tuple):
        return tuple(_strict(each) for each in node)
    if not isinstance(node, dict):
        return node
    if node.get("type") == "uuid":
        return _UUID
    inside = {name: part if name in _NOT_SCHEMAS else _strict(part) for name, part in node.items()}
    return inside | {"strict": True} if node.get("type") in _JSON_TYPES else inside


# The length is checked by Pydantic's own code, because a save has up to 200 ids. Only the form with hyphens
# has this length. The JSON branch is what the OpenAPI document describes.
_UUID = core_schema.custom_error_schema(
    core_schema.json_or_python_schema(
        core_schema.uuid_schema(),
        core_schema.chain_schema(
            [
                core_schema.str_schema(min_length=36, max_length=36, strip_whitespace=False, strict=True),
                core_schema.uuid_schema(),
            ]
        ),
    ),
    custom_error_type="uuid_parsing",
    custom_error_context={"error": "not the form with hyphens"},
)
