"""Builders of content: subjects, passages, questions and published tests, with defaults."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import (
    DEFAULT_INSTITUTE_ID,
    AuditEntry,
    Base,
    KeyVersion,
    PaperMedia,
    Passage,
    Question,
    QuestionVersion,
    Subject,
    Test,
    TestQuestion,
    TestSection,
)
from app.services.questions import passages
from app.services.questions.passages import PassageDraft
from app.services.tests import SectionDraft, TestDraft
from app.services.tests.compiling import Material, compile_paper, gather
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from tests.builders.people import user_id_of
from tests.builders.rows import insert_rows

UPSC = {
    "correct": "2",
    "incorrect": "-2/3",
    "unattempted": "0",
    "partial": "none",
    "dropped": "prorate",
    "rounding": "upsc",
}
LETTERS = ("a", "b", "c", "d")


@dataclass(frozen=True)
class PublishedTest:
    """A published test with its questions and their keys, both in the order of the draft."""

    id: UUID
    question_ids: Sequence[UUID]
    keys: Sequence[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/tests/{self.id}"


async def add_subject(uow: UnitOfWork, name: str = "Polity") -> Subject:
    """A subject with a unique slug."""
    subject = _subject(name)
    uow.session.add(subject)
    await uow.session.flush()
    return subject


def _subject(name: str = "Polity") -> Subject:
    slug = f"polity-{uuid4().hex}"
    return Subject(id=uuid7(), institute_id=DEFAULT_INSTITUTE_ID, slug=slug, name={"en": name})


async def add_passage(uow: UnitOfWork, text: str = "Read this.", media: Sequence[str] = ()) -> Passage:
    """A passage of one version."""
    return await passages.create(uow, operator(), PassageDraft({"en": text}, list(media)))


Key = Sequence[str] | dict[str, Any]
"""A list of options, such as `["b"]`, or a whole key document."""


async def add_questions(
    uow: UnitOfWork,
    keys: Sequence[Key],
    *,
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    subject: Subject | None = None,
    created_by: UUID | None = None,
) -> list[UUID]:
    """Questions with options a to d."""
    new = [] if subject else [_subject()]
    questions, versions = _questions(keys, type, (subject or new[0]).id, created_by)
    await insert_rows(uow.session, new, questions, versions)
    return [question.id for question in questions]


def _questions(
    keys: Sequence[Key], default_type: str, subject_id: UUID, created_by: UUID | None
) -> tuple[list[Question], list[QuestionVersion]]:
    questions, versions = list[Question](), list[QuestionVersion]()
    for number, key in enumerate(map(_document, keys), start=1):
        kind = "numeric" if "value" in key else default_type
        question = Question(
            id=uuid7(),
            institute_id=DEFAULT_INSTITUTE_ID,
            subject_id=subject_id,
            fingerprint=uuid4().hex,
            status="active",
            created_by=created_by,
        )
        version = QuestionVersion(
            id=uuid7(),
            question_id=question.id,
            number=1,
            type=kind,
            text={"en": f"Question {number}", "hi": f"प्रश्न {number}"},
            options=[]
            if kind in ("numeric", "true_false")
            else [{"id": letter, "text": {"en": f"Option {letter}"}} for letter in LETTERS],
            key=key,
            explanation={"en": f"SECRET-EXPLANATION {number}"},
            media=[],
            created_by=created_by,
        )
        questions.append(question)
        versions.append(version)
    return questions, versions


def _document(key: Key) -> dict[str, Any]:
    return key if isinstance(key, dict) else {"accepted": [list(key)]}


async def publish_test(
    uow: UnitOfWork,
    keys: Sequence[Key] = (["a"], ["b"], ["c"]),
    *,
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    same_as: PublishedTest | None = None,
    created_by: UUID | None = None,
    **changes: Any,
) -> PublishedTest:
    """A published test of one section, by default of three questions keyed a, b, c under UPSC's marking.

    The questions are new, or those of `same_as`. `created_by` is the author of the test and of new questions;
    `changes` replace fields of the draft, `section` and `marking` single fields of these.

    All rows are written at once. `tests/api/test_prepared.py` compares them with those of the services.
    """
    subject = _subject()
    questions, versions = _questions([] if same_as else keys, type, subject.id, created_by)
    question_ids = same_as.question_ids if same_as else [question.id for question in questions]
    test = _test(question_ids, created_by, changes)
    bank = {question.id: (question, version) for question, version in zip(questions, versions, strict=True)}
    places = {place.question_id for section in test.sections for place in section.questions}
    are_new = places <= bank.keys()
    material = Material(test, bank, {}, {}) if are_new else await gather(uow, test)
    content = ([] if same_as else [subject]), questions, versions
    await insert_rows(uow.session, *content, *_published(material))
    return PublishedTest(test.id, question_ids, same_as.keys if same_as else [*map(_document, keys)])


def _test(question_ids: Sequence[UUID], created_by: UUID | None, changes: dict[str, Any]) -> Test:
    section = SectionDraft(
        **{"name": {"en": "Paper"}, "question_ids": question_ids} | changes.pop("section", {})
    )
    fields_of_draft: dict[str, Any] = {
        "title": {"en": f"Mock {uuid4().hex[:8]}"},
        "kind": "full",
        "duration_seconds": 600,
        "marking": UPSC | changes.pop("marking", {}),
        "sections": [section],
    }
    draft = TestDraft(**(fields_of_draft | changes))
    return Test(
        id=uuid7(),
        institute_id=DEFAULT_INSTITUTE_ID,
        status="published",
        paper_version=1,
        created_by=created_by,
        is_personal=draft.owner_id is not None,
        **{each.name: getattr(draft, each.name) for each in fields(draft) if each.name != "sections"},
        sections=[_section(position, each) for position, each in enumerate(draft.sections)],
    )


def _section(position: int, draft: SectionDraft) -> TestSection:
    of_questions = ("question_ids", "question_marking")
    columns = {
        each.name: getattr(draft, each.name) for each in fields(draft) if each.name not in of_questions
    }
    id_ = uuid7()
    places = [
        TestQuestion(
            section_id=id_,
            position=place,
            question_id=question_id,
            marking=draft.question_marking.get(question_id),
        )
        for place, question_id in enumerate(draft.question_ids)
    ]
    return TestSection(id=id_, position=position, **columns, questions=places)


def _published(material: Material) -> list[Sequence[Base]]:
    """The rows of a test and its paper, and the entry of the audit log."""
    test, compiled = material.test, compile_paper(material, 1)
    paper = compiled.paper
    paper.id = uuid7()
    key = KeyVersion(
        id=uuid7(),
        paper_id=paper.id,
        number=1,
        key=compiled.key,
        fingerprint=compiled.fingerprint,
        cohort_id=test.id,
    )
    entry = AuditEntry(
        id=uuid7(),
        institute_id=test.institute_id,
        action="publish",
        subject_kind="test",
        subject_id=test.id,
        details={"version": 1},
    )
    for section in test.sections:
        section.test_id = test.id
    places = [place for section in test.sections for place in section.questions]
    images = [PaperMedia(paper_id=paper.id, media_id=media_id) for media_id in material.images]
    return [[test], test.sections, places, [paper], [key], images, [entry]]


async def publish_for(
    engine: AsyncEngine, author: httpx.AsyncClient | None = None, same_as: PublishedTest | None = None
) -> PublishedTest:
    """A published test, committed, whose author is the user of this client, or nobody."""
    created_by = await user_id_of(author) if author is not None else None
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, same_as=same_as, created_by=created_by)
