"""Our own sentences for Pydantic's errors, by the type of the error. They say what to send.

Pydantic's sentences are never sent: they are written for programmers, and cannot be translated.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.sentences import Sentence

NOT_A_UUID: Final = "Send a UUID with hyphens, such as 0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b."
NO_JSON_BODY: Final = Sentence("Send a JSON object as the body, with Content-Type: application/json.")
INVALID_JSON: Final = "The body is not valid JSON."
NOT_VALID: Final = "This value is not valid. See the documentation of the operation."
_REQUIRED = "This field is required."
_NO_SUCH_FIELD = "There is no such field. Leave it out."
_NOT_A_NUMBER = "Send a number."
_NOT_WHOLE = "Send a whole number."
_NOT_A_BOOLEAN = "Send true or false."
_NOT_A_TIME = "Send a time that exists, as text with an offset, such as 2026-12-01T10:00:00+05:30."
_NOT_A_DATE = "Send a date that exists, such as 2026-12-01."
_NOT_A_TIME_OF_DAY = "Send a time of day, such as 22:00."
_NOT_AN_OBJECT = "Send a JSON object."
_NOT_A_LIST = "Send a list."
_NOT_ONE_OF = "Send one of: {expected}."
_NOT_A_URL = "Send a web address, such as https://example.org/page."

SENTENCES: Final[Mapping[str, str]] = {
    "missing": _REQUIRED,
    "extra_forbidden": _NO_SUCH_FIELD,
    "json_invalid": INVALID_JSON,
    "json_type": _NOT_AN_OBJECT,
    "uuid_parsing": NOT_A_UUID,
    "uuid_type": NOT_A_UUID,
    "uuid_version": NOT_A_UUID,
    "bool_type": _NOT_A_BOOLEAN,
    "bool_parsing": _NOT_A_BOOLEAN,
    "int_type": _NOT_WHOLE,
    "int_parsing": _NOT_WHOLE,
    "int_from_float": _NOT_WHOLE,
    "int_parsing_size": "Send a number that fits in 64 bits.",
    "float_type": _NOT_A_NUMBER,
    "float_parsing": _NOT_A_NUMBER,
    "finite_number": "Send a finite number.",
    "greater_than": "Send a number greater than {gt}.",
    "greater_than_equal": "Send a number of at least {ge}.",
    "less_than": "Send a number less than {lt}.",
    "less_than_equal": "Send a number of at most {le}.",
    "multiple_of": "Send a multiple of {multiple_of}.",
    "decimal_type": _NOT_A_NUMBER,
    "decimal_parsing": _NOT_A_NUMBER,
    "decimal_max_digits": "Send a number with at most {max_digits} digits.",
    "decimal_max_places": "Send a number with at most {decimal_places} decimal places.",
    "decimal_whole_digits": "Send a number with at most {whole_digits} digits before the decimal point.",
    "string_type": "Send a string.",
    "string_unicode": "Send text in UTF-8.",
    "string_too_short": "Send at least {min_length} characters.",
    "string_too_long": "Send at most {max_length} characters.",
    "string_pattern_mismatch": "This text does not have the documented form.",
    "string_not_ascii": "Send letters, digits and signs of ASCII only.",
    "bytes_type": "Send text or a file.",
    "bytes_too_short": "Send at least {min_length} bytes.",
    "bytes_too_long": "Send at most {max_length} bytes.",
    "enum": _NOT_ONE_OF,
    "literal_error": _NOT_ONE_OF,
    "list_type": _NOT_A_LIST,
    "tuple_type": _NOT_A_LIST,
    "set_type": _NOT_A_LIST,
    "frozen_set_type": _NOT_A_LIST,
    "iterable_type": _NOT_A_LIST,
    "too_short": "Send at least {min_length} entries.",
    "too_long": "Send at most {max_length} entries.",
    "dict_type": _NOT_AN_OBJECT,
    "mapping_type": _NOT_AN_OBJECT,
    "model_type": _NOT_AN_OBJECT,
    "model_attributes_type": _NOT_AN_OBJECT,
    "dataclass_type": _NOT_AN_OBJECT,
    "invalid_key": "The name of this field is not valid.",
    "none_required": "Leave this field out, or send null.",
    "union_tag_invalid": "Send one of: {expected_tags}.",
    "union_tag_not_found": _REQUIRED,
    "date_type": _NOT_A_DATE,
    "date_parsing": _NOT_A_DATE,
    "date_from_datetime_parsing": _NOT_A_DATE,
    "date_from_datetime_inexact": _NOT_A_DATE,
    "date_past": "Send a date in the past.",
    "date_future": "Send a date in the future.",
    "time_type": _NOT_A_TIME_OF_DAY,
    "time_parsing": _NOT_A_TIME_OF_DAY,
    "datetime_type": _NOT_A_TIME,
    "datetime_parsing": _NOT_A_TIME,
    "datetime_from_date_parsing": _NOT_A_TIME,
    "datetime_object_invalid": _NOT_A_TIME,
    "datetime_past": "Send a time in the past.",
    "datetime_future": "Send a time in the future.",
    "timezone_aware": "Send a time with an offset, such as 2026-12-01T10:00:00+05:30.",
    "timezone_naive": "Send a time without an offset.",
    "timezone_offset": _NOT_A_TIME,
    "time_delta_type": "Send a number of seconds.",
    "time_delta_parsing": "Send a number of seconds.",
    "url_type": _NOT_A_URL,
    "url_parsing": _NOT_A_URL,
    "url_syntax_violation": _NOT_A_URL,
    "url_scheme": "Send an address that begins with: {expected_schemes}.",
    "url_too_long": "Send an address of at most {max_length} characters.",
    "is_instance_of": "Send a file.",
    "value_error": NOT_VALID,
    "assertion_error": NOT_VALID,
}
"""By the type of the error. `{gt}` and the like are values of the constraint."""

FOR_ONE: Final[Mapping[str, str]] = {
    "string_too_short": "This text must not be empty.",
    "string_too_long": "Send at most one character.",
    "too_short": "Send at least one entry.",
    "too_long": "Send at most one entry.",
}
"""Where the limit is 1."""

FORMS: Final[Mapping[str, str]] = {
    r"^[\x21-\x7e]{1,255}$": "Send 1 to 255 visible ASCII characters, without spaces.",
    r"^[\x21-\x7e]{1,1000}$": "Send 1 to 1000 visible ASCII characters, without spaces.",
    r"^(user|institute|roster|question|bank|test|exam|attempt)(:[0-9a-fA-F-]{36})?$": (
        "Send a kind of the documentation, such as exam, optionally followed by a colon and an id."
    ),
    r"^([1-9][0-9]{0,9}|draft)$": "Send the number of a version, or draft.",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": (
        "Use lower-case letters a to z, digits, and single hyphens between them, such as modern-history."
    ),
    r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$": "Send the code of a language, such as en, hi or en-IN.",
    r"^-?[0-9]{1,5}(\.[0-9]{1,2})?$": "Send a number with at most two decimal places, such as 92.5.",
    r"^[0-9]{1,3}(\.[0-9]{1,2})?$": "Send a number from 0 to 100 with at most two decimal places.",
    r"^[A-Za-z0-9_-]{1,20}$": "Use 1 to 20 letters a to z, digits, hyphens and underscores.",
    r"^([01]\d|2[0-3]):[0-5]\d$": "Send a time of day from 00:00 to 23:59, such as 22:00.",
}
"""What a pattern of a schema asks for."""

_EMAIL = Sentence("Send an e-mail address like name@example.org.")
_QUOTED = re.compile(r"'([^']*)'")


def message_of(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, and what to send instead."""
    kind, context = error["type"], error.get("ctx") or {}
    if isinstance(reason := context.get("error"), Exception):
        return str(reason) or NOT_VALID
    if "email address" in str(error["msg"]):
        return _EMAIL
    if error["loc"] == ("body",) and kind in ("missing", "model_attributes_type", "dict_type"):
        return NO_JSON_BODY
    if kind == "string_pattern_mismatch" and (form := FORMS.get(context["pattern"])):
        return form
    if 1 in (context.get("min_length"), context.get("max_length")) and kind in FOR_ONE:
        return FOR_ONE[kind]
    return _filled(SENTENCES.get(kind, NOT_VALID), context)


def _filled(template: str, context: Mapping[str, Any]) -> str:
    """The sentence with the values that it names. Pydantic writes alternatives as `'a', 'b' or 'c'`."""
    values = {name: value for name, value in context.items() if f"{{{name}}}" in template}
    for name in {"expected", "expected_tags"} & values.keys():
        values[name] = ", ".join(_QUOTED.findall(str(values[name]))) or values[name]
    return Sentence(template, **values)
