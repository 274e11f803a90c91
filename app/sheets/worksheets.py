"""The sheets of a workbook: those that are read, and why the others are not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.sheets.records import WHOLE_ROW, Record
from app.sheets.reports import RowWarning
from app.sheets.templates import OWN_SHEETS

IsWanted = Callable[[Sequence[Record]], bool]
"""Returns whether a sheet is read, by its first rows."""


class NotRead(StrEnum):
    """Why a sheet is not read, and how to mend it."""

    HIDDEN = "it is hidden; show it if it has questions"
    EMPTY = "it is empty"
    NO_HEADER = "none of its first rows has names of columns; write them above the questions if it has some"
    CHART = "it is a chart"
    OTHER = "a sheet of this workbook is called questions, and only that one is read; rename it to read all"


@dataclass(slots=True)
class Worksheet:
    """A sheet of a workbook. A CSV file is one without a title."""

    title: str = ""
    records: Iterable[Record] = ()
    why_not: NotRead | None = None


def sheets_not_read(sheets: Iterable[Worksheet]) -> Iterator[RowWarning]:
    """Return a warning for each sheet that is not read. Notes of the template need none."""
    for sheet in sheets:
        is_own = sheet.why_not is NotRead.OTHER and sheet.title in OWN_SHEETS
        if sheet.why_not is not None and not is_own:
            cell = Record(1, [], sheet=sheet.title).cell_name(WHOLE_ROW)
            yield RowWarning(1, "file", f'the sheet "{sheet.title}" is not read: {sheet.why_not}', cell=cell)
