"""XML of QTI 2.x and 3 as one tree: every element has its name of QTI 2 without a namespace.

QTI 3 writes `qti-choice-interaction` with `max-choices` for what QTI 2 calls `choiceInteraction` and
`maxChoices`. So what reads the tree has one form for both, and what builds one is written in either.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

MAX_ELEMENTS = 800_000
"""Elements of all files of a package."""
MAX_ELEMENTS_PER_ITEM = 10_000
"""Elements of one item."""
MAX_DEPTH = 100

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_MATH = "{http://www.w3.org/1998/Math/MathML}"
_INCLUSION = "{http://www.w3.org/2001/XInclude}"
_OF_HTML = frozenset(
    ("br", "div", "em", "i", "img", "p", "strong", "table", "tbody", "td", "th", "thead", "tr")
)
"""The elements of HTML that a writer uses. All others of a tree are those of QTI."""
# XML has no way to write these.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class UnreadableXml(Exception):
    """The XML is damaged, or has something that is not read for safety. The message says what."""


class _Builder(TreeBuilder):
    """Builds a tree of limited size: a small file can hold millions of elements, or deep ones."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self.left -= 1
        self._depth += 1
        if self.left < 0 or self._depth > MAX_DEPTH:
            raise UnreadableXml("it has too many elements, or too many within each other")
        if tag.startswith(_INCLUSION):
            raise UnreadableXml("it includes another file (xi:include); write its content instead")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


@dataclass(slots=True)
class XmlReader:
    """Reads the XML of one file of the user, which may be a package of many."""

    elements_left: int = MAX_ELEMENTS

    def parsed(self, content: bytes, most: int = MAX_ELEMENTS) -> Element:
        """Return the tree of an XML file with at most so many elements. Raises UnreadableXml."""
        allowed = min(most, self.elements_left)
        builder = _Builder(allowed)
        parser = XMLParser(target=builder, forbid_dtd=True)
        try:
            parser.feed(content)
            root: Element = parser.close()
        except DefusedXmlException:
            message = "it has a document type (<!DOCTYPE …>), which may refer to other files; delete it"
            raise UnreadableXml(message) from None
        except ParseError as error:
            raise UnreadableXml(f"it is not well-formed XML ({error})") from None
        except (ValueError, LookupError):
            raise UnreadableXml("its encoding is not known; save it as UTF-8") from None
        finally:
            self.elements_left -= allowed - max(0, builder.left)
        for element in root.iter():
            _rename(element)
        return root


def _rename(element: Element) -> None:
    namespace, _, name = element.tag.rpartition("}")
    attributes = dict(element.attrib)
    element.attrib.clear()
    for key, value in attributes.items():
        if key == _XML_LANG:
            element.set("lang", value)
        elif not key.startswith("{"):
            element.set(_camel(key) if name.startswith("qti-") else key, value)
    if f"{namespace}}}" == _MATH:
        element.tag = f"math:{name}"
    else:
        element.tag = _camel(name.removeprefix("qti-")) if name.startswith("qti-") else name


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def serialized(root: Element, *, dashed: bool) -> bytes:
    """Return a tree as a file. `dashed`: with the names of QTI 3."""
    if dashed:
        for element in root.iter():
            _dash(element)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _dash(element: Element) -> None:
    if element.tag in _OF_HTML:
        return
    element.tag = f"qti-{_dashed(element.tag)}"
    for key in list(element.attrib):
        if ":" not in key:
            element.set(_dashed(key), element.attrib.pop(key))


def _dashed(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", name)


def unwritable(text: str) -> bool:
    """Whether the text has a character that XML cannot hold."""
    return _UNWRITABLE.search(text) is not None


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the children of a name."""
    return (child for child in element if child.tag == name)


def child(element: Element, name: str) -> Element | None:
    """Return the first child of a name."""
    return next(children(element, name), None)


def text_of(element: Element | None) -> str:
    """All text within an element, with single spaces."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""
