"""The rows of a sheet at which pictures stand."""

import posixpath
import zipfile
from collections.abc import Iterator

from defusedxml import ElementTree

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_PICTURE = f".//{_DRAWING}pic"


def rows_with_pictures(archive: zipfile.ZipFile, sheet: str) -> dict[int, int]:
    """Return the row number of each picture of a sheet, and the column, which is counted from 0.

    `sheet` is the path of the sheet's part. A picture stands where its upper left corner is.
    """
    found: dict[int, int] = {}
    for drawing in _related(archive, sheet, "/drawing"):
        for row, column in _corners(archive, drawing):
            found.setdefault(row, column)
    return found


def _corners(archive: zipfile.ZipFile, drawing: str) -> Iterator[tuple[int, int]]:
    root = ElementTree.fromstring(archive.read(drawing), forbid_dtd=True)
    for anchor in root:
        if anchor.find(_PICTURE) is None:
            continue
        start = anchor.find(f"{_DRAWING}from")
        row = start.findtext(f"{_DRAWING}row", "0") if start is not None else "0"
        column = start.findtext(f"{_DRAWING}col", "0") if start is not None else "0"
        yield int(row) + 1, int(column)


def _related(archive: zipfile.ZipFile, part: str, kind: str) -> Iterator[str]:
    """The parts of a kind to which a part refers."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return
    for relation in ElementTree.fromstring(archive.read(relations), forbid_dtd=True).iter(_RELATION):
        if relation.get("Type", "").endswith(kind):
            yield posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/")
