"""Copies of sheets with a column of remarks: the author's own workbook, to be corrected and sent again."""

from io import BytesIO

from openpyxl import load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from app.sheets.files import read_records
from app.sheets.header_row import REMARKS, find_header
from app.sheets.remarks import with_remarks
from app.sheets.reports import RowError, RowWarning
from tests.builders.workbooks import HEADER, RIVER, workbook

ERROR = RowError(4, "key", 'There is no option "x".', "Sheet1!D4")
WARNING = RowWarning(1, "file", "this row is above the header and is not read", cell="Sheet1!1")


def decorated(sheet: Worksheet) -> None:
    sheet["A3"].font = Font(italic=True)
    sheet.merge_cells("A1:D1")
    sheet.column_dimensions["A"].width = 33


def sheet_of(file: bytes) -> Worksheet:
    return load_workbook(BytesIO(file)).worksheets[0]


class TestWorkbooks:
    FILE = workbook(["Mock 4"], [], HEADER, RIVER, change=decorated, before=["Notes"])

    def test_remarks_stand_beside_their_rows(self) -> None:
        sheet = load_workbook(BytesIO(with_remarks(self.FILE, "Sheet1!3", [ERROR, WARNING])))["Sheet1"]
        assert [sheet[f"E{row}"].value for row in (1, 3, 4)] == [
            "this row is above the header and is not read",
            REMARKS,
            'D4: There is no option "x".',
        ]
        assert sheet["D4"].fill.fgColor.rgb == "00FFC7CE"

    def test_everything_else_stays(self) -> None:
        book = load_workbook(BytesIO(with_remarks(self.FILE, "Sheet1!3", [ERROR])))
        sheet = book["Sheet1"]
        assert book.sheetnames == ["Notes", "Sheet1"]
        assert sheet["A3"].font.italic
        assert (sheet.column_dimensions["A"].width, str(sheet.merged_cells)) == (33, "A1:D1")
        assert [cell.value for cell in sheet[4]][:4] == list(RIVER)

    def test_a_second_copy_has_the_column_once(self) -> None:
        once = with_remarks(self.FILE, "Sheet1!3", [ERROR])
        twice = load_workbook(BytesIO(with_remarks(once, "Sheet1!3", [])))["Sheet1"]
        assert (twice["E3"].value, twice["E4"].value, twice["F3"].value) == (REMARKS, None, None)

    def test_the_column_is_not_read(self) -> None:
        copy = with_remarks(self.FILE, "Sheet1!3", [ERROR, RowError(3, "file", "a column is missing")])
        header, _, below = find_header(read_records(copy, "sheet1"), lambda cells: 4 * ("key" in cells))
        assert header.cells == [*HEADER, ""]
        assert [record.cells for record in below] == [[*RIVER, ""]]


class TestCsv:
    def test_cells_are_texts_as_typed(self) -> None:
        file = 'question,key\n001,=1+1\n"a,b",½\n'.encode()
        sheet = sheet_of(with_remarks(file, "1", [RowError(2, "key", "wrong", "B2")]))
        assert [[cell.value for cell in row] for row in sheet] == [
            ["question", "key", REMARKS],
            ["001", "=1+1", "B2: wrong"],
            ["a,b", "½", None],
        ]
        assert (sheet["B2"].data_type, sheet["B2"].fill.fgColor.rgb) == ("s", "00FFC7CE")

    def test_an_error_colors_the_cell_and_not_a_warning(self) -> None:
        look, wrong = RowWarning(2, "key", "look", cell="B2"), RowError(2, "key", "wrong", "B2")
        sheet = sheet_of(with_remarks(b"question,key\na,b\n", "1", [look, wrong, look]))
        assert sheet["B2"].fill.fgColor.rgb == "00FFC7CE"
        assert sheet["C2"].value == "B2: look\nB2: wrong\nB2: look"
