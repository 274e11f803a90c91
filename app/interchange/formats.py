"""The formats of other programs. Each is a module of its own, and is listed here once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.interchange.aiken import is_aiken, read_aiken, write_aiken
from app.interchange.gift import is_gift, read_gift
from app.interchange.gift_writer import write_gift
from app.interchange.items import Item, ItemFile, Written
from app.interchange.moodle_xml import is_moodle_xml, read_moodle_xml
from app.interchange.moodle_xml_writer import write_moodle_xml
from app.interchange.qti.reading import is_qti, read_qti
from app.interchange.qti.writing import write_qti_21, write_qti_22, write_qti_30


class FormatName(StrEnum):
    """What the API and the command line call the formats."""

    AIKEN = "aiken"
    GIFT = "gift"
    MOODLE_XML = "moodle-xml"
    QTI = "qti"
    QTI_21 = "qti-2.1"
    QTI_30 = "qti-3.0"


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be read and written."""

    name: FormatName
    label: str
    """What people call it."""
    ending: str
    """The end of a file's name, without its dot."""
    media_type: str
    is_certain: Callable[[bytes], bool]
    """Whether a file of unknown format is certainly in this one."""
    read: Callable[[bytes, str], ItemFile]
    """Reads a file; the second argument is the language of texts of which the file does not say it."""
    write: Callable[[Sequence[Item], Mapping[str, bytes]], Written]
    """Writes items, with the contents of their images by name."""


_TEXT = "text/plain; charset=utf-8"
_FORMATS = (
    Format(FormatName.AIKEN, "Aiken", "txt", _TEXT, is_aiken, read_aiken, write_aiken),
    Format(FormatName.GIFT, "GIFT", "txt", _TEXT, is_gift, read_gift, write_gift),
    Format(
        FormatName.MOODLE_XML,
        "Moodle XML",
        "xml",
        "application/xml",
        is_moodle_xml,
        read_moodle_xml,
        write_moodle_xml,
    ),
    # All versions are read by each of these names. `qti` is written as 2.2, which most programs read.
    Format(FormatName.QTI, "QTI 2.2", "zip", "application/zip", is_qti, read_qti, write_qti_22),
    Format(FormatName.QTI_21, "QTI 2.1", "zip", "application/zip", is_qti, read_qti, write_qti_21),
    Format(FormatName.QTI_30, "QTI 3.0", "zip", "application/zip", is_qti, read_qti, write_qti_30),
)

FORMATS: Mapping[FormatName, Format] = {each.name: each for each in _FORMATS}


def recognized(file: bytes) -> Format | None:
    """The format of a file if it is certain; None for sheets and all else."""
    return next((each for each in _FORMATS if each.is_certain(file)), None)
