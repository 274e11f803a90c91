"""Errors in a request's content: the field as the client wrote it, and how to correct it.

The content is not repeated in the error.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection

from app.api.validation_messages import message_of
from app.core.errors import FieldError, Invalid
from app.sentences import Sentence

MAX_ERRORS = 50
MAX_ERRORS_PER_RESPONSE = 5
MAX_FIELD_LENGTH = 200
MAX_INTEGER = 2**63 - 1
MAX_PARAMETERS = 100
WHOLE_BODY: Final = "body"
"""The field of an error that concerns the body as a whole."""


def field_errors(refused: RequestValidationError) -> list[FieldError]:
    """Convert Pydantic's errors in a request. Branches of a union may give the same error."""
    found = (
        FieldError(_field(error, refused.body), message_of(error))
        for error in islice(refused.errors(), MAX_ERRORS)
    )
    return list(dict.fromkeys(found))


def response_errors(errors: Iterable[Mapping[str, Any]], sent: Any) -> list[FieldError]:
    """Convert Pydantic's errors in one response of a save. Their locations begin with its place."""
    found = []
    for error in islice(errors, MAX_ERRORS_PER_RESPONSE):
        place, *steps = error["loc"]
        path = (place, *_steps_in(sent, steps, is_missing=error["type"] == "missing"))
        found.append(FieldError(f"responses.{dotted(path)}", message_of(error)))
    return found


def dotted(path: Iterable[str | int]) -> str:
    """A path in a payload as text, such as `responses.3.answer`."""
    text = ".".join(str(step) for step in path)
    return text if len(text) <= MAX_FIELD_LENGTH else text[:MAX_FIELD_LENGTH] + "…"


def _field(error: Mapping[str, Any], body: Any) -> str:
    """The path in the body, or the name of a parameter or header."""
    place, *steps = error["loc"]
    if place != "body":
        return dotted(steps[:1])
    found = _steps_in(body, steps, is_missing=error["type"] == "missing")
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        found.append(error["ctx"]["discriminator"].strip("'"))
    return dotted(found) or WHOLE_BODY


def _steps_in(payload: Any, location: Iterable[str | int], *, is_missing: bool) -> list[str | int]:
    """The steps of a location that exist in the payload.

    Pydantic adds steps for branches of unions, for functions and for keys. A missing field is the last step.
    """
    steps = list(location)
    found: list[str | int] = []
    for step in steps[:-1] if is_missing else steps:
        if isinstance(payload, Mapping) and step in payload:
            found.append(step)
            payload = payload[str(step)]
        elif isinstance(payload, list) and isinstance(step, int) and step < len(payload):
            found.append(step)
            payload = payload[step]
    return found + steps[-1:] if is_missing else found


def refuse_unstorable(connection: HTTPConnection) -> None:
    """Raise Invalid if a query or path has values that PostgreSQL cannot store, or too many parameters."""
    if connection.scope["query_string"].count(b"&") >= MAX_PARAMETERS:
        raise Invalid(
            Sentence("The query has too many parameters. Send at most {most}.", most=MAX_PARAMETERS)
        )
    for name, value in (*connection.query_params.multi_items(), *connection.path_params.items()):
        if found := value_error(name) or value_error(value):
            raise Invalid.field(dotted((name,)), found)


def value_error(value: Any) -> str | None:
    """The error message for a scalar value, or None if it can be stored."""
    if isinstance(value, str):
        return _text_error(value)
    if isinstance(value, float) and not math.isfinite(value):
        return Sentence("Send a finite number.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return Sentence("Send a number that fits in 64 bits.")
    return None


def _text_error(text: str) -> str | None:
    if "\0" in text:
        return Sentence("Remove the NUL character from the text.")
    try:
        text.encode()
    except UnicodeEncodeError:
        return Sentence("Remove the unpaired surrogate from the text: it is half a character.")
    return None
