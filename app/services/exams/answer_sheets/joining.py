"""Rows with the same roll number: a sheet that was scanned twice, and the parts of a sheet."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.services.exams.answer_sheets.headers import ROLL_NUMBER
from app.services.exams.answer_sheets.reading import AnswerSheet, AnswerSheetFile
from app.sheets.reports import RowError, RowWarning

Message = TypeVar("Message", RowError, RowWarning)

_PERSON = ("name", "email", "category", "pwbd")


@dataclass(slots=True)
class JoinedSheets:
    """One sheet for each roll number, or why there is none."""

    sheets: list[AnswerSheet] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """A row, and the questions of its file, from 0."""

    sheet: AnswerSheet
    file: int
    questions: frozenset[int]


def join_sheets(files: Sequence[AnswerSheetFile], questions: int) -> JoinedSheets:
    """Join the parts of each sheet. The same row again counts once, with a warning; another is an error."""
    several = len(files) > 1
    joined = JoinedSheets()
    for number, file in enumerate(files, start=1):
        joined.errors += (_in_file(error, number) if several else error for error in file.errors)
        joined.warnings += (_in_file(each, number) if several else each for each in file.layout.warnings)
    if joined.errors:
        return joined
    by_roll_number: dict[str, list[_Part]] = {}
    for number, file in enumerate(files, start=1):
        covered = frozenset(file.layout.questions)
        for sheet in file.rows:
            by_roll_number.setdefault(sheet.roll_number, []).append(_Part(sheet, number, covered))
    for parts in by_roll_number.values():
        _join(joined, parts, questions, several=several)
    joined.errors += _same_address(joined.sheets)
    return joined


def _join(joined: JoinedSheets, parts: Sequence[_Part], questions: int, *, several: bool) -> None:
    kept: list[_Part] = []
    for part in parts:
        overlapping = [other for other in kept if other.questions & part.questions]
        if not overlapping:
            kept.append(part)
        elif problem := _difference(overlapping, part):
            where = _where(overlapping[0], several=several)
            message = f"{where} has another sheet of {part.sheet.roll_number}: {problem}. Keep the right one"
            joined.errors.append(_at(RowError(part.sheet.row, ROLL_NUMBER, message), part, several=several))
            return
        else:
            where = _where(overlapping[0], several=several)
            message = f"{where} has the same sheet of {part.sheet.roll_number}; it counts once"
            joined.warnings.append(
                _at(RowWarning(part.sheet.row, ROLL_NUMBER, message), part, several=several)
            )
    covered = frozenset[int]().union(*(part.questions for part in kept))
    if missing := sorted({*range(questions)} - covered):
        numbers = f"{missing[0] + 1}" if len(missing) == 1 else f"{missing[0] + 1} to {missing[-1] + 1}"
        message = f"no file has the answers of {kept[0].sheet.roll_number} to the questions {numbers}"
        joined.errors.append(_at(RowError(kept[0].sheet.row, ROLL_NUMBER, message), kept[0], several=several))
        return
    joined.sheets.append(_one_sheet([part.sheet for part in kept]))


def _difference(overlapping: Sequence[_Part], part: _Part) -> str | None:
    """Return how a row differs from those that have the same questions; None if it says the same."""
    if any(other.questions != part.questions for other in overlapping):
        return "both have answers to the same questions, and each to others too"
    (other,) = overlapping
    different = [name for name in _PERSON if getattr(other.sheet, name) != getattr(part.sheet, name)]
    mine, theirs = dict(part.sheet.answers), dict(other.sheet.answers)
    count = sum(mine.get(question) != theirs.get(question) for question in mine.keys() | theirs.keys())
    if count:
        return f"{count} {'answer differs' if count == 1 else 'answers differ'}"
    return f"{' and '.join(different)} differ" if different else None


def _one_sheet(sheets: Sequence[AnswerSheet]) -> AnswerSheet:
    first, *others = sheets
    for other in others:
        person = {name: getattr(first, name) or getattr(other, name) for name in _PERSON}
        first = replace(
            first,
            answers={**first.answers, **other.answers},
            multiple=first.multiple | other.multiple,
            scanner_error=first.scanner_error or other.scanner_error,
            **person,
        )
    return first


def _same_address(sheets: Sequence[AnswerSheet]) -> list[RowError]:
    first: dict[str, int] = {}
    return [
        RowError(sheet.row, "email", f"row {first[sheet.email]} has this one too; each has one sheet")
        for sheet in sheets
        if sheet.email is not None and first.setdefault(sheet.email, sheet.row) != sheet.row
    ]


def _where(part: _Part, *, several: bool) -> str:
    return f"row {part.sheet.row} of file {part.file}" if several else f"row {part.sheet.row}"


def _at(each: Message, part: _Part, *, several: bool) -> Message:
    return _in_file(each, part.file) if several else each


def _in_file(each: Message, number: int) -> Message:
    return replace(each, message=f"file {number}: {each.message}")
