"""Typesetting: turns content into a PDF with Typst, a template and the fonts of this package."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import orjson

from app.services.printing.composing import PrintJob

if TYPE_CHECKING:
    import typst

FOLDER = Path(__file__).parent
FONTS = FOLDER / "fonts"

Template = Literal["sheet", "result-sheet", "certificate", "merit-list", "response-sheet"]

_SHARED = ("setting.typ", "formula.typ")
"""Files that the templates import."""

_WITHOUT_TAGS = frozenset({"merit-list"})
"""Tags help those who cannot see the page. For thousands of rows they take twenty times their space."""


def print_pdf(job: PrintJob, images: Mapping[str, bytes], now: datetime) -> bytes:
    """The document as PDF. Run it in a child process: the time and memory it takes are not known before."""
    return typeset("sheet", job.compose(), now, images)


def typeset(
    template: Template,
    content: object,
    now: datetime,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """The content as PDF. The template reads texts as data, so nothing that a person writes is executed.

    Only the fonts of this package and Typst's own mathematical ones are used, so that the result is the same
    on every machine. Typst caches the layout, about 20 MB for each paper, until the process ends.
    """
    import typst  # noqa: PLC0415 -- 7 MB, which only the child processes need

    with TemporaryDirectory() as folder:
        root = Path(folder)
        source = root / f"{template}.typ"
        for name in (source.name, *_SHARED):
            shutil.copy(FOLDER / name, root)
        (root / "content.json").write_bytes(orjson.dumps(content))
        for name, data in (files or {}).items():
            (root / name).write_bytes(data)
        timestamp = int(now.timestamp())
        return typst.compile(
            source,
            root=root,
            font_paths=_fonts(),
            timestamp=timestamp,
            pdf_tags=template not in _WITHOUT_TAGS,
        )


def typeset_each(template: Template, contents: Sequence[object], now: datetime) -> Iterator[bytes]:
    """A PDF for each content. One run for many would be no faster, and would have to be split."""
    for content in contents:
        yield typeset(template, content, now)


@cache
def _fonts() -> "typst.Fonts":
    import typst  # noqa: PLC0415 -- as above

    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
