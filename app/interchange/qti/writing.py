"""Writes packages of QTI: a ZIP with a manifest, a file for each question, and images."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element, SubElement

from app.engine.dropped_keys import is_dropped
from app.engine.question_types import OPTION_LETTERS, Interaction
from app.interchange.items import Item, ItemPassage, Remark, Written
from app.interchange.qti.elements import serialized, unwritable
from app.interchange.qti.from_xhtml import plain_language
from app.interchange.qti.item_elements import first_language, item_element
from app.interchange.qti.metadata import lom_of, lom_of_passage
from app.interchange.qti.numbers import is_decimal
from app.interchange.qti.packages import MANIFEST
from app.interchange.qti.stimuli import stimulus_element
from app.interchange.qti.versions import QTI_21, QTI_22, QTI_30, Version

_MAX_TITLE_LENGTH = 80
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # Equal questions give an equal file.


def _write(version: Version, items: Sequence[Item], images: Mapping[str, bytes]) -> Written:
    """Write the items as a package."""
    written = Written(b"", 0)
    content = io.BytesIO()
    resources = Element("resources")
    used: dict[str, None] = {}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        passages = _Passages(version, archive, resources, used)
        for item in items:
            if why := next(_not_expressible(item, version), None):
                written.left_out.append(Remark(item.place, why))
                continue
            written.count += 1
            identifier = f"q{written.count:05}"
            path = f"items/{identifier}.xml"
            title = _title(item)
            addresses = [f"../images/{name}" for name in item.images]
            passage = passages.added(item.passage) if item.passage is not None else None
            reference = {"identifier": passage, "href": f"../passages/{passage}.xml"} if passage else None
            root = item_element(item, version, identifier, title, addresses, reference)
            _add(archive, path, serialized(root, dashed=version.is_dashed))
            resources.append(_resource(item, version, identifier, path, title, passage))
            used |= dict.fromkeys(item.images)
        for name in used:
            _add(archive, f"images/{name}", images[name])
        _add(archive, MANIFEST, serialized(_manifest(version, resources), dashed=False))
    written.content = content.getvalue()
    return written


@dataclass(slots=True)
class _Passages:
    """The passages of a package. Each is written once, before its first item."""

    version: Version
    archive: zipfile.ZipFile
    resources: Element
    images: dict[str, None]
    identifiers: dict[str, str] = field(default_factory=dict)

    def added(self, passage: ItemPassage) -> str:
        """Return the identifier of a passage."""
        if passage.identifier in self.identifiers:
            return self.identifiers[passage.identifier]
        identifier = self.identifiers[passage.identifier] = f"p{len(self.identifiers) + 1:05}"
        path = f"passages/{identifier}.xml"
        addresses = [f"../images/{name}" for name in passage.images]
        root = stimulus_element(passage, self.version, identifier, addresses)
        _add(self.archive, path, serialized(root, dashed=self.version.is_dashed))
        kind = str(self.version.stimulus_type)
        resource = SubElement(
            self.resources, "resource", {"identifier": identifier, "type": kind, "href": path}
        )
        if passage.external_id is not None:
            SubElement(resource, "metadata").append(lom_of_passage(passage.external_id))
        for address in (path, *(f"images/{name}" for name in passage.images)):
            SubElement(resource, "file", {"href": address})
        self.images |= dict.fromkeys(passage.images)
        return identifier


def _add(archive: zipfile.ZipFile, path: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(path, _FIRST_DAY), content, zipfile.ZIP_DEFLATED)


def _title(item: Item) -> str:
    """The title that every item of QTI has: the beginning of its text, as the bank has no titles."""
    text = " ".join(item.text[first_language(item)].split())
    return text if len(text) <= _MAX_TITLE_LENGTH else f"{text[: _MAX_TITLE_LENGTH - 1]}…"


def _resource(
    item: Item, version: Version, identifier: str, path: str, title: str, passage: str | None
) -> Element:
    resource = Element("resource", {"identifier": identifier, "type": version.resource_type, "href": path})
    SubElement(resource, "metadata").append(lom_of(item, title, first_language(item)))
    for address in (path, *(f"images/{name}" for name in item.images)):
        SubElement(resource, "file", {"href": address})
    if passage is not None:
        SubElement(resource, "dependency", {"identifierref": passage})
    return resource


def _manifest(version: Version, resources: Element) -> Element:
    manifest = Element("manifest", {"xmlns": version.manifest_namespace, "identifier": "questions"})
    metadata = SubElement(manifest, "metadata")
    SubElement(metadata, "schema").text = version.schema_name
    SubElement(metadata, "schemaversion").text = version.schema_version
    SubElement(manifest, "organizations")
    manifest.append(resources)
    return manifest


def _not_expressible(item: Item, version: Version) -> Iterator[str]:
    """Why QTI cannot hold an item."""
    if item.passage is not None and version.stimulus_type is None:
        yield "it belongs to a passage, and QTI 2.1 has none; QTI 2.2 and 3.0 have"
    if is_dropped(item.key):
        yield "QTI has no questions that are dropped"
    if any(map(unwritable, _texts(item))):
        yield "it has a character that XML cannot hold"
    if any(plain_language(language) != language for language in item.languages):
        yield "its language has a region, such as en-GB, which would be read as en"
    if not _has_usual_ids(item):
        yield "its options have other ids than a, b, c …"
    if not all(map(is_decimal, _numbers(item))):
        yield "a number of its key is a fraction, and QTI has decimal numbers"
    if item.interaction is Interaction.TRUE_OR_FALSE and not item.languages <= {"en", "hi"}:
        yield "the options true and false have no text in its language"


def _texts(item: Item) -> Iterator[str]:
    for localized in (item.text, item.explanation, *(choice.text for choice in item.choices)):
        yield from localized.values()
    yield from (*item.tags, *item.categories, item.external_id or "", item.source or "")
    yield from item.key.get("texts", ())
    if item.passage is not None:
        yield from (*item.passage.text.values(), item.passage.external_id or "")


def _numbers(item: Item) -> Iterator[str]:
    yield from (item.key[name] for name in ("value", "tolerance") if name in item.key)
    yield from (end for each in item.key.get("ranges", ()) for end in each.values())


def _has_usual_ids(item: Item) -> bool:
    """Whether the options have the ids that a reader gives them: by their places."""
    ids = [choice.id for choice in item.choices]
    left = sum(each.isdecimal() for each in ids) if item.interaction is Interaction.PAIRS else 0
    usual = [*map(str, range(1, left + 1)), *OPTION_LETTERS[: len(ids) - left]]
    return ids == usual


write_qti_21 = partial(_write, QTI_21)
write_qti_22 = partial(_write, QTI_22)
write_qti_30 = partial(_write, QTI_30)
