"""Compiling a draft and its questions into a frozen paper and its key (docs/decisions/0013)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app.engine.marks import parse_marks
from app.engine.question_types import NOT_ATTEMPTED, KeptOptions, Option, question_type
from app.models import (
    LocalizedText,
    Media,
    Paper,
    PassageVersion,
    Question,
    QuestionVersion,
    Test,
    TestSection,
)
from app.services.questions import media
from app.services.questions.content import reading_question
from app.services.tests.cohorts import marking_fingerprint
from app.services.tests.papers import paper_key
from app.services.unit_of_work import Reading

JsonObject = dict[str, Any]
Bank = Mapping[UUID, tuple[Question, QuestionVersion]]
Passages = Mapping[UUID, PassageVersion]
Images = Mapping[UUID, Media]


@dataclass(frozen=True, slots=True)
class Material:
    """A draft with the questions, passages and images that it refers to."""

    test: Test
    bank: Bank
    passages: Passages
    images: Images


async def gather(reads: Reading, test: Test) -> Material:
    """Read the current versions of everything that a draft refers to."""
    places = [place for section in test.sections for place in section.questions]
    bank = await reads.tests.questions([place.question_id for place in places])
    passages = await reads.tests.passages(
        [version.passage_id for _, version in bank.values() if version.passage_id]
    )
    images = await reads.media.existing(test.institute_id, _named_images(bank, passages))
    return Material(test, bank, passages, images)


def next_version(test: Test) -> int:
    """The version number of the next paper."""
    return (test.paper_version or 0) + 1


@dataclass(frozen=True, slots=True)
class CompiledPaper:
    """A paper that is not stored yet, and its key: what is right and why, by question id."""

    paper: Paper
    key: JsonObject

    @property
    def fingerprint(self) -> str:
        """The digest of its marking."""
        return marking_fingerprint(self.paper.rules, self.key)


def compile_paper(material: Material, version: int) -> CompiledPaper:
    """The frozen form: the candidates' document without key, the server's rules, the key apart.

    Raises ValueError where the rules contradict each other.
    """
    test, rules, answer_key = material.test, rules_of(material), answer_key_of(material)
    document = orjson.dumps(document_of(material, version))
    paper = Paper(
        test_id=test.id,
        version=version,
        title=test.title,
        description=test.description,
        duration_seconds=test.duration_seconds,
        languages=test.languages,
        marking=test.marking,
        question_count=len(rules["questions"]),
        max_marks=str(paper_key(rules, answer_key).max_score),
        document=document,
        etag=f'W/"{hashlib.sha256(document).hexdigest()[:32]}"',
        rules=rules,
    )
    return CompiledPaper(paper, answer_key)


def answer_key_of(material: Material) -> JsonObject:
    """What is right and why, by question id."""
    return {
        str(question_id): {"key": version.key, "explanation": version.explanation}
        for question_id, (_, version) in material.bank.items()
    }


def rules_of(material: Material) -> JsonObject:
    """What the server needs to run an attempt. No key."""
    test, bank = material.test, material.bank
    return {
        "sections": [{"id": str(section.id), **section_rules(section)} for section in test.sections],
        "questions": [
            {
                "id": str(place.question_id),
                "version_id": str(bank[place.question_id][1].id),
                "type": bank[place.question_id][1].type,
                "options": [option["id"] for option in options_of(test, bank[place.question_id][1])],
                "passage_id": _text(bank[place.question_id][1].passage_id),
                "marks": resolved_marks(test, section, place.marking),
                **_kept(test, bank[place.question_id][1]),
            }
            for section in test.sections
            for place in section.questions
        ],
        "dropped": test.marking["dropped"],
        "rounding": test.marking["rounding"],
        "shuffle": test.shuffle,
        **_rules_of_sheets(test),
    }


def section_rules(section: TestSection) -> JsonObject:
    """What a publication freezes of a section, but its id."""
    rules: JsonObject = {
        "name": section.name,
        "duration_seconds": section.duration_seconds,
        "locked": section.locked,
        "choose": section.choose,
        "question_ids": [str(place.question_id) for place in section.questions],
    }
    return rules | ({"minimum_marks": section.minimum_marks} if section.minimum_marks is not None else {})


def _rules_of_sheets(test: Test) -> JsonObject:
    """Rules over a whole attempt, where the marking scheme has them."""
    names = ("most_unmarked_percent",)
    return {name: test.marking[name] for name in names if test.marking.get(name) is not None}


def resolved_marks(test: Test, section: TestSection, question: JsonObject | None) -> JsonObject:
    """Marks of a question replace those of its section, and these the test's (docs/decisions/0022)."""
    merged = {**test.marking, **(section.marking or {}), **(question or {})}
    names = ("correct", "incorrect", "unattempted", "partial", "not_attempted_option")
    return {name: merged[name] for name in names if merged.get(name) is not None}


