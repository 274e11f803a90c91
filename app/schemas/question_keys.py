"""Question types and keys as the API takes and shows them; the type says what a key may be."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import InitErrorDetails, ValidationError
from typing_extensions import TypeAliasType

from app.engine.dropped_keys import DroppedRule
from app.engine.question_types import QUESTION_TYPES, shown_key
from app.engine.question_types.options import MAX_ID_LENGTH, MAX_OPTIONS
from app.schemas.common import trimmed
from app.sentences import Sentence


def _known_type(name: str) -> str:
    if name not in QUESTION_TYPES:
        known = ", ".join(QUESTION_TYPES)
        raise ValueError(Sentence("Send one of: {expected}.", expected=known))
    return name


QuestionTypeName = Annotated[
    str, AfterValidator(_known_type), Field(json_schema_extra={"enum": list(QUESTION_TYPES)})
]


def _key(value: Any) -> Any:
    """The key without spaces around its texts and without nulls; a list is short for one right answer."""
    if isinstance(value, list):
        value = {"accepted": [value]}
    if not isinstance(value, dict):
        return value
    if "dropped" in value:
        _check_dropped(value)
    _check_switch(value)
    return {name: trimmed(part) for name, part in value.items() if part is not None}


def _check_dropped(key: dict[str, Any]) -> None:
    """Raise ValidationError unless the key is `{"dropped": true}`, with or without a rule."""
    mistakes = [
        InitErrorDetails(type="extra_forbidden", loc=(name,), input=value)
        for name, value in key.items()
        if name not in ("dropped", "rule")
    ]
    if key["dropped"] is not True:
        mistakes.append(_not_among("dropped", key["dropped"], "true"))
    if key.get("rule") is not None and key["rule"] not in [*DroppedRule]:
        mistakes.append(_not_among("rule", key["rule"], ", ".join(DroppedRule)))
    if mistakes:
        raise ValidationError.from_exception_data("Key", mistakes)


def _check_switch(key: dict[str, Any]) -> None:
    """Raise ValidationError unless `case_sensitive` is a boolean."""
    said = key.get("case_sensitive")
    if said is not None and not isinstance(said, bool):
        error = InitErrorDetails(type="bool_type", loc=("case_sensitive",), input=said)
        raise ValidationError.from_exception_data("Key", [error])


def _not_among(name: str, value: Any, expected: str) -> InitErrorDetails:
    return InitErrorDetails(type="literal_error", loc=(name,), input=value, ctx={"expected": expected})


_KEY_SCHEMAS = [kind.key_schema for kind in QUESTION_TYPES.values() if kind.key_schema]
_DROPPED_SCHEMA = {
    "type": "object",
    "title": "Dropped",
    "description": "The question was withdrawn. Without `rule` it follows the rule of the marking scheme.",
    "properties": {
        "dropped": {"type": "boolean", "const": True},
        "rule": {"type": "string", "enum": list(DroppedRule)},
    },
    "required": ["dropped"],
    "additionalProperties": False,
}
_SHORT_SCHEMA = {
    "type": "array",
    "maxItems": MAX_OPTIONS,
    "items": {"type": "string", "maxLength": MAX_ID_LENGTH},
    "description": "Short for one right answer.",
}

KeyIn = TypeAliasType(
    "KeyIn",
    Annotated[
        dict[str, Any],
        BeforeValidator(_key),
        WithJsonSchema(
            {
                "description": "What is right. The type of the question says which form its key has.",
                "anyOf": [*_KEY_SCHEMAS, _DROPPED_SCHEMA, _SHORT_SCHEMA],
                "examples": [{"accepted": [["b"]]}, ["b"], {"value": "3.14", "tolerance": "0.01"}],
            }
        ),
    ],
)
"""What is right. The question's type says what its key may be, and checks it."""

Key = TypeAliasType(
    "Key",
    Annotated[
        dict[str, Any],
        PlainSerializer(shown_key, return_type=dict[str, Any]),
        WithJsonSchema(
            {
                "description": "What is right, in the form that the type of the question has.",
                "anyOf": [*_KEY_SCHEMAS, _DROPPED_SCHEMA],
                "examples": [{"accepted": [["b"]]}, {"value": "3.14", "tolerance": "0.01"}],
            }
        ),
    ],
)
"""A key as answers show it."""

StoredKey = Annotated[Key | None, Field(description="Null where it is withheld or not set")]
