"""Reads QTI 2.0 to 2.2 and 3: an item in a file of its own, or a package of items."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.interchange.errors import UnreadableFile
from app.interchange.items import Item, ItemFile, Place, Remark
from app.interchange.limits import MAX_BYTES, MAX_ERRORS, MAX_ITEMS, TOO_MANY_ITEMS
from app.interchange.qti.declarations import declaration_of
from app.interchange.qti.elements import MAX_ELEMENTS_PER_ITEM, UnreadableXml, XmlReader, child, children
from app.interchange.qti.from_xhtml import FOR_ASSISTANCE, TextReader, plain_language
from app.interchange.qti.interactions import Mistake, NotSupported, Response
from app.interchange.qti.metadata import Metadata
from app.interchange.qti.packages import MANIFEST, ItemEntry, Package, embedded_image
from app.interchange.qti.processing import rules_of
from app.interchange.qti.stimuli import PassageOf, Stimuli, no_passages
from app.sheets.errors import SheetTooLarge

_ITEM = "assessmentItem"
_IN_A_LINE = frozenset(("textEntryInteraction", "inlineChoiceInteraction", "endAttemptInteraction"))
_SOLUTION = re.compile(r"solution|explanation|general|rationale", re.IGNORECASE)
_RANDOM = ("templateDeclaration", "templateProcessing")
_ASSISTANCE = ("catalogInfo", "apipAccessibility", "companionMaterialsInfo")
_STARTS = re.compile(rb"<(?:[\w.-]+:)?(?:assessmentItem|qti-assessment-item)[\s>]")
_MAX_TEXTS_LENGTH = 45_000
"""Characters of all texts of an item, spaces between elements too."""
_LOOKED_AT = 10_000
_ZIP = b"PK\x03\x04"

_Image = Callable[[str], str]
"""Returns the name of an image by its address."""


def is_qti(file: bytes) -> bool:
    """Return whether a file of unknown format is certainly QTI."""
    if file.startswith(_ZIP):
        return MANIFEST.encode() in file
    return _STARTS.search(file[:_LOOKED_AT]) is not None


def read_qti(file: bytes, language: str) -> ItemFile:
    """Read an item or a package. Raises UnreadableFile.

    `language` is that of texts of which the file does not say it.
    """
    if len(file) > MAX_BYTES:
        raise SheetTooLarge(MAX_BYTES)
    found, xml = ItemFile(), XmlReader()
    if not file.startswith(_ZIP):
        one = _Source(lambda: xml.parsed(file, MAX_ELEMENTS_PER_ITEM), _embedded(found), no_passages)
        _add(found, ItemEntry(""), 1, one, language)
        return found
    package = Package(file, xml)
    found.images = package.images
    entries = list(package.items())
    if len(entries) > MAX_ITEMS:
        raise UnreadableFile(TOO_MANY_ITEMS)
    if not entries:
        raise UnreadableFile("The package has no items of QTI 2 or 3. Its manifest names them as resources.")
    what = "the title, sections and order of the test; its questions are imported in the manifest's order"
    found.not_kept += (Remark(Place(at=path), what) for path in package.tests)
    stimuli = Stimuli(package, xml, language)
    for number, entry in enumerate(entries, start=1):
        if len(found.errors) > MAX_ERRORS:
            break
        _add(found, entry, number, _of_package(package, xml, entry, stimuli), language)
    found.not_kept += (
        Remark(Place(at=path), what) for path, remarks in stimuli.not_kept.items() for what in remarks
    )
    return found


@dataclass(frozen=True, slots=True)
class _Source:
    """Where an item, its images and its passage come from."""

    root: Callable[[], Element]
    image: _Image
    passage: PassageOf


def _of_package(package: Package, xml: XmlReader, entry: ItemEntry, stimuli: Stimuli) -> _Source:
    return _Source(
        lambda: xml.parsed(package.read(entry.path), MAX_ELEMENTS_PER_ITEM),
        lambda address: package.image(entry.path, address),
        lambda item: stimuli.passage_of(entry.path, item),
    )


def _embedded(found: ItemFile) -> _Image:
    def name_of(address: str) -> str:
        if (name := embedded_image(found.images, address)) is None:
            raise NotSupported(f'its image "{address[:100]}" is not in the file; send a package with both')
        return name

    return name_of


def _add(
    found: ItemFile,
    entry: ItemEntry,
    number: int,
    source: _Source,
    language: str,
) -> None:
    place = Place(number, entry.path)
    try:
        item = source.root()
        place = Place(number, entry.path, " ".join(item.get("title", "").split()))
        spoken = plain_language(item.get("lang", "")) or language
        reading = _ItemReader(
            item, place, entry.metadata, source, TextReader(spoken, _within_a_line), TextReader(spoken)
        )
        found.items.append(reading.item())
        found.not_kept += (Remark(place, what) for what in reading.not_kept())
    except (UnreadableXml, Mistake) as error:
        found.errors.append(Remark(place, str(error)))
    except NotSupported as error:
        found.unsupported.append(Remark(place, str(error)))


def _no_item(root: Element) -> str:
    if root.tag == "questestinterop":
        return "the file is in QTI 1.2, which is not read; export it as QTI 2.1, 2.2 or 3"
    return f"the file has no item of QTI (assessmentItem) but <{root.tag[:40]}>"


@dataclass(slots=True)
class _ItemReader:
    """Reads one item."""

    element: Element
    place: Place
    metadata: Metadata
    source: _Source
    texts: TextReader
    feedback: TextReader

    def item(self) -> Item:
        """Return the item. Raises NotSupported and Mistake."""
        body = self._body()
        interaction = self._interaction(body)
        text = self.texts.texts(body)
        prompt = child(interaction, "prompt")
        text = _joined(text, self.texts.texts(prompt) if prompt is not None else {})
        response = interaction.get("responseIdentifier", "")
        answers = Response(
            interaction,
            declaration_of(self.element, response),
            rules_of(self.element, response),
            self.texts,
        ).answers()
        if not text:
            raise NotSupported("its question has no text; a question of the bank has one")
        explanation = self._explanation()
        if missing := list(self.texts.missing):
            raise NotSupported(f"it has {missing[0]}")
        return Item(
            self.place,
            answers.interaction,
            text,
            answers.choices,
            answers.key,
            explanation,
            self.metadata.tags,
            self.metadata.categories,
            self.metadata.external_id,
            self.metadata.difficulty,
            self.metadata.status,
            self.metadata.source,
            self.metadata.source_number,
            list(dict.fromkeys(map(self.source.image, self.texts.images))),
            self.source.passage(self.element),
        )

    def not_kept(self) -> list[str]:
        """What the item has beyond what the bank can hold."""
        said = [
            *self.metadata.not_kept,
            *self.texts.not_kept,
            *self.feedback.not_kept,
            *self.feedback.missing,
        ]
        if self.feedback.images:
            said.append("an image of its explanation")
        if any(child(self.element, name) is not None for name in _ASSISTANCE):
            said.append(FOR_ASSISTANCE)
        return list(dict.fromkeys(said))

    def _body(self) -> Element:
        if self.element.tag != _ITEM:
            raise Mistake(_no_item(self.element))
        body = child(self.element, "itemBody")
        if body is None:
            raise Mistake("the item has no itemBody")
        if sum(map(len, self.element.itertext())) > _MAX_TEXTS_LENGTH:
            raise Mistake(f"its texts have more than {_MAX_TEXTS_LENGTH:,} characters together")
        if self.element.get("adaptive") == "true":
            raise NotSupported("it takes several attempts and changes between them (adaptive)")
        if any(child(self.element, name) is not None for name in _RANDOM):
            raise NotSupported("its numbers are drawn anew for each candidate (templates)")
        return body

    def _interaction(self, body: Element) -> Element:
        found = [each for each in body.iter() if each.tag.endswith("Interaction")]
        if not found:
            raise NotSupported("it asks for no response")
        if len(found) > 1:
            raise NotSupported(f"it asks for {len(found)} responses, and a question of the bank for one")
        return found[0]

    def _explanation(self) -> dict[str, str]:
        """Return the feedback that does not depend on the response, or the only one there is."""
        all_feedback = [*children(self.element, "modalFeedback"), *self.texts.feedback]
        general = [each for each in all_feedback if _SOLUTION.search(_names(each))]
        chosen = general if len(general) == 1 else all_feedback if len(all_feedback) == 1 else []
        if len(chosen) < len(all_feedback):
            self.feedback.not_kept["its feedback for single responses"] = None
        return self.feedback.texts(_content(chosen[0])) if chosen else {}


def _within_a_line(interaction: Element) -> bool:
    return interaction.tag in _IN_A_LINE


def _names(feedback: Element) -> str:
    return f"{feedback.get('identifier', '')} {feedback.get('outcomeIdentifier', '')}"


def _content(feedback: Element) -> Element:
    content = child(feedback, "contentBody")
    return content if content is not None else feedback


def _joined(text: dict[str, str], prompt: dict[str, str]) -> dict[str, str]:
    """The text of an item and of its prompt, language by language."""
    languages: Sequence[str] = list(dict.fromkeys([*text, *prompt]))
    return {
        language: "\n\n".join(part[language] for part in (text, prompt) if language in part)
        for language in languages
    }
