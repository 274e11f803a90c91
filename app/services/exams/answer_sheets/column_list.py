"""Lists of columns as people write them: `1-100`, `Q1-Q50, Q61-Q110` or single ones, by name or place."""

import re
from collections import Counter
from collections.abc import Sequence

from app.services.exams.answer_sheets.unusable_columns import UnusableColumns, places

_RANGE = re.compile(r"(?P<first>.+?)\s*-\s*(?P<last>.+)")


def listed(names: Sequence[str], columns: str, questions: int) -> list[int]:
    """Return the positions of as many listed columns as there are questions. Raises UnusableColumns."""
    answers: list[int] = []
    for part in columns.split(","):
        if item := part.strip():
            answers += _range(names, item, "columns")
        if len(answers) > len(names):
            raise UnusableColumns("columns", f"these are more columns than the file has, {len(names)}")
    counted = Counter(answers)
    twice = next((place for place in answers if counted[place] > 1), None)
    if twice is not None:
        raise UnusableColumns("columns", f'"{names[twice]}" is named twice')
    if len(answers) != questions:
        sentence = f"the paper has {questions} questions, and these are {len(answers)} columns"
        raise UnusableColumns("columns", sentence)
    return answers


def one_column(names: Sequence[str], wanted: str, field_name: str) -> int:
    """Return the position of a column by its name, else by its number from the left."""
    position = _position(names, wanted)
    if position is None:
        raise UnusableColumns(field_name, f'the file has no column "{wanted[:50]}"')
    return position


def several_columns(names: Sequence[str], wanted: str) -> list[int]:
    """Return the positions of the columns of a roll number: one, or one a digit such as `id1-id6`."""
    if _position(names, wanted) is not None:
        return [one_column(names, wanted, "roll_number")]
    found: list[int] = []
    for part in wanted.split(","):
        if item := part.strip():
            found += _range(names, item, "roll_number")
    if len({*found}) < len(found):
        raise UnusableColumns("roll_number", "a column is named twice")
    return found


def _range(names: Sequence[str], item: str, field_name: str) -> list[int]:
    position = _position(names, item)
    if position is not None:
        return [position]
    ends = _RANGE.fullmatch(item)
    if ends is None:
        return [one_column(names, item, field_name)]
    by_name = [_by_name(names, end) for end in ends.groups()]
    first, last = [one_column(names, end, field_name) for end in ends.groups()]
    # "1-100" where a column is called 1 and none 100 would mix names and places.
    if (by_name[0] is None) != (by_name[1] is None):
        message = f'"{item}" begins and ends by different measures; use names for both'
        raise UnusableColumns(field_name, message)
    if first > last:
        raise UnusableColumns(field_name, f'"{item}" runs backwards')
    return list(range(first, last + 1))


def _position(names: Sequence[str], wanted: str) -> int | None:
    position = _by_name(names, wanted)
    if position is None and re.fullmatch(r"[0-9]{1,5}", wanted) and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    return position


def _by_name(names: Sequence[str], wanted: str) -> int | None:
    plain = " ".join(wanted.split()).casefold()
    found = [position for position, name in enumerate(names) if name.casefold() == plain]
    if len(found) > 1:
        raise UnusableColumns(wanted, f"this column is there twice: {places(names, found)}")
    return found[0] if found else None
