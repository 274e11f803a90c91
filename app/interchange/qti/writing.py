"""Writes packages of QTI: a ZIP with a manifest, a file for each question, and images."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from xml.etree.ElementTree import Element, SubElement

from app.engine.dropped_keys import is_dropped
from app.engine.question_types import OPTION_LETTERS, Interaction
from app.interchange.items import Item, Remark, Written
from app.interchange.qti.elements import serialized, unwritable
from app.interchange.qti.from_xhtml import plain_language
from app.interchange.qti.item_elements import first_language, item_element
from app.interchange.qti.metadata import lom_of
from app.interchange.qti.numbers import is_decimal
from app.interchange.qti.packages import MANIFEST
from app.interchange.qti.versions import QTI_21, QTI_22, QTI_30, Version

_LONGEST_TITLE = 80
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # Equal questions give an equal file.


def _write(version: Version, items: Sequence[Item], images: Mapping[str, bytes]) -> Written:
    """Write the items as a package."""
    written = Written(b"", 0)
    content = io.BytesIO()
    resources = Element("resources")
    used: dict[str, None] = {}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in items:
            if why := next(_not_expressible(item), None):
                written.left_out.append(Remark(item.place, why))
                continue
            written.count += 1
            identifier = f"q{written.count:05}"
            path = f"items/{identifier}.xml"
            title = _title(item)
            addresses = [f"../images/{name}" for name in item.images]
            root = item_element(item, version, identifier, title, addresses)
            _add(archive, path, serialized(root, dashed=version.is_dashed))
            resources.append(_resource(item, version, identifier, path, title))
            used |= dict.fromkeys(item.images)
        for name in used:
            _add(archive, f"images/{name}", images[name])
        _add(archive, MANIFEST, serialized(_manifest(version, resources), dashed=False))
    written.content = content.getvalue()
    return written


def _add(archive: zipfile.ZipFile, path: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(path, _FIRST_DAY), content, zipfile.ZIP_DEFLATED)


def _title(item: Item) -> str:
    """The title that every item of QTI has: the beginning of its text, as the bank has no titles."""
    text = " ".join(item.text[first_language(item)].split())
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"


def _resource(item: Item, version: Version, identifier: str, path: str, title: str) -> Element:
    resource = Element("resource", {"identifier": identifier, "type": version.resource_type, "href": path})
    SubElement(resource, "metadata").append(lom_of(item, title, first_language(item)))
    for address in (path, *(f"images/{name}" for name in item.images)):
        SubElement(resource, "file", {"href": address})
    return resource


def _manifest(version: Version, resources: Element) -> Element:
    manifest = Element("manifest", {"xmlns": version.manifest_namespace, "identifier": "questions"})
    metadata = SubElement(manifest, "metadata")
    SubElement(metadata, "schema").text = version.schema_name
    SubElement(metadata, "schemaversion").text = version.schema_version
    SubElement(manifest, "organizations")
    manifest.append(resources)
    return manifest


def _not_expressible(item: Item) -> Iterator[str]:
    """Why QTI cannot hold an item."""
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
