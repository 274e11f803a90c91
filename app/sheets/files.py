"""Opens a file of either format: the bytes decide, not the name."""

from collections.abc import Iterator

from app.sheets import xlsx_reader
from app.sheets.csv_reader import read_csv
from app.sheets.errors import SheetTooLarge
from app.sheets.limits import MAX_BYTES
from app.sheets.records import Record
from app.sheets.worksheets import IsWanted, Worksheet
from app.sheets.xlsx_container import is_xlsx
from app.sheets.xlsx_reader import read_xlsx


def read_worksheets(file: bytes, sheet_name: str, is_wanted: IsWanted) -> list[Worksheet]:
    """Return the sheets of an XLSX file, or the one of a CSV file; see `xlsx_reader.read_worksheets`.

    Raises UnreadableSheet for a file in neither format, SheetTooLarge beyond 25 MB.
    """
    if len(file) > MAX_BYTES:
        raise SheetTooLarge(MAX_BYTES)
    if is_xlsx(file):
        return xlsx_reader.read_worksheets(file, sheet_name, is_wanted)
    return [Worksheet(records=read_csv(file))]


def read_records(file: bytes, sheet_name: str) -> Iterator[Record]:
    """Return the rows of an XLSX or CSV file, the header first.

    Of a workbook, reads the sheet with this name, else the first one. Raises UnreadableSheet for a file in
    neither format, SheetTooLarge beyond 25 MB.
    """
    if len(file) > MAX_BYTES:
        raise SheetTooLarge(MAX_BYTES)
    return read_xlsx(file, sheet_name) if is_xlsx(file) else read_csv(file)
