"""A workbook with forty mistakes of forty kinds: one message for each, and nothing is imported."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from typing import Any
from uuid import uuid4

from openpyxl.drawing.image import Image as SheetImage
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image as PillowImage

from app.models import Institute
from app.services import questions
from app.services.unit_of_work import UnitOfWork
from app.services.users import operator
from tests.builders.workbooks import workbook

TITLE_ROWS = 2
HEADER = {
    "Q.No": "number",
    "Question": "question",
    "Option A": "option_a",
    "Option B": "option_b",
    "Option C": "option_c",
    "Option D": "option_d",
    "Correct Answer": "key",
    "विषय": "subject",
    "Topic": "chapter",
    "type": "type",
    "Level": "difficulty",
    "tags": "tags",
    "source": "source",
    "external_id": "external_id",
    "status": "status",
    "Figure": "image",
    "passage_id": "passage_id",
}
FIELDS = list(HEADER.values())
LETTERS = "ABCDEFGHIJKLMNOPQR"
RIGHT: dict[str, Any] = {
    "option_a": "One",
    "option_b": "Two",
    "option_c": "Three",
    "option_d": "Four",
    "key": "b",
    "subject": "Polity",
}
Change = Callable[[Worksheet, int], None]


def formatted(code: str, column: str = "C") -> Change:
    def change(sheet: Worksheet, row: int) -> None:
        sheet[f"{column}{row}"].number_format = code

    return change


def hide(sheet: Worksheet, row: int) -> None:
    sheet.row_dimensions[row].hidden = True


def merge(sheet: Worksheet, row: int) -> None:
    sheet.merge_cells(f"E{row}:F{row}")


def paste(sheet: Worksheet, row: int) -> None:
    image_file = io.BytesIO()
    PillowImage.new("RGB", (4, 4)).save(image_file, "PNG")
    sheet.add_image(SheetImage(image_file), f"B{row}")


def only(*cells: Any) -> Change:
    """A row with nothing else in it."""

    def change(sheet: Worksheet, row: int) -> None:
        for column in range(1, len(HEADER) + 1):
            sheet.cell(row, column).value = cells[column - 1] if column <= len(cells) else None

    return change


def beyond(sheet: Worksheet, row: int) -> None:
    sheet[f"R{row}"] = "more"


def nothing(sheet: Worksheet, row: int) -> None:
    """The cells say it all."""


# What is typed, what else is done to the row, the cell that is named ("" is the row), and words of the mend.
PLANTED: list[tuple[dict[str, Any], Change, str, str]] = [
    ({"key": "e"}, nothing, "G", "Its options: a, b, c, d"),
    ({"key": None}, nothing, "G", "The key is missing"),
    ({"key": "B, D"}, nothing, "G", 'Write "bd" if'),
    ({"key": "BONUS"}, nothing, "G", 'Write "dropped"'),
    ({"key": "2", "option_c": "2"}, nothing, "G", "Write the letter"),
    ({"key": "B-"}, nothing, "G", "is not a key"),
    ({"key": "bd", "type": "single_choice"}, nothing, "G", "is one option"),
    ({"question": None}, nothing, "B", "has no text"),
    ({"question": "\u200b"}, nothing, "B", "visible character"),
    ({"question": "Which \u202eone?"}, nothing, "B", "reverse the direction"),
    ({"option_b": None}, nothing, "D", "this is empty, but option_d is not"),
    (
        {"option_b": None, "option_c": None, "option_d": None, "key": "a"},
        nothing,
        "C",
        "at least two options",
    ),
    ({"option_b": "One"}, nothing, "D", "two different options"),
    ({"option_d": "Fo_x0007_ur"}, nothing, "F", "Remove control characters"),
    ({"type": "essay"}, nothing, "J", "write one of"),
    ({"type": "numeric", "key": "3"}, nothing, "C", "has no options"),
    ({"difficulty": "tough"}, nothing, "K", "easy, medium, hard"),
    ({"status": "published"}, nothing, "O", "draft, active, retired"),
    ({"number": "4a"}, nothing, "A", "such as 12"),
    ({"number": -4}, nothing, "A", "such as 12"),
    ({"subject": None}, nothing, "H", "no subject"),
    ({"tags": "t" * 51}, nothing, "L", "50 characters"),
    ({"source": "s" * 301}, nothing, "M", "at most 300 fit"),
    ({"option_c": "o" * 20_001}, nothing, "E", "at most 20,000 fit"),
    ({"external_id": "two\nlines"}, nothing, "N", "one line"),
    ({"image": "map.png; map.png"}, nothing, "P", "each once"),
    ({"option_a": date(1950, 1, 26)}, nothing, "C", "a date or time (1950-01-26)"),
    ({"option_a": time(9, 30)}, nothing, "C", "format the cell as text"),
    ({"option_a": "=1+1"}, nothing, "C", "type the value instead"),
    ({"option_a": "#REF!"}, nothing, "C", "error of the spreadsheet (#REF!)"),
    ({"option_a": 2600000000000017}, nothing, "C", "16 digits"),
    ({"option_a": 12000}, formatted("0.00E+00"), "C", "format the cell as text"),
    ({}, paste, "", "an image stands here"),
    ({}, hide, "", "show it, or delete it"),
    ({}, merge, "E", "split them"),
    ({}, beyond, "R", "no header above this cell"),
    ({}, only(*HEADER), "", "repeats the header; delete it"),
    ({}, only("Total", None, 40), "", "row of totals"),
    ({}, only("* From NCERT"), "", "looks like a note"),
    ({}, only("Q", "Question", "(a)", "(b)", "(c)", "(d)", "Ans"), "", "a file of its own"),
]


def planted() -> bytes:
    first = TITLE_ROWS + 2
    rows = [RIGHT | {"question": f"Question {number}?"} | cells for number, (cells, *_) in enumerate(PLANTED)]

    def spoil(sheet: Worksheet) -> None:
        for row, (_, change, _, _) in enumerate(PLANTED, start=first):
            change(sheet, row)

    cells = [[row.get(field) for field in FIELDS] for row in rows]
    return workbook(("GS TEST 4",), (), list(HEADER), *cells, change=spoil)


async def test_forty_mistakes_get_forty_messages(uow: UnitOfWork) -> None:
    institute = Institute(slug=uuid4().hex, name="Planted")
    uow.session.add(institute)
    await uow.session.flush()
    author = replace(operator(), institute_id=institute.id)
    report = await questions.import_questions(uow, author, planted())
    assert len(PLANTED) == 40
    assert [error.cell for error in report.errors] == [
        f"Sheet1!{column}{row}" for row, (_, _, column, _) in enumerate(PLANTED, start=TITLE_ROWS + 2)
    ]
    for error, (_, _, _, words) in zip(report.errors, PLANTED, strict=True):
        assert words in error.message
    assert (report.created, report.updated, report.unchanged, list(report.item_ids)) == (0, 0, 0, [])
