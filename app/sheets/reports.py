"""The report of an import: errors and warnings by row, and what was or would be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

MAX_REPORTED = 1_000
"""Errors in a report, and warnings."""


@dataclass(frozen=True, slots=True)
class RowError:
    """An error in one cell. Rows are numbered as in a spreadsheet: the header is row 1."""

    row: int
    field: str
    message: str
    cell: str | None = None
    """The cell as the spreadsheet names it, such as `Sheet1!F7`."""
    file: int = 1
    """The number of the file, if an import has several."""
    sheet: int = 1
    """The number of the sheet among those of a workbook that are read."""


@dataclass(frozen=True, slots=True)
class RowWarning:
    """Something in one row to check; `related_id` is the existing item that it refers to, if any."""

    row: int
    field: str
    message: str
    related_id: UUID | None = None
    cell: str | None = None
    file: int = 1
    sheet: int = 1


Message = TypeVar("Message", RowError, RowWarning)


@dataclass(frozen=True, slots=True, order=True)
class RowPlace:
    """Where a row stands."""

    sheet: int
    row: int
    title: str = ""
    """The name of the sheet, if several are read."""

    def __str__(self) -> str:
        return f'row {self.row} of the sheet "{self.title}"' if self.title else f"row {self.row}"

    def error(self, field: str, message: str) -> RowError:
        """Return an error of this row."""
        return RowError(self.row, field, message, sheet=self.sheet)

    def warning(self, field: str, message: str, related_id: UUID | None = None) -> RowWarning:
        """Return a warning about this row."""
        return RowWarning(self.row, field, message, related_id, sheet=self.sheet)


@dataclass(frozen=True, slots=True)
class ItemInTest:
    """What a sheet says about an item in a test. None means an empty cell or a missing column."""

    section: str | None = None
    marks: str | None = None
    negative_marks: str | None = None
    """Zero or with a minus, such as `-2/3`."""
    languages: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import wrote, or with `dry_run` would write. If there are errors, nothing was written."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    updated_columns: Mapping[str, int] = field(default_factory=dict)
    """In how many existing items each column gets another value; of questions only."""
    passages_created: int = 0
    passages_updated: int = 0
    errors: Sequence[RowError] = ()
    warnings: Sequence[RowWarning] = ()
    """They do not prevent the import."""
    item_ids: Sequence[UUID] = ()
    """The imported items in the order of the sheet. Empty after a dry run."""
    item_rows: Sequence[RowPlace] = ()
    """The row of each imported item."""
    items_in_test: Sequence[ItemInTest] = ()
    """Of each imported item, in the same order."""
    remarks: Sequence[RowError | RowWarning] = ()
    """Each error and each warning, where `errors` and `warnings` have one for a cause in many cells."""
    headers: Sequence[Sequence[str]] = ()
    """For each file the rows of the headers of its sheets, such as `Sheet1!3`: none in files of another
    kind."""
    format: str = "sheet"
    """The format of the file."""

    def of_dry_run(self) -> "ImportReport":
        """Return the same report without the ids of items that were rolled back."""
        return replace(self, item_ids=(), item_rows=(), items_in_test=())


def remarks_by_file(report: ImportReport) -> list[list[RowError | RowWarning]]:
    """Return the errors and warnings of each file of an import."""
    numbers = range(1, len(report.headers) + 1)
    return [[each for each in report.remarks if each.file == number] for number in numbers]
