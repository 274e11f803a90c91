"""Shared by all imports of sheets: reading the file in a child process, and its errors as domain errors."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from app.core.errors import Invalid, TooLarge
from app.core.process_pool import ProcessPool
from app.sentences import Sentence
from app.sheets.errors import SheetError, SheetTooLarge
from app.sheets.parsing import Layout, ParsedSheet, join_pieces, parse_in_pieces
from app.sheets.remarks import with_remarks
from app.sheets.reports import ImportReport, remarks_by_file

RowT = TypeVar("RowT")
LayoutT = TypeVar("LayoutT", bound=Layout)

ADVICE = Sentence("Split the file, or save it as CSV UTF-8.")


@contextmanager
def sheet_errors_as_invalid(field: str = "file") -> Iterator[None]:
    """Raise errors of `app/sheets` inside the block as Invalid for the field, or as TooLarge."""
    try:
        yield
    except SheetTooLarge as error:
        raise TooLarge(error.max_bytes) from None
    except SheetError as error:
        raise Invalid.field(field, str(error)) from None


async def copies_with_remarks(
    pool: ProcessPool, caller: Hashable, files: Sequence[bytes], report: ImportReport
) -> list[bytes]:
    """Return each sheet as a workbook with a last column of errors and warnings, written in child processes.

    Raises Invalid for a file that is no sheet, TooComplex or Unavailable.
    """
    if not report.headers or not all(report.headers):
        raise Invalid.field("report", "Only a sheet can have a column of remarks. Send `report=json`.")
    found = zip(files, report.headers, remarks_by_file(report), strict=True)
    return [
        await pool.run(with_remarks, file, names[0], remarks, names[1:], caller=caller, advice=ADVICE)
        for file, names, remarks in found
    ]


async def read_in_child(
    files: ProcessPool, caller: Hashable, parse: Callable[..., ParsedSheet[LayoutT, RowT]], *arguments: Any
) -> ParsedSheet[LayoutT, RowT]:
    """Call `parse` in a child process with limits for time and memory.

    Raises Invalid, TooLarge, TooComplex if the child reaches a limit, or Unavailable if too many calls wait.
    """
    with sheet_errors_as_invalid():
        pieces = await files.collect(parse_in_pieces, parse, *arguments, caller=caller, advice=ADVICE)
    return join_pieces(pieces)
