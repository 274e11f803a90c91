"""Typesetting: turns a manuscript into a PDF with Typst and the fonts of this package."""

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import typst

from app.services.printing.composing import Manuscript
from app.services.printing.sheets import Sheet

FOLDER = Path(__file__).parent
FONTS = FOLDER / "fonts"


def print_pdf(manuscript: Manuscript, images: Mapping[str, bytes], now: datetime) -> bytes:
    """The manuscript as PDF. Run it in a child process: the time and memory it takes are not known before."""
    return typeset(manuscript.sheet(), images, now)


def typeset(sheet: Sheet, images: Mapping[str, bytes], now: datetime) -> bytes:
    """The sheet as PDF. The template reads texts as data, so nothing that an author writes is executed.

    Only the fonts of this package and Typst's own mathematical ones are used, so that the result is the same
    on every machine. Typst caches the layout, about 20 MB for each paper, until the process ends.
    """
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
    with TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(FOLDER / "sheet.typ", root)
        (root / "sheet.json").write_bytes(orjson.dumps(sheet))
        for name, content in images.items():
            (root / name).write_bytes(content)
        timestamp = int(now.timestamp())
        return typst.compile(root / "sheet.typ", root=root, font_paths=fonts, timestamp=timestamp)
