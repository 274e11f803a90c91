"""A file of answer sheets, CSV or XLSX: bytes in, sheets and errors out. Nothing here knows the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.core.errors import Invalid
from app.core.names import LONGEST_EMAIL, LONGEST_NAME, email_address, problem_of
from app.engine.answers import Answer
from app.engine.question_types import OPTION_LETTERS
from app.services.exams.answer_sheets.cells import AnswerReader, reader_of
from app.services.exams.answer_sheets.columns import ROLL_NUMBER, Layout, read_layout
from app.services.questions import RowError
from app.services.questions.cells import as_given
from app.services.questions.columns import spreadsheet_letters
from app.services.questions.limits import MOST_ERRORS_FOUND, MOST_ROWS, NOTHING_MORE_READ
from app.services.questions.sheets import check_header, filled, records_of
from app.services.questions.workbooks import SheetCells, is_workbook
from app.services.tests.papers import PaperQuestion

SHEET = "answers"
CATEGORIES = ("general", "ews", "obc", "sc", "st")

_SENT_AT_ONCE = 100
_LONGEST_ROLL_NUMBER = 50


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """What one candidate has marked; blanks are left out. None is a cell that says nothing."""

    row: int
    roll_number: str
    answers: Mapping[UUID, Answer]
    name: str | None = None
    email: str | None = None
    category: str | None = None
    pwbd: int | None = None


@dataclass(slots=True)
class SheetFile:
    """What was read; where there are errors, `sheets` are not all."""

    sheets: list[AnswerSheet] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def read_answer_sheets(
    file: bytes, questions: Sequence[PaperQuestion], roll_number: str | None, columns: str | None
) -> SheetFile:
    """Read a file of answer sheets to a paper of these questions, and find everything that is wrong with it.

    Raises Invalid for what is neither XLSX nor CSV in UTF-8, TooLarge beyond 25 MB.
    """
    records = records_of(file, SHEET)
    header = next(records)
    check_header(header)
    if not any(cell.strip() for cell in header.cells):
        raise Invalid.field("file", "the first row is no header; it names the columns")
    layout, errors = read_layout(header.cells, len(questions), roll_number, columns)
    found = SheetFile(errors=errors or _cell_errors(header, layout))
    if found.errors:
        return found
    readers = [(question.id, reader_of(question)) for question in questions]
    for count, record in enumerate(filled(records)):
        if count == MOST_ROWS:
            raise Invalid.field("file", f"a file may have {MOST_ROWS:,} answer sheets; split it")
        if len(found.errors) > MOST_ERRORS_FOUND:
            found.errors.append(RowError(record.row, "file", NOTHING_MORE_READ))
            break
        _Row(layout, record, readers, found, may_be_short=is_workbook(file)).read()
    found.errors += repeated(found.sheets)
    return found


def answer_sheets_in_pieces(
    file: bytes, questions: Sequence[PaperQuestion], roll_number: str | None, columns: str | None
) -> Iterator[SheetFile]:
    """What `read_answer_sheets` gives, a hundred sheets at a time: for a child process, see `joined`."""
    found = read_answer_sheets(file, questions, roll_number, columns)
    yield SheetFile(errors=found.errors)
    for start in range(0, len(found.sheets), _SENT_AT_ONCE):
        yield SheetFile(found.sheets[start : start + _SENT_AT_ONCE])


def joined(pieces: Sequence[SheetFile]) -> SheetFile:
    """The file of which these are the pieces."""
    return SheetFile([sheet for piece in pieces for sheet in piece.sheets], pieces[0].errors)


def letters_marked(file: bytes, questions: int, roll_number: str | None, columns: str | None) -> set[str]:
    """Which of the letters a to f occur in the answers: what options a paper had that nobody describes."""
    records = records_of(file, SHEET)
    layout, _ = read_layout(next(records).cells, questions, roll_number, columns)
    cells = {
        record.cells[position].casefold()
        for record in records
        for position in layout.answers
        if position < len(record.cells)
    }
    return {letter for cell in cells if cell != "na" for letter in cell if letter in OPTION_LETTERS}


def repeated(sheets: Sequence[AnswerSheet]) -> Iterator[RowError]:
    """Sheets of the same candidate: by roll number, or by address."""
    for what in ("roll_number", "email"):
        first: dict[str, int] = {}
        for sheet in sheets:
            value = getattr(sheet, what)
            if value is not None and first.setdefault(value, sheet.row) != sheet.row:
                yield RowError(sheet.row, what, f"row {first[value]} has this one too; each has one sheet")


def _cell_errors(record: SheetCells, layout: Layout) -> list[RowError]:
    """What is wrong with cells before anybody asks what they mean."""
    return [
        RowError(record.row, layout.name_at(place), message)
        for place, message in sorted(record.wrong.items())
        if layout.matters(place)
    ]


@dataclass(slots=True)
class _Row:
    """Reads one candidate's row."""

    layout: Layout
    record: SheetCells
    readers: Sequence[tuple[UUID, AnswerReader]]
    found: SheetFile
    may_be_short: bool
    """A workbook keeps no cells after the last one that says something."""

    def read(self) -> None:
        """Add the sheet to what was found, or what is wrong with it."""
        before = len(self.found.errors)
        if self.record.broken:
            self._wrong("file", self.record.broken)
            return
        self.found.errors += _cell_errors(self.record, self.layout)
        self._check_width()
        sheet = AnswerSheet(
            row=self.record.row,
            roll_number=self._roll_number(),
            answers=self._answers(),
            name=self._text("name", LONGEST_NAME),
            email=self._email(),
            category=self._category(),
            pwbd=self._pwbd(),
        )
        if len(self.found.errors) == before:
            self.found.sheets.append(sheet)

    def _answers(self) -> dict[UUID, Answer]:
        answers, cells = {}, self.record.cells
        for (question_id, read), position in zip(self.readers, self.layout.answers, strict=True):
            try:
                answer = read(cells[position] if position < len(cells) else "")
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
        if position is None or position >= len(self.record.cells):
            return None
        text = " ".join(as_given(self.record.cells[position].strip()).split())
        if len(text) > longest:
            self._wrong(self._name_of(what), f"at most {longest} characters fit")
        if text and (problem := problem_of(text)):
            self._wrong(self._name_of(what), problem)
        return text if text and text != "NA" else None

    def _check_width(self) -> None:
        cells, width = self.record.cells, len(self.layout.names)
        if len(cells) < width and not self.may_be_short:
            self._wrong("file", f"the row has {len(cells)} cells, and the header {width}")
        for position in range(width, len(cells)):
            if cells[position].strip():
                self._wrong(f"column {spreadsheet_letters(position)}", "there is no header above this cell")

    def _name_of(self, what: str) -> str:
        return self.layout.name_at(self.layout.others[what])

    def _wrong(self, column: str, message: str) -> None:
        self.found.errors.append(RowError(self.record.row, column, message))
