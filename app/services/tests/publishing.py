"""Publishing: a draft becomes the next frozen paper version (decision D4)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.core.errors import FieldError, NotPublishable
from app.engine.scoring import PaperKey
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
from app.services import media
from app.services.tests.papers import paper_key
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

JsonObject = dict[str, Any]
Bank = Mapping[UUID, tuple[Question, QuestionVersion]]
Passages = Mapping[UUID, PassageVersion]
Images = Mapping[UUID, Media]

TRUE_FALSE_OPTIONS = (
    {"id": "true", "text": {"en": "True", "hi": "सही"}},
    {"id": "false", "text": {"en": "False", "hi": "गलत"}},
)


@dataclass(frozen=True, slots=True)
class Published:
    """A test and its new paper; `gaps` are texts that a language of the test lacks."""

    test: Test
    paper: Paper
    gaps: Sequence[FieldError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Material:
    """A draft with all that it names in the bank, read at one moment."""

    test: Test
    bank: Bank
    passages: Passages
    images: Images


async def publish(uow: UnitOfWork, author: Principal, test_id: UUID, now: datetime) -> Published:
    """Freeze the draft as the next paper version. Running attempts keep the version they began with.

    Raises NotPublishable with everything that stands in the way, so that one look mends it all.
    """
    test = await uow.tests.draft(author.institute_id, test_id, lock=True)
    material = await gather(uow, test)
    if found := obstacles(material):
        raise NotPublishable("The test cannot be published yet.", errors=found)
    if missing := prevailing_gaps(material):
        raise NotPublishable("Texts are missing in the prevailing language.", errors=missing)

    paper = compile_paper(material, next_version(test))
    paper.published_by = author.author_id
    await uow.tests.add_paper(paper, list(material.images))
    test.paper_version = paper.version
    test.status = "published"
    test.updated_at = now
    await uow.tests.flush()
    return Published(test, paper, language_gaps(material))


async def gather(reads: Reading, test: Test) -> Material:
    """What a draft names, in its current versions."""
    places = [place for section in test.sections for place in section.questions]
    bank = await reads.tests.questions([place.question_id for place in places])
    passages = await reads.tests.passages(
        [version.passage_id for _, version in bank.values() if version.passage_id]
    )
    images = await reads.media.existing(test.institute_id, _named_images(bank, passages))
    return Material(test, bank, passages, images)


def next_version(test: Test) -> int:
    """The number of the paper that the draft will become."""
    return (test.paper_version or 0) + 1


def compile_paper(test: Test, bank: Bank, passages: Passages, images: Images, version: int) -> Paper:
    """The frozen form: the candidates' document without key, the server's rules, the key apart."""
    rules = _rules(test, bank)
    answer_key = {
        str(question_id): {"key": version.key, "explanation": version.explanation}
        for question_id, (_, version) in bank.items()
    }
    key = _checked_key(rules, answer_key)
    document = orjson.dumps(_document(test, bank, passages, images, rules, version))
    return Paper(
        test_id=test.id,
        version=version,
        title=test.title,
        description=test.description,
        duration_seconds=test.duration_seconds,
        languages=test.languages,
        marking=test.marking,
        question_count=len(rules["questions"]),
        max_marks=str(key.max_score),
        document=document,
        etag=f'W/"{hashlib.sha256(document).hexdigest()[:32]}"',
        rules=rules,
        key=answer_key,
    )


def _checked_key(rules: JsonObject, answer_key: JsonObject) -> PaperKey:
    try:
        return paper_key(rules, answer_key)
    except ValueError as error:
        raise NotPublishable(str(error), errors=[FieldError("sections", str(error))]) from error


def _rules(test: Test, bank: Bank) -> JsonObject:
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
                "marks": _resolved_marks(test, section, place.marking),
            }
            for section in test.sections
            for place in section.questions
        ],
        "dropped": test.marking["dropped"],
        "rounding": test.marking["rounding"],
        "shuffle": test.shuffle,
    }


def _resolved_marks(test: Test, section: TestSection, question: JsonObject | None) -> JsonObject:
    """Marks resolve question > section > test (decision D7)."""
    merged = {**test.marking, **(section.marking or {}), **(question or {})}
    names = ("correct", "incorrect", "unattempted", "partial")
    return {name: merged[name] for name in names if merged.get(name) is not None}


def option_ids(version: QuestionVersion) -> list[str]:
    """What may be answered, in the author's order; empty for numeric questions."""
    return [option["id"] for option in _options(version)]


def _options(version: QuestionVersion) -> Sequence[JsonObject]:
    return TRUE_FALSE_OPTIONS if version.type == "true_false" else version.options


def _document(
    test: Test, bank: Bank, passages: Passages, images: Images, rules: JsonObject, version: int
) -> JsonObject:
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
            for passage_id, passage in passages.items()
        ],
        "questions": [
            _question(test, bank[UUID(entry["id"])][1], images, entry, number)
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
    """The text in the languages that the test names; what the bank has besides stays there."""
    return {language: text[language] for language in test.languages if language in text}


def _obstacles(test: Test, bank: Bank) -> list[FieldError]:
    obstacles = []
    if not any(section.questions for section in test.sections):
        obstacles.append(FieldError("sections", "a test needs at least one question"))
    for number, section in enumerate(test.sections):
        if not section.questions:
            obstacles.append(FieldError(f"sections.{number}.question_ids", "the section has no question"))
        for place, entry in enumerate(section.questions):
            if sentence := _unusable(*bank[entry.question_id]):
                obstacles.append(FieldError(f"sections.{number}.question_ids.{place}", sentence))
    timed = [section.duration_seconds for section in test.sections if section.duration_seconds]
    if sum(timed) > test.duration_seconds:
        obstacles.append(FieldError("duration_seconds", "the timed sections take longer than the test"))
    return obstacles


def _unusable(question: Question, version: QuestionVersion) -> str | None:
    if question.status != "active":
        return f"the question is {question.status}"
    if version.type == "descriptive":
        return "descriptive questions cannot be marked yet"
    return None


def _sources(bank: Bank, passages: Passages) -> dict[str, QuestionVersion | PassageVersion]:
    """Everything that may name images."""
    return {
        **{f"questions.{question_id}": version for question_id, (_, version) in bank.items()},
        **{f"passages.{passage_id}": passage for passage_id, passage in passages.items()},
    }


def _named_images(bank: Bank, passages: Passages) -> set[UUID]:
    return {UUID(media_id) for source in _sources(bank, passages).values() for media_id in source.media}


def _lost_images(bank: Bank, passages: Passages, images: Images) -> list[FieldError]:
    return [
        FieldError(f"{path}.media", "there is no such image")
        for path, source in _sources(bank, passages).items()
        if any(UUID(media_id) not in images for media_id in source.media)
    ]


def _language_gaps(test: Test, bank: Bank, passages: Passages) -> list[FieldError]:
    return [
        FieldError(f"{place}.{language}", f"there is no text in {language}")
        for place, text in _texts(test, bank, passages)
        for language in test.languages
        if language not in text
    ]


def _texts(test: Test, bank: Bank, passages: Passages) -> Iterable[tuple[str, LocalizedText]]:
    yield "title", test.title
    for number, section in enumerate(test.sections):
        yield f"sections.{number}.name", section.name
        for place, entry in enumerate(section.questions):
            version = bank[entry.question_id][1]
            path = f"sections.{number}.questions.{place}"
            yield f"{path}.text", version.text
            for option in version.options:
                yield f"{path}.options.{option['id']}", option["text"]
    for passage_id, passage in passages.items():
        yield f"passages.{passage_id}", passage.text


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
