"""Keys of dropped questions, and their rules. In a sheet: `dropped`, or `dropped: full_marks_to_all`."""

from enum import StrEnum
from typing import Any

from app.engine.question_types import DROPPED_KEY, JsonObject, UnreadableQuestion
from app.sentences import Sentence


class DroppedRule(StrEnum):
    """What a dropped question earns: by the key of the question, or else by the marking scheme.

    `prorate` (UPSC) leaves it out and stretches the rest to the paper's maximum, `full_marks_to_all` gives
    its marks to everybody, `marks_to_attempted` (NTA) to whoever answered it.
    """

    PRORATE = "prorate"
    FULL_MARKS_TO_ALL = "full_marks_to_all"
    MARKS_TO_ATTEMPTED = "marks_to_attempted"


def is_dropped(stored: JsonObject) -> bool:
    """Whether a stored key is `{"dropped": true}`, with or without a `rule`."""
    return stored.get("dropped") is True and set(stored) <= {"dropped", "rule"}


def dropped_rule(stored: JsonObject) -> DroppedRule | None:
    """The rule that a key of a dropped question names. Raises UnreadableQuestion for an unknown one."""
    name = stored.get("rule")
    try:
        return None if name is None else DroppedRule(name)
    except ValueError:
        raise UnreadableQuestion(
            Sentence('There is no rule "{name}" for dropped questions.', name=str(name))
        ) from None


def dropped_key(rule: DroppedRule | None = None) -> dict[str, Any]:
    """The key of a question that is dropped by this rule, or else by that of the marking scheme."""
    return {**DROPPED_KEY} if rule is None else {**DROPPED_KEY, "rule": rule.value}


def dropped_from_cell(cell: str) -> dict[str, Any] | None:
    """The key that a cell holds, or None if it does not say that the question is dropped."""
    key = _KEYS.get("".join(cell.casefold().split()))
    return dict(key) if key is not None else None


def dropped_to_cell(key: JsonObject) -> str:
    """The key of a dropped question as text that `dropped_from_cell` reads."""
    rule = dropped_rule(key)
    return "dropped" if rule is None else f"dropped: {rule}"


_KEYS = {
    "".join(dropped_to_cell(key).split()): key
    for key in (dropped_key(), *(dropped_key(rule) for rule in DroppedRule))
}
