"""Rows with the same roll number: a sheet that was scanned twice, and the parts of a sheet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.services.exams.answer_sheets.headers import ROLL_NUMBER
from app.services.exams.answer_sheets.reading import AnswerSheet, AnswerSheetFile
from app.sheets.reports import Message, RowError, RowWarning

_PERSON = ("name", "email", "category", "pwbd")


@dataclass(slots=True)
class JoinedSheets:
    """One sheet for each roll number, or why there is none."""

    sheets: list[AnswerSheet] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)
    files: Sequence[AnswerSheetFile] = ()

    @property
    def header_names(self) -> Sequence[Sequence[str]]:
        """The header of each file."""
        return [names for file in self.files for names in file.header_names]

    def located(self, messages: Iterable[Message]) -> list[Message]:
        """Return errors or warnings with the names of their cells and, of several files, of their files."""
        return [
            replace(each, message=f"file {each.file}: {each.message}") if len(self.files) > 1 else each
            for message in messages
            for each in self.files[message.file - 1].located([message])
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """A row, and the questions of its file, from 0."""

    sheet: AnswerSheet
    questions: frozenset[int]


def join_sheets(files: Sequence[AnswerSheetFile], questions: int) -> JoinedSheets:
    """Join the parts of each sheet. The same row again counts once, with a warning; another is an error."""
    several = len(files) > 1
    joined = JoinedSheets(files=files)
    for number, file in enumerate(files, start=1):
        joined.errors += (replace(error, file=number) for error in file.errors)
        joined.warnings += (replace(each, file=number) for each in (*file.warnings, *file.layout.warnings))
    if joined.errors:
        return joined
    by_roll_number: dict[str, list[_Part]] = {}
    for number, file in enumerate(files, start=1):
        covered = frozenset(file.layout.questions)
        for sheet in file.rows:
            part = _Part(replace(sheet, file=number) if several else sheet, covered)
            by_roll_number.setdefault(sheet.roll_number, []).append(part)
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
            joined.errors.append(RowError(part.sheet.row, ROLL_NUMBER, message, file=part.sheet.file))
            return
        else:
            where = _where(overlapping[0], several=several)
            message = f"{where} has the same sheet of {part.sheet.roll_number}; it counts once"
            joined.warnings.append(RowWarning(part.sheet.row, ROLL_NUMBER, message, file=part.sheet.file))
    covered = frozenset[int]().union(*(part.questions for part in kept))
    if missing := sorted({*range(questions)} - covered):
        numbers = f"{missing[0] + 1}" if len(missing) == 1 else f"{missing[0] + 1} to {missing[-1] + 1}"
        message = f"no file has the answers of {kept[0].sheet.roll_number} to the questions {numbers}"
        joined.errors.append(RowError(kept[0].sheet.row, ROLL_NUMBER, message, file=kept[0].sheet.file))
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
        RowError(
            sheet.row,
            "email",
            f"row {first[sheet.email]} has this one too; each has one sheet",
            file=sheet.file,
        )
        for sheet in sheets
        if sheet.email is not None and first.setdefault(sheet.email, sheet.row) != sheet.row
    ]


def _where(part: _Part, *, several: bool) -> str:
    return f"row {part.sheet.row} of file {part.sheet.file}" if several else f"row {part.sheet.row}"
