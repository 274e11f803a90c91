"""Reads JSON bodies: limits their size before parsing, and refuses values that PostgreSQL cannot store."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.api.payloads import MAX_ERRORS, WHOLE_BODY, dotted, value_error
from app.core.errors import FieldError, Invalid
from app.sentences import Sentence

MAX_SIGNS = 50_000
"""Brackets and commas, including those in texts: an upper bound of the values, counted before parsing."""
MAX_VALUES = 6_000
"""Validation costs more than parsing, most if every value is wrong. 1,000 grants of extra time have 5,000."""
MAX_FIELDS = 600
"""Per object. Marks for each of 500 questions have 500."""

# Values that cannot be stored are visible in the text: an escaped NUL or surrogate, NaN or Infinity, a number
# with very many digits or a very large exponent. If the text has none of these, no value needs a check.
_SUSPICIOUS = (
    re.compile(r"\\u(?:0000|[dD][89a-fA-F])"),
    re.compile(r"[0-9]{19}"),
    re.compile(r"[eE]\+?[0-9]{3}"),
)

# A place in the document as a linked list, so that each value costs one small tuple at any depth.
Place = tuple["Place", str | int] | None


def read_json(body: bytes, most_values: int = MAX_VALUES) -> Any:
    """Parse a body. Raises Invalid, or JSONDecodeError if it is not JSON."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Invalid("The body is not valid UTF-8.") from None
    signs = sum(text.count(sign) for sign in "[{,")
    if signs > MAX_SIGNS:
        raise _too_many(most_values)
    try:
        document = json.loads(text)
    except RecursionError:
        raise Invalid("The body is nested too deeply.") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python limits the number of digits of an integer.
        raise Invalid("A number of the body has too many digits.") from None
    if signs >= min(most_values, MAX_FIELDS):
        _refuse_many(document, most_values)
    if is_suspicious(text):
        _refuse_unstorable(document)
    return document


def is_suspicious(text: str) -> bool:
    """Whether JSON may have a value that cannot be stored. Several searches are faster than one combined."""
    return "NaN" in text or "Infinity" in text or any(pattern.search(text) for pattern in _SUSPICIOUS)


def _refuse_many(document: Any, most_values: int) -> None:
    waiting, seen = [document], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > most_values:
            raise _too_many(most_values)
        if isinstance(value, dict):
            if len(value) > MAX_FIELDS:
                raise Invalid(
                    Sentence(
                        "An object of the body has too many fields. Send at most {most}.", most=MAX_FIELDS
                    )
                )
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _too_many(most_values: int) -> Invalid:
    return Invalid(
        Sentence("The body has too many values. Send at most {most:,} at a time.", most=most_values)
    )


def _refuse_unstorable(document: Any) -> None:
    found = (
        FieldError(dotted(_path(place)) or WHOLE_BODY, message)
        for place, value in _leaves(document)
        if (message := value_error(value))
    )
    if errors := list(islice(found, MAX_ERRORS)):
        raise Invalid("The body has values that cannot be stored.", errors=errors)


def _leaves(document: Any) -> Iterator[tuple[Place, Any]]:
    """All keys and scalar values with their places.

    A loop and not a recursion, because documents can be deep.
    """
    waiting: list[tuple[Place, Any]] = [(None, document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            yield from ((place, key) for key in value)
            waiting.extend(((place, key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend(((place, index), item) for index, item in enumerate(value))
        else:
            yield place, value


def _path(place: Place) -> list[str | int]:
    path: list[str | int] = []
    while place is not None:
        place, step = place
        path.append(step)
    return path[::-1]
