"""An empty sheet of questions to fill in: XLSX with lists to choose from, or CSV."""

import csv
import io

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.engine.question_types import QUESTION_TYPES
from app.services.questions.exports import SheetFormat, header_of
from app.services.questions.limits import MOST_ROWS
from app.services.questions.rows import DIFFICULTIES, STATUSES, TYPES
from app.services.questions.workbooks import SHEET

_LISTS = {"type": TYPES, "difficulty": DIFFICULTIES, "status": STATUSES}
_WIDE = ("question", "explanation", "option")
_NOTES = (
    ("question, option_a, option_b, key", "Needed; all other columns may stay empty or be deleted."),
    (
        "question_hi, option_a_hi, …",
        "The same in Hindi; for other languages add columns such as question_ta.",
    ),
    (
        "key",
        "b: option b. bd: exactly b and d. b|d: either. dropped: nothing counts. True/false: true or false.",
    ),
    *(kind.sheet_note for kind in QUESTION_TYPES.values() if kind.sheet_note),
    ("subject, chapter", "By name; what is not there is made. The subject may be given for the whole sheet."),
    ("external_id", "Your own name for the question: importing it again changes this question."),
    ("source, number", "Where it was printed; without an external_id, these name the question."),
    ("passage_id", "The external_id of a passage that several questions share."),
    ("status", "Empty means active. A draft may wait for its key."),
    ("tags", "At most 20, separated by commas; a comma within a tag has a backslash before it."),
    (
        "Formulas, dates, merged or hidden cells",
        "Are refused: type values. All cells here are formatted as text.",
    ),
)


def template(sheet_format: SheetFormat, languages: tuple[str, ...] = ("hi",)) -> bytes:
    """A sheet with a header and no questions; importing it as it is does nothing."""
    header = header_of(languages)
    if sheet_format is SheetFormat.XLSX:
        return _workbook(header)
    out = io.StringIO(newline="")
    csv.writer(out).writerow(header)
    return out.getvalue().encode("utf-8-sig")


def _workbook(header: list[str]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    sheet.append(header)
    sheet.freeze_panes = "A2"
    for place, name in enumerate(header, start=1):
        letter = get_column_letter(place)
        sheet[f"{letter}1"].font = Font(bold=True)
        # As text, or a spreadsheet would make a date of 22/7.
        sheet.column_dimensions[letter].number_format = "@"
        sheet.column_dimensions[letter].width = 40 if name.startswith(_WIDE) else 14
        if name in _LISTS:
            choices = DataValidation("list", formula1=f'"{",".join(_LISTS[name])}"', allow_blank=True)
            choices.add(f"{letter}2:{letter}{MOST_ROWS + 1}")
            sheet.add_data_validation(choices)
    notes = book.create_sheet("notes")
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = 40, 100
    for note in (("column", "what to write"), *_NOTES):
        notes.append(note)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