def options_of(test: Test, version: QuestionVersion) -> list[Option]:
    """The options that a question has in this test, with "not attempted" where the scheme adds it."""
    with reading_question(version.question_id):
        kind = question_type(version.type)
    options = list(kind.shown_options(version.options))
    option_id = test.marking.get("not_attempted_option")
    if option_id is not None and kind.takes_not_attempted:
        options.append({"id": option_id, "text": NOT_ATTEMPTED})
    return options


def kept_of(test: Test, version: QuestionVersion) -> KeptOptions:
    """The options of a question that keep their places in this test; none if options are not shuffled."""
    if not test.shuffle.get("options"):
        return KeptOptions()
    with reading_question(version.question_id):
        return question_type(version.type).kept_options(version.text, version.options)


def _kept(test: Test, version: QuestionVersion) -> JsonObject:
    kept = kept_of(test, version)
    return {"kept_options": list(kept.ids)} if kept.ids else {}


def document_of(material: Material, version: int) -> JsonObject:
    """What candidates are served."""
    test, rules, images = material.test, rules_of(material), material.images
    return {
        "test_id": str(test.id),
        "paper_version": version,
        "title": test.title,
        "languages": test.languages,
        "duration_seconds": test.duration_seconds,
        "sections": [
            {
                "id": section["id"],
                "name": section["name"],
                "duration_seconds": section["duration_seconds"],
                "locked": section["locked"],
                "choose": section["choose"],
                "question_ids": section["question_ids"],
            }
            for section in rules["sections"]
        ],
        **_rules_of_sheets(test),
        "passages": [
            {
                "id": str(passage_id),
                "text": _in(test, passage.text),
                "media": media.shown(passage.media, images),
            }
            for passage_id, passage in material.passages.items()
        ],
        "questions": [
            _question(test, material.bank[UUID(entry["id"])][1], images, entry, number)
            for number, entry in enumerate(rules["questions"], start=1)
        ],
    }


def _question(
    test: Test, version: QuestionVersion, images: Images, entry: JsonObject, number: int
) -> JsonObject:
    """A question as candidates see it: named field by field, so that no key can slip in."""
    return {
        "id": entry["id"],
        "number": number,
        "type": entry["type"],
        "text": _in(test, version.text),
        "options": [
            {"id": option["id"], "text": _option_text(test, option["text"])}
            for option in options_of(test, version)
        ],
        "marks": entry["marks"]["correct"],
        "negative_marks": entry["marks"]["incorrect"],
        **_unattempted(entry),
        "passage_id": entry["passage_id"],
        "media": media.shown(version.media, images),
    }


def _unattempted(entry: JsonObject) -> JsonObject:
    """What a question without an answer costs or earns, and the option that means "not attempted"."""
    shown: JsonObject = {}
    marks = entry["marks"].get("unattempted", "0")
    if parse_marks(marks):
        shown["unattempted_marks"] = marks
    if entry["marks"].get("not_attempted_option") in entry["options"]:
        shown["not_attempted_option"] = entry["marks"]["not_attempted_option"]
    return shown


def _in(test: Test, text: LocalizedText) -> LocalizedText:
    """The text in the languages of the test."""
    return {language: text[language] for language in test.languages if language in text}


def _option_text(test: Test, text: LocalizedText) -> LocalizedText:
    """The text in the languages of the test, else in all that it has.

    True, false and "not attempted" are texts of the server, in English and Hindi only.
    """
    return _in(test, text) or text


def sources(bank: Bank, passages: Passages) -> dict[str, QuestionVersion | PassageVersion]:
    """All questions and passages, by the paths of their fields. They may refer to images."""
    return {
        **{f"questions.{question_id}": version for question_id, (_, version) in bank.items()},
        **{f"passages.{passage_id}": passage for passage_id, passage in passages.items()},
    }


def _named_images(bank: Bank, passages: Passages) -> set[UUID]:
    return {UUID(media_id) for source in sources(bank, passages).values() for media_id in source.media}


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
