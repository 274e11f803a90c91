"""Workbooks for tests, some of them bent out of shape."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HEADER = ("question", "option_a", "option_b", "key")
RIVER = ("Which is a river?", "Nile", "Alps", "a")


def workbook(
    *rows: Sequence[Any],
    title: str = "Sheet1",
    change: Callable[[Worksheet], None] = lambda _: None,
    before: Sequence[str] = (),
) -> bytes:
    """A workbook with these rows in a sheet, behind other sheets `before`."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows or (HEADER, RIVER):
        sheet.append(row)
    change(sheet)
    for position, name in enumerate(before):
        book.create_sheet(name, position).append(["not", "questions"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(
    file: bytes,
    *,
    add: dict[str, bytes] | None = None,
    change: dict[str, Callable[[bytes], bytes]] | None = None,
) -> bytes:
    """The same ZIP with further parts, or with some of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, (change or {}).get(entry.filename, bytes)(content))
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return out.getvalue()
