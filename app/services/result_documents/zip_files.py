"""Writing ZIP files of PDFs, and joining them."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

# PDFs are compressed. A fixed time makes a repeated part equal to the first one.
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def zipped(documents: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP file of these documents."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        add_documents(archive, documents)
    return content.getvalue()


def add_documents(archive: ZipFile, documents: Iterable[tuple[str, bytes]]) -> None:
    """Add documents to a ZIP file."""
    for name, content in documents:
        archive.writestr(ZipInfo(name, _EARLIEST), content)


def join(parts: Sequence[Path], path: Path) -> None:
    """Write the documents of several ZIP files into one. One document is in memory at a time."""
    with ZipFile(path, "w", ZIP_STORED) as whole:
        for part in parts:
            with ZipFile(part) as archive:
                for name in archive.namelist():
                    add_documents(whole, [(name, archive.read(name))])
