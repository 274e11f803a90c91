"""XML from other people: without document types, entities or external references, and within limits."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from app.interchange.errors import UnreadableFile
from app.sentences import Sentence
from app.sheets.errors import SheetTooLarge
from app.sheets.limits import MAX_BYTES

MAX_ELEMENTS_PER_PART = 5_000
"""Elements of one part, such as a question."""
MAX_PARTS = 40_000
MAX_ELEMENTS = 1_000_000
"""Elements of a file."""
_MAX_DEPTH = 100
_CHUNK = 65_536
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"'>]{0,40})["']""")
_ENCODINGS = (b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"iso-8859-1", b"windows-1252")


def read_parts(file: bytes, root: str, take: Callable[[Element, int], None]) -> None:
    """Call `take` with each child of the root element, and its line. Only one child at a time is in memory.

    Raises UnreadableFile, SheetTooLarge.
    """
    if len(file) > MAX_BYTES:
        raise SheetTooLarge(MAX_BYTES)
    declared = _ENCODING.match(file)
    if declared and declared[1].lower() not in _ENCODINGS:
        raise UnreadableFile("The XML has an encoding that is not read. Save it as UTF-8.")
    target = _Parts(root, take)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.line = lambda: int(parser.parser.CurrentLineNumber)
    try:
        for start in range(0, len(file), _CHUNK):
            parser.feed(file[start : start + _CHUNK])
        parser.close()
    except DefusedXmlException:
        raise UnreadableFile(
            "The file has a document type definition or entities, which are not read. Remove them."
        ) from None
    except ParseError as error:
        line, _ = error.position
        raise UnreadableFile(Sentence("The XML cannot be read from line {line} on.", line=line)) from None


class _Parts:
    """Receives what the parser finds, and builds one child of the root at a time."""

    def __init__(self, root: str, take: Callable[[Element, int], None]) -> None:
        self._root = root
        self._take = take
        self._depth = 0
        self._count = 0
        self._in_all = self._parts = 0
        self._began = 0
        self._builder: TreeBuilder | None = None
        self.line: Callable[[], int] = lambda: 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth == 1 and tag != self._root:
            raise UnreadableFile(
                Sentence('The XML is not of this format: its first element is not "{root}".', root=self._root)
            )
        self._in_all += 1
        if self._depth == 2:
            self._parts += 1
            self._builder, self._count, self._began = TreeBuilder(), 0, self.line()
        if self._parts > MAX_PARTS or self._in_all > MAX_ELEMENTS:
            raise UnreadableFile("The XML has too many elements. Split the file.")
        if self._builder is not None:
            if self._count > MAX_ELEMENTS_PER_PART or self._depth > _MAX_DEPTH:
                raise UnreadableFile(
                    Sentence("The XML has too many elements in one question (line {line}).", line=self._began)
                )
            self._builder.start(tag, attributes)

    def data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def end(self, tag: str) -> None:
        if self._builder is not None:
            self._builder.end(tag)
        if self._depth == 2 and self._builder is not None:
            part, self._builder = self._builder.close(), None
            self._take(part, self._began)
        self._depth -= 1

    def close(self) -> None:
        """The parser calls it at the end."""
