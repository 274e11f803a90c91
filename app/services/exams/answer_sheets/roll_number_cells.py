"""Roll numbers as they stand on an answer sheet: in one column, or one digit per column."""

import re

from app.core.names import MAX_ROLL_NUMBER_LENGTH
from app.services.exams.answer_sheets.columns import AnswerSheetLayout
from app.services.exams.answer_sheets.headers import ROLL_NUMBER
from app.services.person_cells import PersonCells
from app.sheets.cells import unescape_formula
from app.sheets.records import Record
from app.sheets.reports import RowError

_DOUBT = re.compile(r"[?*()\[\]{}<>~!…^]")
_DOUBTFUL = "is not certain: a scanner marks so what it could not read. Look at the sheet and type the number"


def roll_number_of(
    record: Record, layout: AnswerSheetLayout, cells: PersonCells, errors: list[RowError]
) -> str:
    """Return the roll number of a row, and add what is wrong with it to `errors`."""
    if layout.digits:
        return _joined(record, layout, errors)
    if ROLL_NUMBER not in layout.positions:
        return str(record.row)
    number = cells.text(ROLL_NUMBER, MAX_ROLL_NUMBER_LENGTH)
    if number is None:
        cells.wrong(ROLL_NUMBER, "the roll number is missing")
    elif _DOUBT.search(number):
        cells.wrong(ROLL_NUMBER, f"{number} {_DOUBTFUL}")
    return number or ""


def _joined(record: Record, layout: AnswerSheetLayout, errors: list[RowError]) -> str:
    digits = []
    for position in layout.digits:
        digit = unescape_formula(record.cell(position).strip())
        if not digit:
            errors.append(
                RowError(record.row, layout.name_at(position), "this digit of the roll number is blank")
            )
        elif len(digit) > 1:
            message = f'"{digit}" is more than one sign of the roll number; look at the sheet'
            errors.append(RowError(record.row, layout.name_at(position), message))
        elif _DOUBT.match(digit):
            errors.append(RowError(record.row, layout.name_at(position), f'"{digit}" {_DOUBTFUL}'))
        digits.append(digit[:1])
    return "".join(digits)
