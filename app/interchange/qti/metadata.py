"""What a manifest says about an item, as LOM (IEEE 1484.12): names, tags, the place in the syllabus."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement

from app.interchange.items import Item
from app.interchange.qti.elements import child, children, text_of

# Identifiers of LOM have a catalog. These are ours; identifiers of other programs are not read.
_EXTERNAL_ID, _SOURCE, _SOURCE_NUMBER = "external_id", "source", "source_number"
_DIFFICULTIES = {"easy": "easy", "medium": "medium", "hard": "difficult"}
_DIFFICULTY_OF = {
    **{said: name for name, said in _DIFFICULTIES.items()},
    "very easy": "easy",
    "very difficult": "hard",
}
_STATUSES = {"draft": "draft", "active": "final", "retired": "unavailable"}
_STATUS_OF = {said: name for name, said in _STATUSES.items()}
_DISCIPLINE = "discipline"
_MAX_NUMBER = 2**31 - 1
_MAX_TAG_LENGTH = 50


@dataclass(slots=True)
class Metadata:
    """The part of a question that is not in its item."""

    external_id: str | None = None
    source: str | None = None
    source_number: int | None = None
    tags: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    difficulty: str | None = None
    status: str | None = None
    not_kept: list[str] = field(default_factory=list)


def metadata_in(resource: Element) -> Metadata:
    """Read the metadata of a resource of a manifest."""
    found = Metadata()
    for lom in resource.iter("lom"):
        identifiers = dict(_identifiers(lom))
        found.external_id = identifiers.get(_EXTERNAL_ID) or None
        found.source = identifiers.get(_SOURCE) or None
        number = identifiers.get(_SOURCE_NUMBER, "")
        if number.isdecimal() and len(number) < 11 and int(number) <= _MAX_NUMBER:
            found.source_number = int(number)
        _read_tags(found, lom)
        found.difficulty = _DIFFICULTY_OF.get(_value(lom, "educational", "difficulty"))
        found.status = _STATUS_OF.get(_value(lom, "lifeCycle", "status"))
        _read_categories(found, lom)
    return found


def _identifiers(lom: Element) -> Iterator[tuple[str, str]]:
    for general in children(lom, "general"):
        for identifier in children(general, "identifier"):
            yield text_of(child(identifier, "catalog")), text_of(child(identifier, "entry"))


def _read_tags(found: Metadata, lom: Element) -> None:
    for general in children(lom, "general"):
        for keyword in children(general, "keyword"):
            tag = text_of(keyword[0]) if len(keyword) else text_of(keyword)
            if len(tag) > _MAX_TAG_LENGTH:
                found.not_kept.append(f'a tag of more than {_MAX_TAG_LENGTH} characters: "{tag[:60]}"')
            elif tag and tag not in found.tags:
                found.tags.append(tag)


def _read_categories(found: Metadata, lom: Element) -> None:
    for classification in children(lom, "classification"):
        if text_of(_last(classification, "purpose")) not in (_DISCIPLINE, ""):
            continue
        for path in children(classification, "taxonPath"):
            names = [name for taxon in children(path, "taxon") if (name := text_of(child(taxon, "entry")))]
            if not found.categories:
                found.categories = names
            elif names and names != found.categories:
                found.not_kept.append(f"a further place in a syllabus: {' / '.join(names)[:100]}")


def _value(lom: Element, *names: str) -> str:
    found: Element | None = lom
    for name in names:
        found = child(found, name) if found is not None else None
    return text_of(_value_of(found)).lower()


def _last(parent: Element, name: str) -> Element | None:
    return _value_of(child(parent, name))


def _value_of(element: Element | None) -> Element | None:
    return child(element, "value") if element is not None else None


def lom_of(item: Item, title: str, language: str) -> Element:
    """The metadata of an item."""
    lom = Element("lom", {"xmlns": "http://ltsc.ieee.org/xsd/LOM"})
    general = SubElement(lom, "general")
    for catalog, entry in _named(item):
        _add_identifier(general, catalog, entry)
    _add_string(SubElement(general, "title"), title, language)
    for tag in item.tags:
        _add_string(SubElement(general, "keyword"), tag, language)
    if item.status in _STATUSES:
        _add_value(SubElement(lom, "lifeCycle"), "status", _STATUSES[item.status])
    if item.difficulty in _DIFFICULTIES:
        _add_value(SubElement(lom, "educational"), "difficulty", _DIFFICULTIES[item.difficulty])
    if item.categories:
        _add_path(SubElement(lom, "classification"), item.categories, language)
    return lom


def lom_of_passage(external_id: str) -> Element:
    """The metadata of a passage: its name."""
    lom = Element("lom", {"xmlns": "http://ltsc.ieee.org/xsd/LOM"})
    _add_identifier(SubElement(lom, "general"), _EXTERNAL_ID, external_id)
    return lom


def _add_identifier(general: Element, catalog: str, entry: str) -> None:
    identifier = SubElement(general, "identifier")
    SubElement(identifier, "catalog").text = catalog
    SubElement(identifier, "entry").text = entry


def _named(item: Item) -> Iterator[tuple[str, str]]:
    if item.external_id is not None:
        yield _EXTERNAL_ID, item.external_id
    if item.source is not None:
        yield _SOURCE, item.source
    if item.source_number is not None:
        yield _SOURCE_NUMBER, str(item.source_number)


def _add_string(parent: Element, text: str, language: str) -> None:
    SubElement(parent, "string", {"language": language}).text = text


def _add_value(parent: Element, name: str, value: str) -> None:
    holder = SubElement(parent, name)
    SubElement(holder, "source").text = "LOMv1.0"
    SubElement(holder, "value").text = value


def _add_path(classification: Element, categories: Sequence[str], language: str) -> None:
    _add_value(classification, "purpose", _DISCIPLINE)
    path = SubElement(classification, "taxonPath")
    _add_string(SubElement(path, "source"), "syllabus", language)
    for category in categories:
        _add_string(SubElement(SubElement(path, "taxon"), "entry"), category, language)
