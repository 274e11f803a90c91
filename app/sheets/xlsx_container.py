"""The ZIP file of an XLSX workbook: what is refused before anything of it is read."""

import zipfile

from app.sentences import Sentence
from app.sheets.archives import (
    DAMAGED_ENTRY,
    METHODS,
    ArchiveLimits,
    ArchiveRefused,
    is_encrypted,
    open_archive,
)
from app.sheets.errors import UnreadableSheet

LIMITS = ArchiveLimits(entries=1_000, unpacked_bytes=100_000_000)

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an encrypted workbook, or the format before XLSX
_WORKBOOK_OF_XLS = "Workbook".encode("utf-16-le")
_OLD_FORMAT = Sentence("It is in the old format XLS. Open it in a spreadsheet and save it as XLSX.")
_PASSWORD_OR_OLD = Sentence("It has a password or is in the old format. Save it as XLSX without a password.")
_OTHER_FORMATS = {
    "content.xml": "LibreOffice (ODS)",
    "xl/workbook.bin": "Excel in the binary format (XLSB)",
    "index/document.iwa": "Numbers",
    "word/document.xml": "Word",
}
_CHUNK = 1 << 20
_CONNECTIONS = Sentence("It has connections to other data. Remove them and save it again.")
_REFUSED_PARTS = {
    "vbaproject": Sentence("It has macros. Save it as XLSX without them."),
    "xl/externallinks/": Sentence("It has links to other files. Break them and save it again."),
    "xl/connections.xml": _CONNECTIONS,
    "xl/querytables/": _CONNECTIONS,
}
_TOO_LARGE = Sentence("Unpacked it is larger than {most:,} bytes. Split it.", most=LIMITS.unpacked_bytes)
_WHY_NOT_OPENED = {
    "damaged": Sentence("It is damaged or incomplete."),
    "entries": _TOO_LARGE,
    "size": _TOO_LARGE,
    "ratio": Sentence("It is compressed more than a spreadsheet can be."),
}


def is_xlsx(file: bytes) -> bool:
    """Return whether the file begins like XLSX, or like a format that is refused as such."""
    return file.startswith((_ZIP, _OLE))


def refused_workbook(why: str) -> UnreadableSheet:
    """Return the error of a workbook that is not read."""
    return UnreadableSheet(Sentence.joined(Sentence("The workbook cannot be imported."), why))


def check_container(file: bytes) -> None:
    """Raise UnreadableSheet for a file that is not XLSX, is damaged, or has macros, links or a password."""
    if file.startswith(_OLE):
        raise refused_workbook(_OLD_FORMAT if _WORKBOOK_OF_XLS in file else _PASSWORD_OR_OLD)
    try:
        archive = open_archive(file, LIMITS)
    except ArchiveRefused as refused:
        raise refused_workbook(_WHY_NOT_OPENED[refused.reason]) from None
    entries = archive.infolist()
    if any(map(is_encrypted, entries)):
        raise refused_workbook(Sentence("It has a password. Save it without one."))
    names = {entry.filename.lower() for entry in entries}
    for part, program in _OTHER_FORMATS.items():
        if part in names:
            raise refused_workbook(Sentence("It is a file of {program}. Save it as XLSX.", program=program))
    if "xl/workbook.xml" not in names:
        raise refused_workbook(
            Sentence("It is a ZIP file without a workbook. Save the sheet as XLSX or CSV UTF-8.")
        )
    for part, why in _REFUSED_PARTS.items():
        if any(part in name for name in names):
            raise refused_workbook(why)
    _check_entries(archive, entries)


def _check_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Check that each entry has the size that it declares, reading no more than that.

    The library reads whole entries, and `zipfile` unpacks an entry to its end before it checks the size.
    """
    for entry in entries:
        if entry.compress_type not in METHODS:
            raise refused_workbook(
                Sentence("It is packed in an unusual way. Open it in a spreadsheet and save it again.")
            )
        try:
            with archive.open(entry) as part:
                while part.read(_CHUNK):
                    pass
        except DAMAGED_ENTRY:
            raise refused_workbook(Sentence("It is damaged or incomplete.")) from None
