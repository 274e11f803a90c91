"""Typesetting: a manuscript becomes a PDF, by Typst and the fonts that lie here."""

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
    """The manuscript as PDF. For a child process: what its texts cost is known only when it is done."""
    return typeset(manuscript.sheet(), images, now)


def typeset(sheet: Sheet, images: Mapping[str, bytes], now: datetime) -> bytes:
    """The sheet as PDF. Texts reach the template as data: nothing that an author writes is run.

    With our fonts, and Typst's own for signs of mathematics; the machine's would make papers differ. Typst
    keeps what it has laid out, about 20 MB for each paper, as long as the process lives.
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
