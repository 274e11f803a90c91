"""Reads a file of answer sheets: bytes in, answer sheets and errors out, without the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.engine.answers import Answer
from app.engine.question_types import OPTION_LETTERS
from app.services.exams.answer_sheets.cells import AnswerReader, reader_of
from app.services.exams.answer_sheets.columns import ROLL_NUMBER, AnswerSheetLayout, read_layout
from app.services.person_cells import LONGEST_ROLL_NUMBER, PersonCells, repeated
from app.services.tests.papers import FrozenQuestion
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.parsing import ParsedSheet, cell_errors, errors_without_header, parse_rows
from app.sheets.records import Record, check_header
from app.sheets.reports import RowError
from app.sheets.xlsx_reader import is_xlsx

SHEET = "answers"


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


AnswerSheetFile = ParsedSheet[AnswerSheetLayout, AnswerSheet]


def read_answer_sheets(
    file: bytes, questions: Sequence[FrozenQuestion], roll_number: str | None, columns: str | None
) -> AnswerSheetFile:
    """Read the answer sheets to a paper with these questions and report all errors.

    Raises UnreadableSheet for a file that is neither XLSX nor CSV in UTF-8, SheetTooLarge beyond 25 MB.
    """
    records = read_records(file, SHEET)
    header = next(records)
    check_header(header)
    if header.is_empty:
        raise UnreadableSheet("The first row is not a header. It names the columns.")
    layout, errors = read_layout(header.cells, len(questions), roll_number, columns)
    sheet = ParsedSheet[AnswerSheetLayout, AnswerSheet](layout, errors=errors or cell_errors(header, layout))
    if sheet.errors:
        return sheet
    readers = [(question.id, reader_of(question)) for question in questions]
    may_be_short = is_xlsx(file)

    def parse(record: Record, errors: list[RowError]) -> AnswerSheet:
        return _RowReader(layout, record, errors, readers, may_be_short).read()

    parse_rows(sheet, records, parse, noun="answer sheets")
    sheet.errors += repeated(sheet.rows, "each has one sheet")
    return sheet


def letters_marked(file: bytes, questions: int, roll_number: str | None, columns: str | None) -> set[str]:
    """Return the letters a to f that occur in the answers: the options of a paper without questions."""
    records = read_records(file, SHEET)
    layout, _ = read_layout(next(records).cells, questions, roll_number, columns)
    cells = {record.cell(position).casefold() for record in records for position in layout.answers}
    return {letter for cell in cells if cell != "na" for letter in cell if letter in OPTION_LETTERS}


@dataclass(slots=True)
class _RowReader:
    """Reads the row of one candidate and adds its errors to `errors`."""

    layout: AnswerSheetLayout
    record: Record
    errors: list[RowError]
    readers: Sequence[tuple[UUID, AnswerReader]]
    may_be_short: bool
    """XLSX stores no cells after the last non-empty one of a row."""

    def read(self) -> AnswerSheet:
        """Return the answer sheet. It is incomplete if there are errors."""
        self._check_width()
        cells = PersonCells(self.record, self.layout, self.errors)
        return AnswerSheet(
            row=self.record.row,
            roll_number=self._roll_number(cells),
            answers=self._answers(),
            name=cells.text("name"),
            email=cells.email(),
            category=cells.category(),
            pwbd=cells.pwbd(),
        )

    def _answers(self) -> dict[UUID, Answer]:
        answers = {}
        for (question_id, read), position in zip(self.readers, self.layout.answers, strict=True):
            try:
                answer = read(self.record.cell(position))
            except ValueError as error:
                self._wrong(self.layout.name_at(position), str(error))
                continue
            if answer is not None:
                answers[question_id] = answer
        return answers

    def _roll_number(self, cells: PersonCells) -> str:
        if ROLL_NUMBER not in self.layout.positions:
            return str(self.record.row)
        number = cells.text(ROLL_NUMBER, LONGEST_ROLL_NUMBER)
        if number is None:
            cells.wrong(ROLL_NUMBER, "the roll number is missing")
        return number or ""

    def _check_width(self) -> None:
        cells, width = self.record.cells, len(self.layout.names)
        if len(cells) < width and not self.may_be_short:
            self._wrong("file", f"the row has {len(cells)} cells, and the header {width}")
        self.errors += errors_without_header(self.record, range(width, len(cells)))

    def _wrong(self, column: str, message: str) -> None:
        self.errors.append(RowError(self.record.row, column, message))
