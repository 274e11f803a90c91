"""Compiling a draft and its questions into a frozen paper and its key (docs/decisions/0013)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

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
from app.services.tests.papers import paper_key
from app.services.unit_of_work import Reading

JsonObject = dict[str, Any]
Bank = Mapping[UUID, tuple[Question, QuestionVersion]]
Passages = Mapping[UUID, PassageVersion]
Images = Mapping[UUID, Media]

TRUE_FALSE_OPTIONS = (
    {"id": "true", "text": {"en": "True", "hi": "सही"}},
    {"id": "false", "text": {"en": "False", "hi": "गलत"}},
)


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


def compile_paper(material: Material, version: int) -> Paper:
    """The frozen form: the candidates' document without key, the server's rules, the key apart.

    Raises ValueError where the rules contradict each other.
    """
    test, rules, answer_key = material.test, rules_of(material), answer_key_of(material)
    document = orjson.dumps(document_of(material, version))
    return Paper(
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
        key=answer_key,
    )


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
        "sections": [
            {
                "id": str(section.id),
                "name": section.name,
                "duration_seconds": section.duration_seconds,
                "locked": section.locked,
                "choose": section.choose,
                "question_ids": [str(place.question_id) for place in section.questions],
            }
            for section in test.sections
        ],
        "questions": [
            {
                "id": str(place.question_id),
                "version_id": str(bank[place.question_id][1].id),
                "type": bank[place.question_id][1].type,
                "options": option_ids(bank[place.question_id][1]),
                "passage_id": _text(bank[place.question_id][1].passage_id),
                "marks": resolved_marks(test, section, place.marking),
            }
            for section in test.sections
            for place in section.questions
        ],
        "dropped": test.marking["dropped"],
        "rounding": test.marking["rounding"],
        "shuffle": test.shuffle,
    }


def resolved_marks(test: Test, section: TestSection, question: JsonObject | None) -> JsonObject:
    """Marks resolve question > section > test (docs/decisions/0022)."""
    merged = {**test.marking, **(section.marking or {}), **(question or {})}
    names = ("correct", "incorrect", "unattempted", "partial")
    return {name: merged[name] for name in names if merged.get(name) is not None}


def option_ids(version: QuestionVersion) -> list[str]:
    """What may be answered, in the author's order; empty for numeric questions."""
    return [option["id"] for option in _options(version)]


def _options(version: QuestionVersion) -> Sequence[JsonObject]:
    return TRUE_FALSE_OPTIONS if version.type == "true_false" else version.options


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
        "options": [{"id": option["id"], "text": _in(test, option["text"])} for option in _options(version)],
        "marks": entry["marks"]["correct"],
        "negative_marks": entry["marks"]["incorrect"],
        "passage_id": entry["passage_id"],
        "media": media.shown(version.media, images),
    }


def _in(test: Test, text: LocalizedText) -> LocalizedText:
    """The text in the languages of the test."""
    return {language: text[language] for language in test.languages if language in text}


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
