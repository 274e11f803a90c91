"""Reads a sheet of questions: bytes in, rows and errors out, without the database."""

from enum import StrEnum

from app.sentences import Sentence
from app.services.questions.columns import SHEET, Columns, read_header
from app.services.questions.rows import EmptyKey, RowReader, SheetRow
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.parsing import ParsedSheet, cell_errors, parse_rows
from app.sheets.progress import ReportProgress, no_progress
from app.sheets.records import Record, check_header
from app.sheets.reports import RowError

QuestionSheet = ParsedSheet[Columns, SheetRow]


class ImportStage(StrEnum):
    """The stages of an import of questions, in their order."""

    READING = "Reading rows"
    FINDING = "Finding questions"
    WRITING = "Writing rows"
    COMPARING = "Comparing questions"


def read_questions(
    file: bytes, empty_key: EmptyKey, needs_subject: bool, progress: ReportProgress = no_progress
) -> QuestionSheet:
    """Read a sheet of questions and report all errors. A sheet may have a header and no questions.

    Raises UnreadableSheet for a file that is not a sheet of questions, SheetTooLarge beyond 25 MB.
    """
    records = read_records(file, SHEET)
    sheet = _read_header(next(records), needs_subject=needs_subject)
    if sheet.errors:
        return sheet

    def parse(record: Record, errors: list[RowError]) -> SheetRow:
        return RowReader(sheet.layout, record, errors, empty_key, needs_subject).read()

    parse_rows(sheet, records, parse, noun="questions", progress=progress, stage=ImportStage.READING)
    return sheet


_NO_HEADER = Sentence(
    'The first row is not the header of a sheet of questions, such as "question,option_a,option_b,key".'
)
_BY_COMMAS = Sentence("Separate the columns by commas.")


def _read_header(header: Record, *, needs_subject: bool) -> QuestionSheet:
    check_header(header)
    columns, problems = read_header(header.cells, needs_subject=needs_subject)
    if not columns:
        sentences = [_NO_HEADER, *([_BY_COMMAS] if len(header.cells) == 1 else [])]
        raise UnreadableSheet(Sentence.joined(*sentences))
    errors = cell_errors(header, columns)
    return ParsedSheet(
        columns, errors=errors or [RowError(header.row, error.column, error.message) for error in problems]
    )
