"""Files that take far more time or memory than their size says, as an author could send them."""

import io
import zipfile
from collections.abc import Iterable

from openpyxl.xml.constants import SHEET_MAIN_NS
from PIL import Image

from tests.builders.images import encoded, webp_header
from tests.builders.workbooks import HEADER, RIVER, repacked, workbook

_SHEET_XML, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
_STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def unknown_columns() -> bytes:
    """A header of a hundred thousand names that no column has."""
    return ",".join(f"column number {number}" for number in range(100_000)).encode()


def million_rows() -> bytes:
    """A workbook of a million rows, which takes one or two megabytes."""
    rows = (f'<row r="{number}"><c><v>1</v></c><c><v>2</v></c></row>' for number in range(1, 1_000_001))
    return _with_sheet(rows)


def one_text_everywhere() -> bytes:
    """Six hundred cells in each of 5,000 rows, all with the same 20,000 characters."""
    table = f'<sst xmlns="{SHEET_MAIN_NS}"><si><t>{"x" * 20_000}</t></si></sst>'
    cells = '<c t="s"><v>0</v></c>' * 600
    file = _with_sheet(f'<row r="{number}">{cells}</row>' for number in range(1, 5_001))
    declared = f'<Override PartName="/{_STRINGS}" ContentType="{_STRINGS_TYPE}"/></Types>'.encode()
    types = {"[Content_Types].xml": lambda xml: xml.replace(b"</Types>", declared)}
    return repacked(file, add={_STRINGS: table.encode()}, change=types)


def empty_rows() -> bytes:
    """25 MB of line ends."""
    return (",".join(HEADER) + "\n" * 24_000_000).encode()


def wide_row() -> bytes:
    """One row of twenty million cells."""
    return (",".join(HEADER) + "\n" + "," * 20_000_000).encode()


def full_sheet() -> bytes:
    """As many questions as a sheet may have: much work, and nothing wrong with it."""
    rows = [f"Which river is number {number}?,{','.join(RIVER[1:])}" for number in range(20_000)]
    return "\n".join([",".join(HEADER), *rows]).encode()


def large_images() -> tuple[bytes, bytes]:
    """A sheet, and a ZIP with the twelve images that it names, each of 40 million pixels."""
    image = encoded(Image.new("RGB", (5_000, 8_000)), "PNG")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(12):
            # A chunk of its own makes each another file, and the same image.
            archive.writestr(f"{number}.png", image + bytes([number]))
    rows = [f"Which map is {number}?,{','.join(RIVER[1:])},{number}.png" for number in range(12)]
    return "\n".join([",".join((*HEADER, "image")), *rows]).encode(), content.getvalue()


def large_directory() -> bytes:
    """A ZIP of a quarter of a million empty files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(250_000):
            archive.writestr(str(number), b"")
    return content.getvalue()


def webp_that_is_too_large() -> bytes:
    """42 bytes that say they are an image of 16,000 by 16,000 pixels."""
    return webp_header(16_000, 16_000)


def large_webp() -> bytes:
    """The largest WebP that is taken, in few bytes: no other image needs more memory, nearly a gigabyte."""
    return encoded(Image.new("RGB", (5_000, 8_000)), "WEBP", lossless=True, method=0)


def winding_text() -> str:
    """A table that 20,000 characters can make, as wide as it is long."""
    return ("|a" * 300 + "\n" + "|-" * 300 + "\n" + "|\n" * 9_000)[:19_900]


def long_table() -> str:
    """A table of as many cells as are set as a table."""
    return "|a" * 9 + "\n" + "|-" * 9 + "\n" + ("|b" * 9 + "\n") * 1_000


def _with_sheet(rows: Iterable[str]) -> bytes:
    xml = f'<worksheet xmlns="{SHEET_MAIN_NS}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
    return repacked(workbook(), change={_SHEET_XML: lambda _: xml.encode()})
