"""Writes empty sheets to fill in: a header, lists of choices, and notes."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sheets.limits import MAX_ROWS

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet


_EXAMPLES, _NOTES = "examples", "notes"
OWN_SHEETS = (_EXAMPLES, _NOTES)
"""The sheets of a template that are not filled in."""


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column of an empty sheet."""

    name: str
    header: str
    """What the header calls it."""
    is_wide: bool = False
    choices: Sequence[str] = ()
    """The values that a cell may have; any if there are none."""
    is_open: bool = False
    """Whether a cell may have other values than the choices too."""


def csv_template(columns: Iterable[TemplateColumn]) -> bytes:
    """Return a CSV file with the header only."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow(column.header for column in columns)
    return out.getvalue().encode("utf-8-sig")


def xlsx_template(
    sheet_name: str,
    columns: Sequence[TemplateColumn],
    notes: Iterable[tuple[str, str]],
    examples: Sequence[Mapping[str, str]] = (),
) -> bytes:
    """Return a workbook with the header, a sheet of examples, and one with notes on the columns.

    The first note is the header of the notes.
    """
    # Imported here: openpyxl imports numpy, and few processes write an empty sheet.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = sheet_name
    filled = book.create_sheet(_EXAMPLES)
    for each in (sheet, filled):
        each.append([column.header for column in columns])
        each.freeze_panes = "A2"
        for number, column in enumerate(columns, start=1):
            _format_column(each, get_column_letter(number), column)
    for example in examples:
        filled.append([example.get(column.name) for column in columns])
    _add_notes(book, notes)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _format_column(sheet: "Worksheet", letter: str, column: TemplateColumn) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    sheet[f"{letter}1"].font = Font(bold=True)
    # As text, or a spreadsheet would turn 22/7 into a date.
    sheet.column_dimensions[letter].number_format = "@"
    sheet.column_dimensions[letter].width = 40 if column.is_wide else 14
    if column.choices:
        choices = DataValidation("list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
        choices.showErrorMessage = not column.is_open
        choices.add(f"{letter}2:{letter}{MAX_ROWS + 1}")
        sheet.add_data_validation(choices)


def _add_notes(book: "Workbook", notes: Iterable[tuple[str, str]]) -> None:
    sheet = book.create_sheet(_NOTES)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 40, 100
    for note in notes:
        sheet.append(note)
