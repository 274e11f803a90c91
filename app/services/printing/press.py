"""The press: `python press.py FOLDER TIMESTAMP` makes sheet.pdf of the sheet.typ in a folder.

A process of its own for each sheet, since Typst keeps what it has laid out: a gigabyte after a dozen papers.
"""

import sys
from pathlib import Path

import typst

FONTS = Path(__file__).parent / "fonts"


def press(folder: Path, timestamp: int) -> None:
    """With our fonts, and Typst's own for signs of mathematics; the machine's would make papers differ."""
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
    pdf = typst.compile(folder / "sheet.typ", root=folder, font_paths=fonts, timestamp=timestamp)
    (folder / "sheet.pdf").write_bytes(pdf)


if __name__ == "__main__":
    press(Path(sys.argv[1]), int(sys.argv[2]))
