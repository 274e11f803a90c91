"""The columns of a file of answer sheets: which of them are answers, and to which question."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.sheets.records import column_name
from app.sheets.reports import RowError

ABOUT_THE_CANDIDATE = ("name", "email", "category", "pwbd")
ROLL_NUMBER = "roll_number"

_ROLL_NUMBER_NAMES = {"roll_number", "roll_no", "rollnumber", "rollno", "roll"}
_NUMBERED = re.compile(r"(?P<prefix>[a-z]*)[\s._#-]*0*(?P<number>[1-9][0-9]{0,4})")
_RANGE = re.compile(r"(?P<first>.+?)\s*-\s*(?P<last>.+)")


@dataclass(frozen=True, slots=True)
class AnswerSheetLayout:
    """Where things stand in a row: `answers` by the paper's questions, the rest by what they are."""

    names: Sequence[str]
    answers: Sequence[int] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def name_at(self, position: int) -> str:
        """Return the name of a column in error messages."""
        return column_name(self.names, position)

    def is_read(self, position: int) -> bool:
        """Return whether anything is read from this column."""
        return position in self.answers or position in self.positions.values()


class _BadColumns(Exception):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.error = RowError(1, name, message)


def read_layout(
    header: Sequence[str], questions: int, roll_number: str | None, columns: str | None
) -> tuple[AnswerSheetLayout, list[RowError]]:
    """What the header's cells mean for a paper of so many questions, or what is wrong with them.

    With `columns` these are the answers, in this order, and what is not known otherwise is left out. Without,
    they are the columns that are numbered like the questions, and any other one must be known.
    """
    names = [" ".join(cell.split())[:50] for cell in header]
    try:
        positions = _positions(names, roll_number)
        if columns is not None:
            answers = _listed(names, columns, questions)
            positions = _apart(names, positions, answers, roll_number)
        else:
            answers = _numbered(names, set(positions.values()), questions)
    except _BadColumns as bad:
        return AnswerSheetLayout(names), [bad.error]
    return AnswerSheetLayout(names, answers, positions), []


def _positions(names: Sequence[str], roll_number: str | None) -> dict[str, int]:
    """The roll number and what is known of the candidate."""
    found: dict[str, int] = {}
    if roll_number is not None:
        found[ROLL_NUMBER] = _named(names, roll_number, ROLL_NUMBER)
    for position, name in enumerate(names):
        plain = re.sub(r"[\s.-]+", "_", name.casefold()).strip("_")
        if plain in _ROLL_NUMBER_NAMES and roll_number is None:
            plain = ROLL_NUMBER
        elif plain not in ABOUT_THE_CANDIDATE:
            continue
        if found.setdefault(plain, position) != position:
            raise _BadColumns(name, f"this is there twice: columns {found[plain] + 1} and {position + 1}")
    return found


def _apart(
    names: Sequence[str], positions: dict[str, int], answers: Sequence[int], roll_number: str | None
) -> dict[str, int]:
    """What was said to be an answer is one, whatever it is called; but it cannot be the roll number too."""
    if roll_number is not None and positions[ROLL_NUMBER] in answers:
        raise _BadColumns("columns", f'"{names[positions[ROLL_NUMBER]]}" is the roll number; leave it out')
    return {what: position for what, position in positions.items() if position not in answers}


def _listed(names: Sequence[str], columns: str, questions: int) -> list[int]:
    """`1-100`, `Q1-Q50, Q61-Q110` or single ones: by name, else by their number from the left."""
    answers: list[int] = []
    for part in columns.split(","):
        if item := part.strip():
            answers += _range(names, item)
        if len(answers) > len(names):
            raise _BadColumns("columns", f"these are more columns than the file has, {len(names)}")
    counted = Counter(answers)
    twice = next((place for place in answers if counted[place] > 1), None)
    if twice is not None:
        raise _BadColumns("columns", f'"{names[twice]}" is named twice')
    if len(answers) != questions:
        sentence = f"the paper has {questions} questions, and these are {len(answers)} columns"
        raise _BadColumns("columns", sentence)
    return answers


def _range(names: Sequence[str], item: str) -> list[int]:
    position = _position(names, item)
    if position is not None:
        return [position]
    ends = _RANGE.fullmatch(item)
    if ends is None:
        return [_named(names, item, "columns")]
    by_name = [_by_name(names, end) for end in ends.groups()]
    first, last = [_named(names, end, "columns") for end in ends.groups()]
    # "1-100" where a column is called 1 and none 100 would mix names and places.
    if (by_name[0] is None) != (by_name[1] is None):
        raise _BadColumns("columns", f'"{item}" begins and ends by different measures; use names for both')
    if first > last:
        raise _BadColumns("columns", f'"{item}" runs backwards')
    return list(range(first, last + 1))


def _named(names: Sequence[str], wanted: str, field_name: str) -> int:
    position = _position(names, wanted)
    if position is None:
        raise _BadColumns(field_name, f'the file has no column "{wanted[:50]}"')
    return position


def _position(names: Sequence[str], wanted: str) -> int | None:
    position = _by_name(names, wanted)
    if position is None and re.fullmatch(r"[0-9]{1,5}", wanted) and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    return position


def _by_name(names: Sequence[str], wanted: str) -> int | None:
    plain = " ".join(wanted.split()).casefold()
    found = [position for position, name in enumerate(names) if name.casefold() == plain]
    if len(found) > 1:
        raise _BadColumns(wanted, "this column is there twice")
    return found[0] if found else None


def _numbered(names: Sequence[str], taken: set[int], questions: int) -> list[int]:
    """The columns that are called 1, 2, 3 …, Q1, Q2 … or the like: by their number, not by their place."""
    numbered: dict[int, int] = {}
    unknown = []
    prefixes = set()
    for position, name in enumerate(names):
        if position in taken or not name:
            continue
        match = _NUMBERED.fullmatch(name.casefold())
        if match is None:
            unknown.append(name)
            continue
        prefixes.add(match["prefix"])
        if numbered.setdefault(int(match["number"]), position) != position:
            raise _BadColumns(name, f"there are two columns for question {int(match['number'])}")
    if unknown:
        raise _BadColumns(unknown[0], f"there is no such column; {_advice(names, numbered)}")
    missing = [number for number in range(1, questions + 1) if number not in numbered]
    if missing or len(numbered) > questions or len(prefixes) > 1:
        raise _BadColumns("columns", _mismatch(names, numbered, missing, questions))
    return [numbered[number] for number in range(1, questions + 1)]


def _mismatch(
    names: Sequence[str], numbered: Mapping[int, int], missing: Sequence[int], questions: int
) -> str:
    sentence = f"the paper has {questions} questions; the file has {len(numbered)} numbered columns"
    if missing and len(numbered) < questions:
        shown = ", ".join(str(number) for number in missing[:5]) + (" …" if len(missing) > 5 else "")
        return f"{sentence}, without {shown}"
    return f"{sentence}, not 1 to {questions}: {_advice(names, numbered)}"


def _advice(names: Sequence[str], numbered: Mapping[int, int]) -> str:
    places = sorted(numbered.values())
    example = f"{places[0] + 1}-{places[-1] + 1}" if places else f"1-{len(names)}"
    return f"say with `columns` which ones are the answers, such as {example}; all others are then left out"
