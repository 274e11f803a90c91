"""Reads a file of answer sheets: bytes in, answer sheets and errors out, without the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from app.engine.answers import Answer
from app.engine.question_types import OPTION_LETTERS
from app.services.exams.answer_sheets.cells import QuestionReader, letters_of_numbers, reader_of
from app.services.exams.answer_sheets.columns import AnswerSheetLayout, count_known, read_layout
from app.services.exams.answer_sheets.headers import SCANNER_ERROR, SERIES
from app.services.exams.answer_sheets.options import FileOptions, Order
from app.services.exams.answer_sheets.roll_number_cells import roll_number_of
from app.services.exams.answer_sheets.series import SeriesColumn, series_name
from app.services.person_cells import PersonCells
from app.services.tests.papers import FrozenQuestion
from app.sheets.cells import unescape_formula
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.header_row import find_header, not_read
from app.sheets.parsing import ParsedSheet, cell_errors, errors_without_header, parse_rows
from app.sheets.records import Record, check_header
from app.sheets.reports import RowError
from app.sheets.xlsx_container import is_xlsx

SHEET = "answers"
_NO_ERROR = {"", "0", "ok", "no", "none", "na", "n/a", "false", "success", "-"}


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """The answers of one candidate, without blanks. None means an empty cell."""

    row: int
    roll_number: str
    answers: Mapping[UUID, Answer]
    name: str | None = None
    email: str | None = None
    category: str | None = None
    pwbd: int | None = None
    multiple: frozenset[UUID] = frozenset()
    """The questions with more marked options than a right answer can have."""
    scanner_error: str | None = None
    file: int = 1


AnswerSheetFile = ParsedSheet[AnswerSheetLayout, AnswerSheet]


def read_answer_sheets(
    file: bytes, questions: Sequence[FrozenQuestion], options: FileOptions, *, is_part: bool = False
) -> AnswerSheetFile:
    """Read the answer sheets to a paper with these questions and report all errors.

    A file that `is_part` has the answers to some of the questions. Raises UnreadableSheet for a file that is
    not a sheet, SheetTooLarge beyond 25 MB.
    """
    header, above, records = find_header(read_records(file, SHEET), partial(count_known, options=options))
    check_header(header)
    if header.is_empty:
        raise UnreadableSheet("The file has no header row. The first row must name the columns.")
    layout, errors = read_layout(header.cells, len(questions), options, is_part=is_part, row=header.row)
    sheet = ParsedSheet[AnswerSheetLayout, AnswerSheet](
        layout,
        errors=errors or cell_errors(header, layout),
        warnings=[*not_read(above)],
        header=header,
    )
    if sheet.errors:
        return sheet
    series = SeriesColumn(layout, options.orders)
    rows = _Rows(layout, [reader_of(question, options) for question in questions], series, is_xlsx(file))

    def parse(record: Record, errors: list[RowError]) -> AnswerSheet:
        return _RowReader(rows, record, errors).read()

    parse_rows(sheet, records, parse, noun="answer sheets")
    sheet.errors += series.errors()
    return sheet


def letters_used(file: bytes, questions: int, options: FileOptions, *, is_part: bool = False) -> set[str]:
    """Return the letters a to f that occur in the answers: the options of a paper without questions."""
    header, _, records = find_header(read_records(file, SHEET), partial(count_known, options=options))
    layout, _ = read_layout(header.cells, questions, options, is_part=is_part)
    cells = {record.cell(position).strip().casefold() for record in records for position in layout.answers}
    words = {"na", *options.blank, *options.multiple}
    marks = {_as_letters(cell, options) for cell in cells if cell not in words}
    return {letter for cell in marks for letter in cell if letter in OPTION_LETTERS}


def _as_letters(cell: str, options: FileOptions) -> str:
    if cell.isdecimal() and options.numbers_from is not None:
        try:
            return letters_of_numbers(cell, OPTION_LETTERS, options.numbers_from)
        except ValueError:
            return ""
    return cell.removeprefix("option") if len(cell) <= len("option (a)") else ""


@dataclass(frozen=True, slots=True)
class _Rows:
    """What all rows of a file have in common."""

    layout: AnswerSheetLayout
    readers: Sequence[QuestionReader]
    series: SeriesColumn
    may_be_short: bool
    """XLSX stores no cells after the last non-empty one of a row."""
    columns: dict[int, int] = field(default_factory=dict)
    """The column of each place in the booklet."""

    def __post_init__(self) -> None:
        self.columns.update(zip(self.layout.questions, self.layout.answers, strict=True))


@dataclass(slots=True)
class _RowReader:
    """Reads the row of one candidate and adds its errors to `errors`."""

    rows: _Rows
    record: Record
    errors: list[RowError]

    def read(self) -> AnswerSheet:
        """Return the answer sheet. It is incomplete if there are errors."""
        self._check_width()
        layout = self.rows.layout
        cells = PersonCells(self.record, layout, self.errors)
        answers, multiple = self._answers(self._order())
        return AnswerSheet(
            row=self.record.row,
            roll_number=roll_number_of(self.record, layout, cells, self.errors),
            answers=answers,
            name=cells.text("name"),
            email=cells.email(),
            category=cells.category(),
            pwbd=cells.pwbd(),
            multiple=frozenset(multiple),
            scanner_error=self._scanner_error(),
        )

    def _order(self) -> Order | None:
        self.rows.series.note_left_out(self.record)
        if SERIES not in self.rows.layout.positions:
            return None
        name = series_name(unescape_formula(self.record.cell(self.rows.layout.positions[SERIES]).strip()))
        try:
            return self.rows.series.order_of(self.record.row, name)
        except ValueError as error:
            self._wrong(self.rows.layout.name_at(self.rows.layout.positions[SERIES]), str(error))
            return None

    def _answers(self, order: Order | None) -> tuple[dict[UUID, Answer], list[UUID]]:
        answers: dict[UUID, Answer] = {}
        multiple: list[UUID] = []
        for number, reader in enumerate(self.rows.readers):
            position = self.rows.columns.get(order[number] if order else number)
            if position is None:
                continue
            try:
                answer = reader.read(self.record.cell(position))
            except ValueError as error:
                self._wrong(self.rows.layout.name_at(position), str(error))
                continue
            if answer is not None:
                answers[reader.question.id] = answer
                if reader.is_multiple(answer):
                    multiple.append(reader.question.id)
        return answers, multiple

    def _scanner_error(self) -> str | None:
        position = self.rows.layout.positions.get(SCANNER_ERROR)
        text = " ".join(self.record.cell(position).split())[:100] if position is not None else ""
        return None if text.casefold() in _NO_ERROR else text

    def _check_width(self) -> None:
        cells, width = self.record.cells, len(self.rows.layout.names)
        if len(cells) < width and not self.rows.may_be_short:
            self._wrong("file", f"the row has {len(cells)} cells, and the header {width}")
        self.errors += errors_without_header(self.record, range(width, len(cells)))

    def _wrong(self, column: str, message: str) -> None:
        self.errors.append(RowError(self.record.row, column, message))
