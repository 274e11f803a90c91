"""Packages of QTI: a ZIP with a manifest, items and images. Nothing is written to disk."""

import base64
import binascii
import posixpath
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from app.interchange.errors import UnreadableFile
from app.interchange.qti.elements import UnreadableXml, XmlReader, child, children
from app.interchange.qti.interactions import Mistake, NotSupported
from app.interchange.qti.metadata import Metadata, metadata_in
from app.sentences import Sentence
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

LIMITS = ArchiveLimits(entries=45_000, unpacked_bytes=100_000_000)
MANIFEST = "imsmanifest.xml"
MAX_XML_BYTES = 25_000_000

_ITEM_TYPES = re.compile(r"imsqti_item_xmlv|imsqti_item_v|imsqti_apipitem_xmlv")
_TEST_TYPES = re.compile(r"imsqti_test_|imsqti_assessment")
_QTI_1 = re.compile(r"imsqti_xmlv1|imsqti_asi_xmlv1|question-bank|associatedcontent")
_PASSAGES = re.compile(r"imsqti_stimulus_xmlv")
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")
_DATA = re.compile(r"data:image/(?P<kind>[a-z0-9]{1,10})[^,]*;base64,(?P<content>.*)", re.DOTALL)
_WHY_NOT_OPENED = {
    "damaged": Sentence("The package is not a ZIP file, or is damaged."),
    "entries": Sentence("The package has more than {most:,} files. Split it.", most=LIMITS.entries),
    "size": Sentence(
        "Unpacked the package is larger than {most:,} bytes. Split it.", most=LIMITS.unpacked_bytes
    ),
    "ratio": Sentence("The package is packed more tightly than texts and images can be."),
}


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """An item of a package: its path, and what the manifest says about it."""

    path: str
    metadata: Metadata = field(default_factory=Metadata)


class Package:
    """An opened package."""

    def __init__(self, content: bytes, xml: XmlReader) -> None:
        """Raises UnreadableFile. Nothing is unpacked."""
        try:
            self._zip = open_archive(content, LIMITS)
        except ArchiveRefused as refused:
            raise UnreadableFile(_WHY_NOT_OPENED[refused.reason]) from None
        self._xml = xml
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            path = _checked(entry)
            if not is_left_by_a_system(path) and self._entries.setdefault(_plain(path), entry) is not entry:
                raise UnreadableFile(Sentence('The package has two files called "{name}".', name=path[:100]))
        self.images: dict[str, bytes] = {}
        self.tests: list[str] = []
        """Paths of tests that the manifest names, once `items` is read."""
        self.stimuli: dict[str, Metadata] = {}
        """What the manifest says about passages, by path, once `items` is read."""
        self._names: dict[str, str] = {}

    def items(self) -> Iterator[ItemEntry]:
        """Yield the items in the order of the manifest. Raises UnreadableFile."""
        manifests = [path for path in self._entries if posixpath.basename(path) == MANIFEST]
        if not manifests:
            yield from (ItemEntry(path) for path in sorted(self._entries) if path.endswith(".xml"))
            return
        manifest = min(manifests, key=lambda path: path.count("/"))
        try:
            root = self._xml.parsed(self.read(manifest))
        except (UnreadableXml, Mistake) as error:
            raise UnreadableFile(
                Sentence('The manifest "{name}" cannot be read: {reason}.', name=manifest, reason=str(error))
            ) from None
        resources = child(root, "resources")
        types = []
        for resource in children(resources, "resource") if resources is not None else ():
            types.append(resource.get("type", ""))
            if _ITEM_TYPES.match(types[-1]):
                yield ItemEntry(joined(manifest, resource.get("href", "")), metadata_in(resource))
            elif _PASSAGES.match(types[-1]):
                path = joined(manifest, resource.get("href", ""))
                self.stimuli[path] = metadata_in(resource)
            elif _TEST_TYPES.match(types[-1]):
                self.tests.append(joined(manifest, resource.get("href", "")))
        if not any(map(_ITEM_TYPES.match, types)) and any(map(_QTI_1.match, types)):
            raise UnreadableFile(
                "The package is in QTI 1.2, which is not read. Export it as QTI 2.1, 2.2 or 3."
            )

    def read(self, path: str) -> bytes:
        """Return a file. Raises Mistake."""
        entry = self._entries.get(_plain(path))
        if entry is None:
            raise Mistake(f'there is no file "{path[:100]}" in the package')
        try:
            # With a size, because the declared size would be checked only after unpacking.
            with self._zip.open(entry) as file:
                return file.read(min(entry.file_size, MAX_XML_BYTES))
        except DAMAGED_ENTRY:
            raise Mistake(f'the file "{path[:100]}" is damaged in the package; pack it again') from None

    def image(self, item: str, address: str) -> str:
        """Return the name of an image to which an item refers. Raises Mistake and NotSupported."""
        if embedded := embedded_image(self.images, address):
            return embedded
        path = _plain(joined(item, address))
        if path not in self._names:
            content = self.read(path)
            name = posixpath.basename(archived_name(self._entries[path]).replace("\\", "/"))
            # The images of an import have different names, whatever their folders and case.
            if name.casefold() in map(str.casefold, self.images):
                name = path.replace("/", "_")
            self.images[name] = content
            self._names[path] = name
        return self._names[path]


def embedded_image(images: dict[str, bytes], address: str) -> str | None:
    """Return the name of an image that stands in its address; None if it is a file of the package."""
    if found := _DATA.fullmatch(address.strip()):
        try:
            content = base64.b64decode(found["content"])
        except (binascii.Error, ValueError):
            raise Mistake("an image within the text (data:) is damaged") from None
        name = next((name for name, other in images.items() if other == content), None)
        name = name or f"image-{len(images) + 1}.{found['kind']}"
        images[name] = content
        return name
    if _ELSEWHERE.match(address.strip()):
        raise NotSupported(f'its image "{address.strip()[:100]}" is not in the package; put the file into it')
    if not address.strip():
        raise Mistake("an image has no address (src)")
    return None


def _checked(entry: zipfile.ZipInfo) -> str:
    """Return the path of an entry. Raises UnreadableFile for what an ordinary package does not have."""
    path = archived_name(entry).replace("\\", "/")
    if is_encrypted(entry):
        raise UnreadableFile("The package has a password. Pack it without.")
    if entry.compress_type not in METHODS:
        raise UnreadableFile(
            Sentence('"{name}" is packed in an unusual way. Make an ordinary ZIP.', name=path[:100])
        )
    if path.startswith("/") or ":" in path or ".." in path.split("/"):
        raise UnreadableFile(
            Sentence('"{name}" is a path outside of the package. Pack it again.', name=path[:100])
        )
    return path


def joined(base: str, address: str) -> str:
    """Return the path of a file to which another one refers. Raises Mistake."""
    said = unquote(re.split(r"[?#]", address.strip(), maxsplit=1)[0]).replace("\\", "/")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(base), said))
    if not said or path.startswith(("/", "..")):
        raise Mistake(f'"{address[:100]}" is no file of the package')
    return path


def _plain(path: str) -> str:
    """The path without case. Some systems compose the letters of file names, others do not."""
    return unicodedata.normalize("NFC", path).replace("\\", "/").removeprefix("./").casefold()
