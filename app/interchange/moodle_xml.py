"""Moodle XML: reading."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from app.engine.question_types import Interaction
from app.interchange import moodle_answers
from app.interchange.errors import (
    MistakeInQuestion,
    QuestionNotRead,
    UnreadableFile,
    UnsupportedQuestion,
)
from app.interchange.items import Item, ItemFile, ItemPassage, Place, Remark, Texts
from app.interchange.limits import MAX_ERRORS, MAX_ITEMS, TOO_MANY_ITEMS
from app.interchange.moodle_answers import Answer, Answered
from app.interchange.moodle_items import (
    Extra,
    MoodleReading,
    categories_of,
    item_of,
    read_extra,
    subject_and_chapter,
    title_remark,
)
from app.interchange.moodle_texts import AUTO, HTML, MARKDOWN, PLAIN
from app.interchange.xml_files import read_parts

EXTRA = "ias"
"""An element with what Moodle has no place for, as JSON. Moodle ignores it."""

PASSAGE = "description"
"""The type of a question that has a text and no answer. Those with `EXTRA` are passages."""

_FORMATS = (HTML, AUTO, MARKDOWN, PLAIN)
_PERCENT = re.compile(r"-?[0-9]{1,4}(\.[0-9]{0,20})?")
_UNSAFE = re.compile(r"[^\w.-]+")
_CERTAIN = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}\?>)?(?:\s|<!--.{0,2000}?-->)*<quiz[\s>]", re.DOTALL
)
_LOOKED_AT = 5_000  # bytes of a file of unknown format
_USUAL_COMMENTS = (
    "",
    "Your answer is correct.",
    "Your answer is partially correct.",
    "Your answer is incorrect.",
)


def is_moodle_xml(file: bytes) -> bool:
    """Return whether a file of unknown format is certainly Moodle XML."""
    return _CERTAIN.match(file[:_LOOKED_AT]) is not None


def read_moodle_xml(file: bytes, language: str) -> ItemFile:
    """Read a file. Raises UnreadableFile, SheetTooLarge."""
    reader = _File(language)
    read_parts(file, "quiz", reader.take)
    found = reader.found
    titles = (remark for item in found.items if (remark := title_remark(item)))
    found.not_kept += [remark for remark, _ in zip(titles, range(1), strict=False)]
    return found


@dataclass(slots=True)
class _File:
    """The questions of a file, one after the other."""

    language: str
    found: ItemFile = field(default_factory=ItemFile)
    categories: Sequence[str] = ()
    number: int = 0
    passages: dict[str, ItemPassage] = field(default_factory=dict)

    def take(self, part: Element, line: int) -> None:
        """Read a child of the root element."""
        if part.tag != "question" or len(self.found.errors) > MAX_ERRORS:
            return
        kind = part.get("type", "")
        if kind == "category":
            self.categories = categories_of(part.findtext("category/text", ""))
            return
        extra = read_extra(part.findtext(EXTRA, ""))
        is_passage = kind == PASSAGE and "passage" in extra
        self.number += not is_passage
        if self.number > MAX_ITEMS or len(self.passages) > MAX_ITEMS:
            raise UnreadableFile(TOO_MANY_ITEMS)
        place = Place(self.number, f"line {line}", " ".join(part.findtext("name/text", "").split()))
        question = _Question(self, part, place, extra)
        try:
            if is_passage:
                self.passages[extra["passage"]] = question.passage(extra["passage"])
                return
            item, not_kept = question.read(kind)
        except UnsupportedQuestion as error:
            self.found.unsupported.append(Remark(place, str(error)))
        except QuestionNotRead as error:
            self.found.errors.append(Remark(place, str(error)))
        else:
            self.found.items.append(item)
            self.found.not_kept += (Remark(place, what) for what in not_kept)


@dataclass(slots=True)
class _Question:
    """Reads one question."""

    file: _File
    part: Element
    place: Place
    extra: Extra
    reading: MoodleReading = field(init=False)

    def __post_init__(self) -> None:
        self.reading = MoodleReading(self.file.language, _format(self.part.find("questiontext"), AUTO))

    def read(self, kind: str) -> tuple[Item, Sequence[str]]:
        """The item, and what of the question is not kept."""
        if kind not in _READERS:
            raise UnsupportedQuestion(f'it is of the type "{kind[:40]}"')
        extra = self.extra
        text = self.text(self.part.find("questiontext"), images=True)
        if not text:
            raise MistakeInQuestion("the question has no text")
        answered = _READERS[kind](self, extra)
        explanation = self.text(self.part.find("generalfeedback"))
        categories, levels = subject_and_chapter(self.file.categories)
        unused = self._take_images()
        hidden = "retired" if self.part.findtext("hidden", "0").strip() == "1" else None
        item = item_of(
            self.place,
            answered,
            text,
            self.reading,
            extra,
            explanation=explanation,
            tags=[tag for each in self.part.iterfind("tags/tag/text") if (tag := (each.text or "").strip())],
            categories=list(categories),
            external_id=self.part.findtext("idnumber", "").strip() or None,
            status=extra.get("status", hidden),
            passage=self._own_passage(),
        )
        return item, [*levels, *answered.not_kept, *self.reading.not_kept, *unused, *self._beside()]

    def passage(self, identifier: str) -> ItemPassage:
        """The passage that a description of our own holds."""
        text = self.text(self.part.find("questiontext"), images=True)
        if not text:
            raise MistakeInQuestion("the passage has no text")
        for what in self._take_images():
            self.file.found.not_kept.append(Remark(self.place, what))
        external_id = self.part.findtext("idnumber", "").strip() or None
        return ItemPassage(text, self.reading.images, external_id, identifier)

    def _own_passage(self) -> ItemPassage | None:
        name = self.extra.get("passage")
        if name is None:
            return None
        if name not in self.file.passages:
            raise MistakeInQuestion(f'its passage "{name[:60]}" is not before it in the file')
        return self.file.passages[name]

    def text(self, part: Element | None, *, images: bool = False) -> Texts:
        """The text of an element that has a format."""
        if part is None:
            return {}
        return self.reading.text(part.findtext("text", ""), _format(part, self.reading.format), images=images)

    def _beside(self) -> Iterator[str]:
        """What no question of the bank has."""
        grade = self.part.findtext("defaultgrade", "1").strip()
        if _PERCENT.fullmatch(grade) and Fraction(grade) != 1:
            yield f"its marks ({grade.rstrip('0').rstrip('.')})"
        comments = [
            *self.part.iterfind("answer/feedback/text"),
            *(
                self.part.find(f"{name}feedback/text")
                for name in ("correct", "partiallycorrect", "incorrect")
            ),
        ]
        if any(each is not None and (each.text or "").strip() not in _USUAL_COMMENTS for each in comments):
            yield "comments on answers"
        if self.part.find("hint") is not None:
            yield "hints"
        if self.part.find("units/unit") is not None:
            yield "units of the number"
        for name in ("graderinfo", "responsetemplate"):
            if self.part.findtext(f"{name}/text", "").strip():
                yield "notes for graders, or a template of the answer"

    def _take_images(self) -> Iterator[str]:
        """Take the images that the text shows, under names of their own. Returns what else there is."""
        files = {_path(each): each for each in self.part.iterfind("questiontext/file")}
        named = self.reading.images
        self.reading.images = [self._kept(name, files) for name in named]
        return (
            f'the file "{name[:60]}", which its text does not show' for name in files if name not in named
        )

    def _kept(self, name: str, files: Mapping[str, Element]) -> str:
        if name not in files:
            raise MistakeInQuestion(f'its image "{name[:60]}" is not in the file')
        try:
            content = base64.b64decode("".join((files[name].text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            raise MistakeInQuestion(f'its image "{name[:60]}" is damaged') from None
        images = self.file.found.images
        safe = _UNSAFE.sub("_", PurePosixPath(name).name)[-80:].strip(".") or "image"
        for own in (safe, f"{self.place.number}_{safe}", f"{self.place.number}_{len(images)}_{safe}"):
            # The names of a ZIP do not differ in case only.
            used = next((each for each in images if each.casefold() == own.casefold()), None)
            if used is None or images[used] == content:
                images[used or own] = content
                return used or own
        raise MistakeInQuestion(f'its image "{name[:60]}" has the name of another one')

    def answers(self, *, in_languages: bool = False) -> list[Answer]:
        """The answers of the question."""
        return [self._answer(each, in_languages=in_languages) for each in self.part.iterfind("answer")]

    def _answer(self, part: Element, *, in_languages: bool) -> Answer:
        fraction = part.get("fraction", "0").strip()
        if not _PERCENT.fullmatch(fraction):
            raise MistakeInQuestion(f'"{fraction[:20]}" is no percentage')
        raw = part.findtext("text", "")
        texts = self.text(part) if in_languages else {}
        return Answer(Fraction(fraction), raw.strip(), texts, part.findtext("tolerance", "0").strip())

    def is_set(self, name: str) -> bool:
        """Whether a switch of the question is on, as it is by default."""
        return self.part.findtext(name, "true").strip().lower() in ("true", "1")


def _choice(question: _Question, extra: Extra) -> Answered:
    answered = moodle_answers.choice(question.answers(in_languages=True), is_single=question.is_set("single"))
    if not question.is_set("shuffleanswers"):
        extra.setdefault("fixed", [choice.id for choice in answered.choices])
    return answered


def _true_or_false(question: _Question, extra: Extra) -> Answered:
    right = [answer.text.lower() for answer in question.answers() if answer.percent > 0]
    if right not in (["true"], ["false"]):
        raise MistakeInQuestion("one of true and false is right")
    return moodle_answers.true_or_false(is_true=right == ["true"])


def _short_text(question: _Question, extra: Extra) -> Answered:
    case_sensitive = question.part.findtext("usecase", "0").strip() == "1"
    return moodle_answers.short_text(question.answers(), case_sensitive=case_sensitive)


def _number(question: _Question, extra: Extra) -> Answered:
    return moodle_answers.as_ranges(moodle_answers.number(question.answers()), extra.get("ranges"))


def _pairs(question: _Question, extra: Extra) -> Answered:
    rows = [
        (
            question.text(each),
            question.reading.text(each.findtext("answer/text", ""), PLAIN),
        )
        for each in question.part.iterfind("subquestion")
    ]
    return moodle_answers.pairs(rows, extra.get("order", ()))


def _essay(question: _Question, extra: Extra) -> Answered:
    return Answered(Interaction.ESSAY, key={"accepted": []})


_READERS: Mapping[str, Callable[[_Question, Extra], Answered]] = {
    "multichoice": _choice,
    "truefalse": _true_or_false,
    "shortanswer": _short_text,
    "numerical": _number,
    "matching": _pairs,
    "match": _pairs,
    "essay": _essay,
}


def _format(part: Element | None, otherwise: str) -> str:
    named = part.get("format", "") if part is not None else ""
    return named if named in _FORMATS else otherwise


def _path(part: Element) -> str:
    folder = part.get("path", "/").strip("/")
    return f"{folder}/{part.get('name', '')}".lstrip("/")
