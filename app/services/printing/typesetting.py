"""Typesetting: a sheet becomes a PDF, by Typst and the fonts that lie here."""

import shutil
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import typst

from app.services.printing.sheets import Sheet

FOLDER = Path(__file__).parent


def typeset(sheet: Sheet, images: Mapping[str, bytes], now: datetime) -> bytes:
    """The sheet as PDF. Texts reach the template as data: nothing that an author writes is run."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "sheet.json").write_bytes(orjson.dumps(sheet))
        for name, content in images.items():
            (root / name).write_bytes(content)
        return typst.compile(
            Path(shutil.copy(FOLDER / "sheet.typ", root)),
            root=root,
            font_paths=_fonts(),
            timestamp=now.replace(microsecond=0),
        )


@cache
def _fonts() -> typst.Fonts:
    """Ours, and those inside Typst for the signs of mathematics. The machine's would make papers differ."""
    return typst.Fonts(include_system_fonts=False, font_paths=[FOLDER / "fonts"])
