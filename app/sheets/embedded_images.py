"""The images that stand on a sheet, each at the row of its upper left corner."""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from defusedxml import ElementTree

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_MAIN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_IMAGE = f".//{_DRAWING}pic"
IMAGE_HERE = "an image stands here"
"""The beginning of the error of a row with an image."""
MAX_IMAGES = 2_000
"""Images of a sheet."""


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """An image of a sheet. Columns are counted from 0."""

    row: int
    column: int
    ending: str = ""
    content: bytes | None = None
    """None if the file is not in the workbook, as a linked one."""


def images_of(archive: zipfile.ZipFile, sheet: str) -> list[EmbeddedImage]:
    """Return the images of a sheet, at most `MAX_IMAGES`. `sheet` is the path of the sheet's part."""
    found: list[EmbeddedImage] = []
    for relation in _related(archive, sheet):
        if relation[1].endswith("/drawing"):
            for image in _images(archive, relation[2]):
                found.append(image)
                if len(found) == MAX_IMAGES:
                    return found
    return found


def _images(archive: zipfile.ZipFile, drawing: str) -> Iterator[EmbeddedImage]:
    files = {name: path for name, _, path in _related(archive, drawing)}
    contents: dict[str, bytes] = {}  # One file may be shown many times.
    names = set(archive.namelist())
    root = ElementTree.fromstring(archive.read(drawing), forbid_dtd=True)
    for anchor in root:
        start = anchor.find(f"{_DRAWING}from")
        row = start.findtext(f"{_DRAWING}row", "0") if start is not None else "0"
        column = start.findtext(f"{_DRAWING}col", "0") if start is not None else "0"
        for image in anchor.iterfind(_IMAGE):
            shown = image.find(f".//{_MAIN}blip")
            path = files.get(shown.get(f"{_OFFICE}embed", ""), "") if shown is not None else ""
            if path in names and path not in contents:
                contents[path] = archive.read(path)
            yield EmbeddedImage(int(row) + 1, int(column), posixpath.splitext(path)[1], contents.get(path))


def _related(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str, str]]:
    """The parts to which a part refers: the name of each relation, its kind and its path."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return
    for relation in ElementTree.fromstring(archive.read(relations), forbid_dtd=True).iter(_RELATION):
        path = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/")
        yield relation.get("Id", ""), relation.get("Type", ""), path
