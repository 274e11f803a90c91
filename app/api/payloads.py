"""Error messages about a request's content. They say how to correct it and do not repeat it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from starlette.requests import HTTPConnection

from app.core.errors import FieldError, Invalid

Path = tuple[str | int, ...]

MOST_ERRORS = 50
MOST_ERRORS_PER_RESPONSE = 5
LONGEST_FIELD = 200
LARGEST_INTEGER = 2**63 - 1
MOST_PARAMETERS = 100

NOT_A_UUID = "Send a UUID with hyphens, such as 0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b."
_NOT_A_TIME = "Send a time that exists, as text with an offset, such as 2026-12-01T10:00:00+05:30."

_ADVICE = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field. Leave it out.",
    "uuid_parsing": NOT_A_UUID,
    "uuid_type": NOT_A_UUID,
    "bool_type": "Send true or false.",
    "int_type": "Send a whole number.",
    "datetime_parsing": _NOT_A_TIME,
    "datetime_from_date_parsing": _NOT_A_TIME,
    "model_type": "Send a JSON object.",
    "model_attributes_type": "Send a JSON object.",
    "dict_type": "Send a JSON object.",
    "list_type": "Send a list.",
    "string_type": "Send a string.",
    "string_unicode": "Send text in UTF-8.",
    "union_tag_invalid": "Send one of the documented types.",
}


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Convert Pydantic's errors."""
    return [FieldError(dotted(_location(error)), _advice(error)) for error in islice(errors, MOST_ERRORS)]


def response_errors(errors: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Convert Pydantic's errors in one response of a save. Their locations begin with its place."""
    return [
        FieldError(f"responses.{dotted(error['loc'])}", _advice(error))
        for error in islice(errors, MOST_ERRORS_PER_RESPONSE)
    ]


def dotted(location: Sequence[str | int]) -> str:
    """The path of a field: `responses.3.answer` in the body, `query.limit` elsewhere."""
    parts = location[1:] if len(location) > 1 and location[0] == "body" else location
    path = ".".join(str(part) for part in parts)
    return path if len(path) <= LONGEST_FIELD else path[:LONGEST_FIELD] + "…"


def _location(error: Mapping[str, Any]) -> Path:
    """The location of an error, without the character position in invalid JSON and the number of a
    repeated query parameter."""
    location: Path = error["loc"]
    if error["type"] == "json_invalid":
        return location[:1]
    return location[:2] if location[0] == "query" else location


def _advice(error: Mapping[str, Any]) -> str:
    kind, message = error["type"], str(error["msg"])
    if kind == "json_invalid":
        return "The body is not valid JSON."
    if error["loc"] == ("body",) and kind in ("missing", "model_attributes_type", "dict_type"):
        return "Send a JSON object as the body, with Content-Type: application/json."
    if "valid email address" in message:
        return "Send an e-mail address like name@example.org."
    return _ADVICE.get(kind) or message.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def refuse_unstorable(connection: HTTPConnection) -> None:
    """Raise Invalid if a query or path has values that PostgreSQL cannot store, or too many parameters."""
    if connection.scope["query_string"].count(b"&") >= MOST_PARAMETERS:
        raise Invalid(f"The query has too many parameters. Send at most {MOST_PARAMETERS}.")
    query, path = connection.query_params.multi_items(), connection.path_params.items()
    for place, values in (("query", query), ("path", path)):
        for name, value in values:
            if found := value_error(name) or value_error(value):
                raise Invalid.field(f"{place}.{dotted((name,))}", found)


def value_error(value: Any) -> str | None:
    """The error message for a scalar value, or None if it can be stored."""
    if isinstance(value, str):
        return _text_error(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "Send a finite number."
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return "Send a number that fits in 64 bits."
    return None


def _text_error(text: str) -> str | None:
    if "\0" in text:
        return "Remove the NUL character from the text."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "Remove the unpaired surrogate from the text: it is half a character."
    return None
