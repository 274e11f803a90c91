"""What looks wrong with answer sheets that can be imported: each is a warning."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from app.services.exams.answer_sheets.reading import AnswerSheet
from app.sheets.reports import RowWarning

_MIN_COUNT = 5
"""Sheets or questions below which a share says nothing."""
_MAX_LISTED = 10
_NEARLY_ALL = 0.8


def findings(
    sheets: Sequence[AnswerSheet], numbers: Mapping[UUID, int], header_row: int = 1
) -> Iterator[RowWarning]:
    """Yield warnings of the sheets; `numbers` are the numbers of the paper's questions."""
    yield from _scanner_errors(sheets)
    blank = [sheet for sheet in sheets if not sheet.answers]
    yield from _of_sheets(blank, "nothing is marked on", "is the sheet of an absent candidate among them?")
    crowded = [sheet for sheet in sheets if _is_nearly_all(len(sheet.multiple), len(sheet.answers))]
    mend = "was the sheet fed crookedly, or is the threshold of the scanner too low?"
    yield from _of_sheets(crowded, "nearly every answer has several marks on", mend)
    marked = Counter(question for sheet in sheets for question in sheet.answers)
    multiple = Counter(question for sheet in sheets for question in sheet.multiple)
    for question, count in multiple.items():
        if _is_nearly_all(count, marked[question]):
            message = (
                f"{count} of {marked[question]} answers to question {numbers[question]} have several marks,"
                " which is incorrect; is its column read rightly?"
            )
            yield RowWarning(header_row, f"q{numbers[question]}", message)


def _scanner_errors(sheets: Sequence[AnswerSheet]) -> Iterator[RowWarning]:
    by_text: dict[str, list[AnswerSheet]] = {}
    for sheet in sheets:
        if sheet.scanner_error is not None:
            by_text.setdefault(sheet.scanner_error, []).append(sheet)
    for text, found in by_text.items():
        yield from _of_sheets(found, f'the scanner says "{text}" of', "compare with the paper")


def _of_sheets(found: Sequence[AnswerSheet], what: str, mend: str) -> Iterator[RowWarning]:
    if found:
        named = ", ".join(f"{sheet.roll_number} (row {sheet.row})" for sheet in found[:_MAX_LISTED])
        more = f" and {len(found) - _MAX_LISTED} more" if len(found) > _MAX_LISTED else ""
        count = "1 sheet" if len(found) == 1 else f"{len(found)} sheets"
        yield RowWarning(found[0].row, "file", f"{what} {count}: {named}{more}; {mend}", file=found[0].file)


def _is_nearly_all(some: int, of: int) -> bool:
    return of >= _MIN_COUNT and some >= _NEARLY_ALL * of
