"""Reads files of other programs' formats into the rows that an import writes."""

import asyncio
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.core.process_pool import ProcessPool
from app.core.storage import Storage
from app.interchange.formats import FORMATS, Format, FormatName, recognized
from app.services.imports import ADVICE, sheet_errors_as_invalid
from app.services.questions.images import ImagesZip
from app.services.questions.item_rows import ItemRows, rows_of
from app.services.questions.rows import EmptyKey
from app.sheets.kruti_dev import LegacyFont
from app.sheets.parsing import join_pieces, parse_in_pieces


class FileKind(StrEnum):
    """What a file is that is not named as one of `FormatName`."""

    AUTO = "auto"
    """A format of another program if the content is certainly in it; otherwise a sheet."""
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a file is read that may be in a format of another program."""

    kind: FileKind | FormatName = FileKind.AUTO
    language: str = "en"
    """The language of texts of which the file does not say it."""
    skip_unsupported: bool = False
    """Leave out questions that the bank cannot hold. Otherwise nothing of the file is imported."""
    storage: Storage | None = None
    """Where the images of the file are stored."""
    legacy_font: LegacyFont | None = None
    """The font of columns of a sheet that are not in Unicode."""

    def format_of(self, file: bytes) -> Format | None:
        """The format of a file of another program; None for a sheet."""
        if isinstance(self.kind, FormatName):
            return FORMATS[self.kind]
        return recognized(file) if self.kind is FileKind.AUTO else None


BY_CONTENT = FileOptions()


@dataclass(frozen=True, slots=True)
class _How:
    """What a child process needs to read a file."""

    name: FormatName
    language: str
    skip_unsupported: bool
    empty_key: EmptyKey
    needs_subject: bool


async def read_items(
    files: ProcessPool | None,
    caller: UUID,
    file: bytes,
    options: FileOptions,
    source: Format,
    *,
    empty_key: EmptyKey,
    needs_subject: bool,
) -> tuple[ItemRows, ImagesZip | None]:
    """Read a file in a child process, or without `files` in this process. Its images are in the ZIP.

    Raises Invalid, TooLarge, TooComplex or Unavailable, as `read_in_child` does.
    """
    how = _How(source.name, options.language, options.skip_unsupported, empty_key, needs_subject)
    with sheet_errors_as_invalid():
        if files is not None:
            pieces = await files.collect(_in_pieces, file, how, caller=caller, advice=ADVICE)
        else:
            pieces = await asyncio.to_thread(lambda: list(_in_pieces(file, how)))
    rows = [piece for piece in pieces if not isinstance(piece, bytes)]
    zipped = [piece for piece in pieces if isinstance(piece, bytes)]
    images = ImagesZip(zipped[0], options.storage) if zipped and options.storage is not None else None
    return join_pieces(rows), images


def _in_pieces(file: bytes, how: _How) -> Iterator[ItemRows | bytes]:
    """The rows in pieces, and the images as a ZIP if there are any."""
    found = FORMATS[how.name].read(file, how.language)

    def rows() -> ItemRows:
        return rows_of(
            found,
            empty_key=how.empty_key,
            needs_subject=how.needs_subject,
            skip_unsupported=how.skip_unsupported,
        )

    yield from parse_in_pieces(rows)
    if found.images:
        yield _zipped(found.images)


def _zipped(images: Mapping[str, bytes]) -> bytes:
    """The images as they would come beside a sheet."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in images.items():
            archive.writestr(name, content)
    return packed.getvalue()
