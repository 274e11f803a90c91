"""Keys of dropped questions, also as cells of a sheet: `dropped`, or `dropped: full_marks_to_all`."""

from typing import Any

from app.engine.question_types import DROPPED_KEY, JsonObject
from app.engine.scoring import DroppedRule, dropped_rule


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
