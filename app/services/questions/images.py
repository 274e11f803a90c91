"""The images of a sheet: files of a ZIP by name, or stored images by id."""

import asyncio
import hashlib
import unicodedata
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from uuid import UUID

from app.core.errors import Invalid
from app.core.images import UnusableImage
from app.core.process_pool import ProcessPool
from app.core.storage import Storage
from app.sentences import Sentence
from app.services.questions import media
from app.services.questions.rows import SheetRow
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from app.sheets.archives import (
    DAMAGED_ENTRY,
    METHODS,
    ArchiveLimits,
    ArchiveRefused,
    archived_name,
    is_encrypted,
    is_left_by_a_system,
    open_archive,
)
from app.sheets.reports import RowError

LIMITS = ArchiveLimits(entries=2_000, unpacked_bytes=200_000_000)
MAX_PIXELS = 1_000_000_000
"""Pixels of all images of a ZIP."""

_ASKED_AT_ONCE = 10_000
_NAMES_SHOWN = 5
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
_WHY_NOT_OPENED = {
    "damaged": Sentence("The file is not a ZIP file, or is damaged."),
    "entries": Sentence("The ZIP has more than {most:,} files. Split it.", most=LIMITS.entries),
    "size": Sentence(
        "Unpacked they are larger than {most:,} bytes. Split the ZIP.", most=LIMITS.unpacked_bytes
    ),
    "ratio": Sentence("They are packed more tightly than images can be."),
}


@dataclass(frozen=True, slots=True)
class ImagesZip:
    """A ZIP with the images that a sheet names, and the storage for them."""

    content: bytes
    storage: Storage


