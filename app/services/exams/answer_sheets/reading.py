"""Reads a file of answer sheets: bytes in, answer sheets and errors out, without the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.names import LONGEST_EMAIL, LONGEST_NAME, email_address, problem_of
from app.engine.answers import Answer
from app.engine.question_types import OPTION_LETTERS
from app.services.exams.answer_sheets.cells import AnswerReader, reader_of
from app.services.exams.answer_sheets.columns import ROLL_NUMBER, AnswerSheetLayout, read_layout
from app.services.tests.papers import FrozenQuestion
from app.sheets.cells import unescape_formula
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.parsing import ParsedSheet, cell_errors, errors_without_header, parse_rows
from app.sheets.records import Record, check_header
from app.sheets.reports import RowError
from app.sheets.xlsx_reader import is_xlsx

SHEET = "answers"
CATEGORIES = ("general", "ews", "obc", "sc", "st")

_LONGEST_ROLL_NUMBER = 50


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
    sheet.errors += repeated(sheet.rows)
    return sheet


def letters_marked(file: bytes, questions: int, roll_number: str | None, columns: str | None) -> set[str]:
    """Return the letters a to f that occur in the answers: the options of a paper without questions."""
    records = read_records(file, SHEET)
    layout, _ = read_layout(next(records).cells, questions, roll_number, columns)
    cells = {record.cell(position).casefold() for record in records for position in layout.answers}
    return {letter for cell in cells if cell != "na" for letter in cell if letter in OPTION_LETTERS}


def repeated(sheets: Sequence[AnswerSheet]) -> Iterator[RowError]:
    """Return an error for each answer sheet whose roll number or address occurs before it."""
    for what in ("roll_number", "email"):
        first: dict[str, int] = {}
        for sheet in sheets:
            value = getattr(sheet, what)
            if value is not None and first.setdefault(value, sheet.row) != sheet.row:
                yield RowError(sheet.row, what, f"row {first[value]} has this one too; each has one sheet")


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
        return AnswerSheet(
            row=self.record.row,
            roll_number=self._roll_number(),
            answers=self._answers(),
            name=self._text("name", LONGEST_NAME),
            email=self._email(),
            category=self._category(),
            pwbd=self._pwbd(),
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

    def _roll_number(self) -> str:
        if ROLL_NUMBER not in self.layout.others:
            return str(self.record.row)
        number = self._text(ROLL_NUMBER, _LONGEST_ROLL_NUMBER)
        if number is None:
            self._wrong(self._name_of(ROLL_NUMBER), "the roll number is missing")
        return number or ""

    def _email(self) -> str | None:
        email = self._text("email", LONGEST_EMAIL)
        try:
            return email_address(email) if email is not None else None
        except ValueError as error:
            self._wrong(self._name_of("email"), str(error))
            return None

    def _category(self) -> str | None:
        category = self._text("category", LONGEST_NAME)
        if category is not None and category.lower() not in CATEGORIES:
            self._wrong(self._name_of("category"), f"write one of: {', '.join(CATEGORIES)}")
        return category.lower() if category is not None else None

    def _pwbd(self) -> int | None:
        number = self._text("pwbd", LONGEST_NAME)
        if number is None:
            return None
        if number not in ("1", "2", "3", "4", "5"):
            self._wrong(self._name_of("pwbd"), "write the kind of benchmark disability, 1 to 5, or nothing")
            return None
        return int(number)

    def _text(self, what: str, longest: int) -> str | None:
        position = self.layout.others.get(what)
        if position is None:
            return None
        text = " ".join(unescape_formula(self.record.cell(position).strip()).split())
        if len(text) > longest:
            self._wrong(self._name_of(what), f"at most {longest} characters fit")
        if text and (problem := problem_of(text)):
            self._wrong(self._name_of(what), problem)
        return text if text and text != "NA" else None

    def _check_width(self) -> None:
        cells, width = self.record.cells, len(self.layout.names)
        if len(cells) < width and not self.may_be_short:
            self._wrong("file", f"the row has {len(cells)} cells, and the header {width}")
        self.errors += errors_without_header(self.record, range(width, len(cells)))

    def _name_of(self, what: str) -> str:
        return self.layout.name_at(self.layout.others[what])

    def _wrong(self, column: str, message: str) -> None:
        self.errors.append(RowError(self.record.row, column, message))
