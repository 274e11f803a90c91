"""Passages of a package: `assessmentStimulus` in a file of its own, to which items refer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement

from app.interchange.items import ItemPassage
from app.interchange.qti.elements import MAX_ELEMENTS_PER_ITEM, UnreadableXml, XmlReader, child, children
from app.interchange.qti.from_xhtml import TextReader, plain_language
from app.interchange.qti.interactions import Mistake, NotSupported
from app.interchange.qti.packages import Package, joined
from app.interchange.qti.to_xhtml import add_images, add_texts
from app.interchange.qti.versions import Version

REFERENCE = "assessmentStimulusRef"
_STIMULUS = "assessmentStimulus"
_MAX_TEXTS_LENGTH = 45_000
"""Characters of all texts of a passage, spaces between elements too."""
_MAX_TITLE_LENGTH = 80
_MAX_NAME_LENGTH = 60

PassageOf = Callable[[Element], ItemPassage | None]
"""Returns the passage to which an item refers. Raises NotSupported and Mistake."""


@dataclass(slots=True)
class Stimuli:
    """The passages of a package. Each is read once, for the first item that refers to it."""

    package: Package
    xml: XmlReader
    language: str
    """Of texts of which the file does not say it."""
    not_kept: dict[str, Sequence[str]] = field(default_factory=dict)
    """What a passage has that the bank cannot hold, by its path."""
    _read: dict[str, ItemPassage | Mistake | NotSupported] = field(default_factory=dict)

    def passage_of(self, item_path: str, item: Element) -> ItemPassage | None:
        """Return the passage to which an item refers. Raises NotSupported and Mistake."""
        references = list(children(item, REFERENCE))
        if not references:
            return None
        if len(references) > 1:
            raise NotSupported(f"it belongs to {len(references)} passages, and a question of the bank to one")
        path = joined(item_path, references[0].get("href", ""))
        if path not in self._read:
            self._read[path] = self._passage(path)
        found = self._read[path]
        if isinstance(found, ItemPassage):
            return found
        raise type(found)(f'its passage "{path[-_MAX_NAME_LENGTH:]}": {found}')

    def _passage(self, path: str) -> ItemPassage | Mistake | NotSupported:
        try:
            return self._parsed(path)
        except UnreadableXml as error:
            return Mistake(str(error))
        except (Mistake, NotSupported) as error:
            return error

    def _parsed(self, path: str) -> ItemPassage:
        root = self.xml.parsed(self.package.read(path), MAX_ELEMENTS_PER_ITEM)
        body = child(root, "stimulusBody")
        if root.tag != _STIMULUS or body is None:
            raise Mistake(f"the file has no passage (assessmentStimulus) but <{root.tag[:40]}>")
        if sum(map(len, root.itertext())) > _MAX_TEXTS_LENGTH:
            raise Mistake(f"its texts have more than {_MAX_TEXTS_LENGTH:,} characters together")
        texts = TextReader(plain_language(root.get("lang", "")) or self.language)
        text = texts.texts(body)
        if texts.missing:
            raise NotSupported(f"it has {next(iter(texts.missing))}")
        if not text:
            raise NotSupported("it has no text; a passage of the bank has one")
        metadata = self.package.stimuli.get(path)
        self.not_kept[path] = list(texts.not_kept)
        return ItemPassage(
            text,
            list(dict.fromkeys(self.package.image(path, address) for address in texts.images)),
            metadata.external_id if metadata is not None else None,
            path,
        )


def no_passages(item: Element) -> None:
    """Raise NotSupported if an item that is no part of a package refers to a passage."""
    reference = child(item, REFERENCE)
    if reference is not None:
        name = next(filter(None, map(reference.get, ("title", "href", "identifier"))), "")
        raise NotSupported(
            f'it belongs to the passage "{name[:_MAX_NAME_LENGTH]}", which is not in the file; send a package'
            " with both"
        )


def stimulus_element(
    passage: ItemPassage, version: Version, identifier: str, images: Sequence[str]
) -> Element:
    """Return a passage as a tree. `images` are the addresses of its images."""
    language = passage_language(passage.text)
    root = Element(
        _STIMULUS,
        {
            "xmlns": version.namespace,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{version.namespace} {version.schema}",
            "identifier": identifier,
            "title": passage_title(passage),
            "xml:lang": language,
        },
    )
    body = SubElement(root, "stimulusBody")
    add_texts(body, passage.text, language)
    add_images(body, images)
    return root


def passage_language(text: Mapping[str, str]) -> str:
    """The language of what has no mark of its own."""
    return "en" if "en" in text else min(text)


def passage_title(passage: ItemPassage) -> str:
    """The title that every passage of QTI has: the beginning of its text."""
    text = re.sub(r"\s+", " ", passage.text[passage_language(passage.text)])
    return text if len(text) <= _MAX_TITLE_LENGTH else f"{text[: _MAX_TITLE_LENGTH - 1]}…"
