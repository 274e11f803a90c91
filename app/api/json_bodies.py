"""JSON bodies: bounded before they are parsed, and without what neither PostgreSQL nor JSON can hold."""

import json
import re
from collections.abc import Iterator
from typing import Any

from app.api.payloads import complaint, dotted
from app.core.errors import Invalid

MOST_VALUES = 50_000
"""More than any honest body has: orders for 10,000 attempts have 10,000."""

# What cannot be stored shows in the text: an escaped NUL or surrogate, NaN or Infinity, a number of very many
# digits or a very large exponent. Where none of it stands, no value has to be looked at.
_SUSPICIOUS = (
    re.compile(r"\\u(?:0000|[dD][89a-fA-F])"),
    re.compile(r"[0-9]{19}"),
    re.compile(r"[eE]\+?[0-9]{3}"),
)

# A place in the document as a linked list: each value costs one small tuple, however deep it is.
Place = tuple["Place", str | int] | None


def read_json(body: bytes) -> Any:
    """The document of a body. Raises Invalid, or JSONDecodeError where it is no JSON."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Invalid("The body is not valid UTF-8.") from None
    if sum(text.count(sign) for sign in "[{,") > MOST_VALUES:
        raise Invalid(f"The body has too many values. Send at most {MOST_VALUES:,} at a time.")
    try:
        document = json.loads(text)
    except RecursionError:
        raise Invalid("The body is nested too deeply.") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python reads no integer of more than some thousand digits.
        raise Invalid("A number of the body has too many digits.") from None
    if is_suspicious(text):
        _refuse_unstorable(document)
    return document


def is_suspicious(text: str) -> bool:
    """Whether JSON may have a value that cannot be stored. Several searches are faster than one for all."""
    return "NaN" in text or "Infinity" in text or any(pattern.search(text) for pattern in _SUSPICIOUS)


def _refuse_unstorable(document: Any) -> None:
    for place, value in _leaves(document):
        if found := complaint(value):
            raise Invalid.field(dotted(("body", *_path(place))), found)


def _leaves(document: Any) -> Iterator[tuple[Place, Any]]:
    """Every key and every value that is no container, with its place. A loop: documents can be deep."""
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
