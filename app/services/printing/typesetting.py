"""Typesetting: a sheet becomes a PDF, by Typst and the fonts that lie here."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from app.services.printing.sheets import Sheet

FOLDER = Path(__file__).parent
PATIENCE_SECONDS = 60


def typeset(sheet: Sheet, images: Mapping[str, bytes], now: datetime) -> bytes:
    """The sheet as PDF. Texts reach the template as data: nothing that an author writes is run."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(FOLDER / "sheet.typ", root)
        (root / "sheet.json").write_bytes(orjson.dumps(sheet))
        for name, content in images.items():
            (root / name).write_bytes(content)
        _press(root, now)
        return (root / "sheet.pdf").read_bytes()


def _press(folder: Path, now: datetime) -> None:
    # With -P, so that no module here is taken for one of the standard library.
    command = [sys.executable, "-P", str(FOLDER / "press.py"), str(folder), str(int(now.timestamp()))]
    subprocess.run(command, check=True, timeout=PATIENCE_SECONDS)  # noqa: S603 -- our own program and folder