class ImageArchive:
    """The files of a ZIP by name; case and folders do not matter. Nothing is written to disk."""

    def __init__(self, content: bytes) -> None:
        """Raises Invalid if this is not a ZIP of images. Nothing is unpacked."""
        try:
            self._zip = open_archive(content, LIMITS)
        except ArchiveRefused as refused:
            raise _refused(_WHY_NOT_OPENED[refused.reason]) from None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            name = archived_name(entry)
            _check_entry(entry, name)
            if is_left_by_a_system(name):
                continue
            if self._entries.setdefault(_plain(name), entry) is not entry:
                template = 'Two of its files are called "{name}".'
                raise _refused(Sentence(template, name=_file_name(name)[:100]))

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._entries

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises UnusableImage."""
        entry = self._entries[_plain(name)]
        if entry.file_size > media.MAX_BYTES:
            raise UnusableImage(_too_large())
        try:
            # With a size, because the declared size would be checked only after unpacking.
            with self._zip.open(entry) as file:
                return file.read(entry.file_size)
        except DAMAGED_ENTRY:
            raise UnusableImage("The file is damaged in the ZIP. Pack it again.") from None

    def others(self, names: Collection[str]) -> list[str]:
        """The files that have none of these names."""
        named = {_plain(name) for name in names}
        return [
            _file_name(archived_name(entry)) for name, entry in self._entries.items() if name not in named
        ]


@dataclass(slots=True)
class SheetImages:
    """The images that the `image` cells of a sheet name."""

    zipped: ImagesZip | None
    files: ProcessPool | None = None
    """The processes that decode images; without them, this process does."""
    on_sheet: Mapping[str, bytes] = field(default_factory=dict)
    """The images that stand on the sheet."""
    storage: Storage | None = None
    """Where images of the sheet are stored; files of the ZIP go to the storage that comes with it."""
    archive: ImageArchive = field(init=False)
    ids: dict[str, str] = field(default_factory=dict)
    """The id of each named image. A new image has a provisional id until it is stored."""
    new: list[str] = field(default_factory=list)

    pixels: int = 0

    def __post_init__(self) -> None:
        self.archive = ImageArchive(_EMPTY_ZIP if self.zipped is None else self.zipped.content)

    async def check(self, uow: UnitOfWork, author: Principal, rows: Sequence[SheetRow]) -> list[RowError]:
        """Check all images that the rows name, without storing any. Raises Invalid for too many pixels."""
        names = dict.fromkeys(name for row in rows for name in row.all_images)
        wrong = await self._look_up(
            uow, author.institute_id, [name for name in names if not self._is_file(name)]
        )
        for name in filter(self._is_file, names):
            try:
                await self._look_at(uow, author, name)
            except UnusableImage as error:
                wrong[name] = f'"{name}": {error}'
        return [
            row.place.error("image", wrong[name]) for row in rows for name in row.all_images if name in wrong
        ]

    async def store(self, uow: UnitOfWork, author: Principal) -> None:
        """Store the new images."""
        storage = self.zipped.storage if self.zipped is not None else self.storage
        if storage is None:
            return
        for name in self.new:
            content = await asyncio.to_thread(self._read, name)
            kept = await media.upload(uow, storage, author, content, self.files)
            self.ids[name] = str(kept.media.id)

    def _is_file(self, name: str) -> bool:
        return name in self.on_sheet or name in self.archive

    def _read(self, name: str) -> bytes:
        """The bytes of a file. Raises UnusableImage."""
        if name not in self.on_sheet:
            return self.archive.read(name)
        if len(self.on_sheet[name]) > media.MAX_BYTES:
            raise UnusableImage(_too_large())
        return self.on_sheet[name]

    def of(self, images: Sequence[str]) -> list[str]:
        """The `media` of a question or passage: each image once, also if two files are equal."""
        return list(dict.fromkeys(self.ids[name] for name in images))

    @property
    def unused(self) -> str | None:
        """A warning about files that no row names; None if there are none."""
        names = self.archive.others(self.ids)
        if not names:
            return None
        more = ", …" if len(names) > _NAMES_SHOWN else ""
        shown = ", ".join(name[:100] for name in names[:_NAMES_SHOWN])
        return f"no row names these files of the ZIP, {len(names):,} in all: {shown}{more}"

    async def _look_up(self, uow: UnitOfWork, institute_id: UUID, names: Sequence[str]) -> dict[str, str]:
        """Look up images by id. Returns what is wrong with each name that is not found."""
        given = {name: media_id for name in names if (media_id := _id_in(name)) is not None}
        wanted = list(given.values())
        existing: set[UUID] = set()
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            existing |= set(await uow.media.existing(institute_id, wanted[start : start + _ASKED_AT_ONCE]))
        self.ids |= {name: str(media_id) for name, media_id in given.items() if media_id in existing}
        return {name: self._missing(name, given) for name in names if name not in self.ids}

    def _missing(self, name: str, given: Collection[str]) -> str:
        if name in given:
            return f'there is no image "{name}"; upload it first'
        if self.zipped is None:
            return f'send a ZIP with the image "{name[:100]}" too'
        return f'there is no file "{name[:100]}" in the ZIP'

    async def _look_at(self, uow: UnitOfWork, author: Principal, name: str) -> None:
        """Decode a file of the ZIP, unless it is stored already. Raises UnusableImage."""
        content = await asyncio.to_thread(self._read, name)
        known = await uow.media.known(author.institute_id, [hashlib.sha256(content).hexdigest()])
        if known is None:
            image = await media.encoded_anew(content, author, self.files)
            self._count(image.width * image.height)
            known = await uow.media.known(author.institute_id, [image.sha256])
        if known is None:
            self.new.append(name)
        self.ids[name] = str(known.id if known else UUID(image.sha256[:32]))

    def _count(self, pixels: int) -> None:
        """Add to the pixels of all images. Raises Invalid if there are too many."""
        self.pixels += pixels
        if self.pixels > MAX_PIXELS:
            most = MAX_PIXELS // 1_000_000
            raise _refused(
                Sentence("Together they have more than {most:,} million pixels. Split the ZIP.", most=most)
            )


def _refused(why: str) -> Invalid:
    return Invalid.field("images", Sentence.joined(Sentence("The images cannot be imported."), why))


def _check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    name = name[:100]
    if is_encrypted(entry):
        raise _refused(Sentence("The ZIP has a password. Pack it without."))
    if entry.compress_type not in METHODS:
        raise _refused(Sentence('"{name}" is packed in an unusual way. Make an ordinary ZIP.', name=name))
    if ".." in name or "\\" in name or ":" in name or name.startswith("/"):
        raise _refused(Sentence('"{name}" is a path. Pack the files themselves, without folders.', name=name))


def _plain(name: str) -> str:
    """The name without folders and case. Some systems compose the letters of file names, others do not."""
    return unicodedata.normalize("NFC", _file_name(name)).casefold()


def _file_name(path: str) -> str:
    return PurePosixPath(path).name


def _id_in(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _too_large() -> str:
    return f"the image takes more than {media.MAX_BYTES // 1_000_000} MB; make it smaller"
