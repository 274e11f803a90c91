"""The columns of a file of answer sheets: which of them are answers, and to which question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.services.column_mappings import fingerprint
from app.services.exams.answer_sheets.column_list import listed, one_column, several_columns
from app.services.exams.answer_sheets.headers import (
    IGNORED,
    MEANINGS,
    ROLL_NUMBER,
    meaning_of,
    numbered,
)
from app.services.exams.answer_sheets.options import FileOptions
from app.services.exams.answer_sheets.unusable_columns import UnusableColumns, places, quoted
from app.sheets.limits import MAX_COLUMNS
from app.sheets.records import column_name
from app.sheets.reports import RowError, RowWarning

_MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class AnswerSheetLayout:
    """Where things stand in a row: `answers` are the columns of `questions`, the rest by what they are."""

    names: Sequence[str]
    answers: Sequence[int] = ()
    questions: Sequence[int] = ()
    """The questions of the paper, from 0, whose answers the file has: all, or a part of them."""
    positions: Mapping[str, int] = field(default_factory=dict)
    digits: Sequence[int] = ()
    """The columns of the roll number, if each has one digit of it."""
    warnings: Sequence[RowWarning] = ()
    left_out: Sequence[int] = ()
    row: int = 1
    """The row of the header."""

    def name_at(self, position: int) -> str:
        """Return the name of a column in error messages."""
        return column_name(self.names, position)

    def is_read(self, position: int) -> bool:
        """Return whether anything is read from this column."""
        return position in self.answers or position in self.digits or position in self.positions.values()

    def position_in(self, name: str) -> int | None:
        """Return the place of a column by what it is, by its header, or by its question, such as `q7`."""
        if name in self.positions:
            return self.positions[name]
        if found := [position for position in range(len(self.names)) if self.name_at(position) == name]:
            return found[0]
        question = numbered(name)
        if question is None or question.number - 1 not in self.questions:
            return None
        return self.answers[list(self.questions).index(question.number - 1)]


_MIN_NUMBERED_COLUMNS = 10
"""Columns called 1, 2, 3 … of a header without a word: fewer numbers may be the answers of a candidate."""


def count_known(cells: Sequence[str], options: FileOptions) -> int:
    """Count the cells that name a column of a file of answer sheets.

    Numbers count beside a word, or if they are 1, 2, 3 … without a gap. A header that has a saved mapping
    exceeds every other row.
    """
    if options.saved and fingerprint(cells) in options.saved:
        return MAX_COLUMNS + len(cells)
    names = [" ".join(cell.split()).casefold() for cell in cells if cell.strip()]
    said = {name.casefold() for name in (*options.mapping, options.roll_number or "")}
    words = {name for name in names if meaning_of(name) is not None or name in said}
    named = [one for name in names if name not in words and (one := numbered(name)) is not None]
    worded = {one for one in named if one.prefix and (one.is_question or one.is_digit)}
    numbers = {one.number for one in named if not one.prefix}
    if words or worded:
        return len(words) + len(worded) + len(numbers)
    is_list = len(numbers) == len(names) and numbers == {*range(1, len(names) + 1)}
    return len(numbers) if is_list and len(numbers) >= _MIN_NUMBERED_COLUMNS else 0


def read_layout(
    header: Sequence[str], questions: int, options: FileOptions, *, is_part: bool = False, row: int = 1
) -> tuple[AnswerSheetLayout, list[RowError]]:
    """What the header's cells mean for a paper of so many questions, or what is wrong with them.

    Without `columns`, the answers are the columns that are numbered like the questions. With `columns` they
    are the listed ones: by their numbers if they are numbered like the questions, else in that order. A file
    that `is_part` may lack questions.
    """
    names = [" ".join(cell.split())[:50] for cell in header]
    try:
        return _Header(names, questions, options.of_header(header), is_part, row).layout(), []
    except UnusableColumns as unusable:
        return AnswerSheetLayout(names, row=row), [replace(unusable.error, row=row)]


@dataclass(frozen=True, slots=True)
class _Header:
    names: Sequence[str]
    questions: int
    options: FileOptions
    is_part: bool
    row: int

    def layout(self) -> AnswerSheetLayout:
        mapped = self._mapped()
        digits = self._digits(mapped)
        positions = self._positions(mapped, digits)
        taken = {*positions.values(), *digits, *mapped}
        layout = AnswerSheetLayout(self.names, positions=positions, digits=digits, row=self.row)
        by_number = self._answers_mapped(mapped)
        if self.options.columns is not None:
            return self._left_out(self._listed(layout, self.options.columns), mapped)
        by_number |= self._numbered(taken, by_number)
        self._check(by_number)
        numbers = sorted(by_number)
        layout = replace(
            layout,
            answers=[by_number[number][0] for number in numbers],
            questions=[number - 1 for number in numbers],
        )
        return self._left_out(layout, mapped)

    def _mapped(self) -> dict[int, str]:
        """The columns that the mapping names, by position."""
        mapped: dict[int, str] = {}
        for name, what in self.options.mapping.items():
            position = one_column(self.names, name, "mapping")
            meaning = what.strip().casefold().replace(" ", "_")
            if meaning not in (*MEANINGS, IGNORED) and numbered(meaning) is None:
                known = ", ".join((*MEANINGS, IGNORED))
                raise UnusableColumns(
                    "mapping",
                    f'"{what}" is nothing that a column can be; write {known}, or a question such as q7',
                )
            if position in mapped:
                raise UnusableColumns("mapping", f'"{name}" is mapped twice')
            mapped[position] = meaning
        return mapped

    def _answers_mapped(self, mapped: Mapping[int, str]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for position, what in mapped.items():
            if what not in (*MEANINGS, IGNORED) and (question := numbered(what)):
                found.setdefault(question.number, []).append(position)
        return found

    def _digits(self, mapped: Mapping[int, str]) -> list[int]:
        """The columns of a roll number's digits: those that are named, or id1, id2 … in their order."""
        wanted = self.options.roll_number
        if wanted is not None:
            found = several_columns(self.names, wanted)
            return found if len(found) > 1 else []
        families: dict[str, dict[int, int]] = {}
        for position, name in enumerate(self.names):
            one = numbered(name)
            if one is not None and one.is_digit and position not in mapped:
                families.setdefault(one.prefix, {}).setdefault(one.number, position)
        for digits in families.values():
            if len(digits) > 1 and sorted(digits) == list(range(1, len(digits) + 1)):
                return [digits[number] for number in sorted(digits)]
        return []

    def _positions(self, mapped: Mapping[int, str], digits: Sequence[int]) -> dict[str, int]:
        """The roll number, the booklet series and what is known of the candidate."""
        found = self._roll_number_named(digits)
        for position, what in mapped.items():
            if what in MEANINGS:
                self._add(found, what, position)
        is_known = bool(digits or ROLL_NUMBER in found)
        for position, name in enumerate(self.names):
            meaning = meaning_of(name)
            if meaning is None or position in mapped or position in digits:
                continue
            if meaning != ROLL_NUMBER or not is_known:
                self._add(found, meaning, position)
        return found

    def _roll_number_named(self, digits: Sequence[int]) -> dict[str, int]:
        wanted = self.options.roll_number
        if wanted is None or digits:
            return {}
        return {ROLL_NUMBER: one_column(self.names, wanted, ROLL_NUMBER)}

    def _add(self, found: dict[str, int], what: str, position: int) -> None:
        if found.setdefault(what, position) != position:
            there = f"{what.replace('_', ' ')} is there twice: {places(self.names, (found[what], position))}"
            raise UnusableColumns(
                self.names[position], f"{there}; say which one counts, and map the other one to `{IGNORED}`"
            )

    def _listed(self, layout: AnswerSheetLayout, columns: str) -> AnswerSheetLayout:
        answers = listed(self.names, columns, self.questions)
        if layout.positions.get(ROLL_NUMBER) in answers and self.options.roll_number is not None:
            name = self.names[layout.positions[ROLL_NUMBER]]
            raise UnusableColumns("columns", f'"{name}" is the roll number; leave it out')
        # What was said to be an answer is one, whatever it is called.
        positions = {what: position for what, position in layout.positions.items() if position not in answers}
        digits = [] if {*layout.digits} & {*answers} else layout.digits
        ordered, warnings = self._by_number(answers)
        return replace(
            layout,
            answers=ordered,
            questions=range(self.questions),
            positions=positions,
            digits=digits,
            warnings=warnings,
        )

    def _by_number(self, answers: Sequence[int]) -> tuple[Sequence[int], list[RowWarning]]:
        """Columns called q1 … go to the questions of that number, in whatever order they were listed."""
        found: dict[int, list[int]] = {}
        for position in answers:
            name = numbered(self.names[position])
            if name is None or not name.is_question:
                return answers, []
            found.setdefault(name.number, []).append(position)
        ordered = [position for number in sorted(found) for position in found[number]]
        if len(found) < len(answers):
            self._check(found)
        if ordered == list(answers):
            return answers, []
        if sorted(found) != list(range(1, self.questions + 1)):
            self._check(found)
        message = (
            f"the listed columns are named by the numbers 1 to {self.questions}, in another order: each goes"
            " to the question of its number"
        )
        return ordered, [RowWarning(self.row, "columns", message)]

    def _numbered(self, taken: set[int], mapped: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
        """The columns that are called 1, 2 …, Q1, Q2 … or the like: by their number, not by their place."""
        families: dict[str, dict[int, list[int]]] = {}
        for position, name in enumerate(self.names):
            one = numbered(name) if position not in taken and name else None
            if one is not None:
                family = "" if one.is_question else one.prefix
                families.setdefault(family, {}).setdefault(one.number, []).append(position)
        if "" in families or mapped or len(families) > 1:
            return families.get("", {})
        return next(iter(families.values()), {})

    def _check(self, found: Mapping[int, Sequence[int]]) -> None:
        """Raises UnusableColumns unless each question has one column."""
        twice = [number for number, columns in found.items() if len(columns) > 1]
        missing = [number for number in range(1, self.questions + 1) if number not in found]
        beyond = [number for number in sorted(found) if number > self.questions]
        if not (twice or beyond or (missing and not (self.is_part and found))):
            return
        said = [
            f"question {number} is there twice: {places(self.names, found[number])}"
            for number in sorted(twice)[:_MAX_LISTED]
        ]
        if missing and not self.is_part:
            said.append(f"no column has {'question' if len(missing) == 1 else 'questions'} {_some(missing)}")
        if beyond:
            said.append(f"the paper has no {'question' if len(beyond) == 1 else 'questions'} {_some(beyond)}")
        field_name = self.names[found[twice[0]][0]] if twice else "columns"
        raise UnusableColumns(field_name, self._sentence(found, said))

    def _sentence(self, found: Mapping[int, Sequence[int]], said: Sequence[str]) -> str:
        count = sum(len(columns) for columns in found.values())
        unknown = self._unknown_names({position for columns in found.values() for position in columns})
        counted = f"the paper has {self.questions} questions; the file has {count} numbered columns"
        return f"{counted}; {'; '.join(said)}{unknown}. {self._mend(found)}"

    def _unknown_names(self, known: set[int]) -> str:
        names = [
            name
            for position, name in enumerate(self.names)
            if name and position not in known and meaning_of(name) is None
        ]
        return f"; the unknown columns are {quoted(names)}" if names else ""

    def _mend(self, found: Mapping[int, Sequence[int]]) -> str:
        if found:
            return "Correct the numbers in the header"
        return (
            f"Name the columns of the answers q1 to q{self.questions}, or list them with `columns` in the"
            " order of the paper's questions"
        )

    def _left_out(self, layout: AnswerSheetLayout, mapped: Mapping[int, str]) -> AnswerSheetLayout:
        """Warn of columns from which nothing is read. Raises UnusableColumns without a roll number."""
        left_out = [
            position
            for position, name in enumerate(self.names)
            if name and not layout.is_read(position) and mapped.get(position) != IGNORED
        ]
        warnings = list(layout.warnings)
        names = quoted([self.names[position] for position in left_out])
        if ROLL_NUMBER not in layout.positions and not layout.digits:
            if left_out and self.options.columns is None:
                message = (
                    f"no column is known as the roll number; the unknown columns are {names}. Say which one"
                    f" has the roll numbers, or map each of them to `{IGNORED}` if the sheets have none"
                )
                raise UnusableColumns(ROLL_NUMBER, message)
            message = "no column has roll numbers: each sheet gets the number of its row"
            warnings.append(RowWarning(self.row, ROLL_NUMBER, message))
        if left_out:
            message = f"nothing is read from these columns: {names}"
            warnings.append(RowWarning(self.row, "columns", message))
        return replace(layout, warnings=warnings, left_out=left_out)


def mapped_names(header: Sequence[str], options: FileOptions) -> dict[str, str]:
    """The columns that the caller's mapping names, by their headers. Nothing if one has no header.

    The mapping may say a column by its number, which the next sheet may have elsewhere.
    """
    names = [" ".join(cell.split())[:50] for cell in header]
    named = {names[one_column(names, name, "mapping")]: what for name, what in options.mapping.items()}
    return {} if "" in named else named


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MAX_LISTED]))
    return shown + (f" and {len(numbers) - _MAX_LISTED} more" if len(numbers) > _MAX_LISTED else "")
