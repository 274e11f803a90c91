"""Reads a sheet of questions: bytes in, rows and errors out, without the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.core import full_collections
from app.sentences import Sentence
from app.services.column_mappings import SavedColumns, fingerprint
from app.services.questions.columns import SHEET, Columns, checked_mapping, count_known, read_header
from app.services.questions.embedded_images import named_images
from app.services.questions.legacy_fonts import converted
from app.services.questions.merged_cells import filled_down
from app.services.questions.other_rows import no_question
from app.services.questions.row_checks import row_warnings
from app.services.questions.rows import EmptyKey, RowReader, SheetRow
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_worksheets
from app.sheets.header_row import find_header, not_read
from app.sheets.kruti_dev import LegacyFont
from app.sheets.limits import MAX_COLUMNS, MAX_ROWS
from app.sheets.parsing import ParsedSheet, cell_errors, parse_rows, too_many_rows
from app.sheets.progress import ReportProgress, no_progress
from app.sheets.records import WHOLE_ROW, Record, check_header
from app.sheets.reports import RowError, RowWarning
from app.sheets.worksheets import Worksheet, sheets_not_read

QuestionSheet = ParsedSheet[Columns, SheetRow]


class ImportStage(StrEnum):
    """The stages of an import of questions, in their order."""

    READING = "Reading rows"
    FINDING = "Finding questions"
    WRITING = "Writing rows"
    COMPARING = "Comparing questions"


@dataclass(frozen=True, slots=True)
class QuestionSheetOptions:
    """How a sheet is read."""

    empty_key: EmptyKey = EmptyKey.ERROR
    needs_subject: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    """The column of each header that has another name, as `checked_mapping` returns it."""
    legacy_font: LegacyFont | None = None
    """The font of `LEGACY_FONTS` in which columns are typed."""
    takes_images: bool = False
    """Whether images on the sheet are read. Otherwise they are errors."""
    saved: SavedColumns = field(default_factory=dict)
    """The mappings of earlier imports. They are used where `mapping` has nothing."""

    def mapping_of(self, cells: Sequence[str]) -> Mapping[str, str]:
        """The mapping for this header."""
        saved = self.saved.get(fingerprint(cells)) if self.saved else None
        return self.mapping if saved is None else checked_mapping(saved)

    def count_known(self, cells: Sequence[str]) -> int:
        """Count the cells that name a column. A header that has a saved mapping exceeds every other row."""
        if self.saved and fingerprint(cells) in self.saved:
            return MAX_COLUMNS + len(cells)
        return count_known(cells, self.mapping)


def read_questions(
    file: bytes, how: QuestionSheetOptions, progress: ReportProgress = no_progress
) -> QuestionSheet:
    """Read a sheet of questions and report all errors. A sheet may have a header and no questions.

    Raises UnreadableSheet for a file that is not a sheet of questions, SheetTooLarge beyond 25 MB.
    """
    with full_collections.disabled():
        return _read(file, how, progress)


def _read(file: bytes, how: QuestionSheetOptions, progress: ReportProgress) -> QuestionSheet:
    sheets = read_worksheets(file, SHEET, lambda rows: any(how.count_known(row.cells) >= 2 for row in rows))
    read = [sheet for sheet in sheets if sheet.why_not is None] or [Worksheet()]
    whole, *further = (
        _read_sheet(each, number if len(read) > 1 else 0, how, progress)
        for number, each in enumerate(read, start=1)
    )
    for sheet in further:
        whole.add(sheet)
    if len(whole.rows) > MAX_ROWS:
        raise UnreadableSheet(too_many_rows("questions"))
    whole.warnings += sheets_not_read(sheets)
    return whole


def _read_sheet(
    sheet: Worksheet, number: int, how: QuestionSheetOptions, progress: ReportProgress
) -> QuestionSheet:
    """Read one sheet. `number` is its place among those of a workbook, from 1; of a single one it is 0."""
    header, above, records = find_header(sheet.records, how.count_known)
    mapping = how.mapping_of(header.cells)
    found = _read_header(header, mapping, needs_subject=how.needs_subject)
    found.warnings += _not_read(found.layout, header, above)
    if found.errors:
        return found
    plain = [cell.strip().casefold() for cell in header.cells]
    title = sheet.title if number else ""

    def known(cells: Sequence[str]) -> int:
        return count_known(cells, mapping)

    def parse(record: Record, errors: list[RowError]) -> SheetRow:
        reader = RowReader(
            found.layout,
            record,
            errors,
            found.warnings,
            how.empty_key,
            how.needs_subject,
            sheet=number or 1,
            title=title,
        )
        if what := no_question(record, plain, known):
            errors.append(RowError(record.row, "file", what, record.cell_name(WHOLE_ROW)))
            return reader.nothing()
        return reader.read()

    if how.takes_images:
        records = named_images(found.layout, records, number or 1, found.images, found.warnings)
    records = filled_down(found.layout, records)
    if how.legacy_font is not None:
        records = iter(converted(found.layout, records, how.legacy_font, found.warnings))
    parse_rows(found, records, parse, noun="questions", progress=progress, stage=ImportStage.READING)
    found.warnings += row_warnings(found.rows, found.layout, header)
    return found


def _not_read(columns: Columns, header: Record, above: Sequence[Record]) -> Iterator[RowWarning]:
    """Warnings of rows above the header and of columns that are left out."""
    yield from not_read(above)
    for position in columns.ignored:
        name = columns.name_at(position)
        message = "this column is left out, as the mapping says"
        yield RowWarning(header.row, name, message, cell=header.cell_name(position))


_NO_HEADER = Sentence(
    'The first row is not the header of a sheet of questions, such as "question,option_a,option_b,key".'
)
_BY_COMMAS = Sentence("Separate the columns by commas.")


def _read_header(header: Record, mapping: Mapping[str, str], *, needs_subject: bool) -> QuestionSheet:
    check_header(header)
    columns, problems = read_header(header.cells, needs_subject=needs_subject, mapping=mapping)
    columns.row = header.row
    if not columns:
        sentences = [_NO_HEADER, *([_BY_COMMAS] if len(header.cells) == 1 else [])]
        raise UnreadableSheet(Sentence.joined(*sentences))
    errors = cell_errors(header, columns)
    return ParsedSheet(
        columns,
        header=header,
        errors=errors
        or [
            RowError(
                header.row,
                problem.column,
                problem.message,
                header.cell_name(WHOLE_ROW if problem.position is None else problem.position),
            )
            for problem in problems
        ],
    )
