"""Builders of content: subjects, passages, questions and published tests, with defaults."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID, KeyVersion, Passage, Question, QuestionVersion, Subject, Test
from app.services import audit, tests
from app.services.audit import AuditSubject
from app.services.questions import passages
from app.services.questions.passages import PassageDraft
from app.services.tests import SectionDraft, TestDraft
from app.services.tests.compiling import compile_paper, gather, next_version
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from tests.builders.people import user_id_of

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
    subject = Subject(
        id=uuid7(), institute_id=DEFAULT_INSTITUTE_ID, slug=f"polity-{uuid4().hex}", name={"en": name}
    )
    uow.session.add(subject)
    await uow.session.flush()
    return subject


async def add_passage(uow: UnitOfWork, text: str = "Read this.", media: Sequence[str] = ()) -> Passage:
    """A passage of one version."""
    return await passages.create(uow, operator(), PassageDraft({"en": text}, list(media)))


async def add_questions(
    uow: UnitOfWork,
    keys: Sequence[Sequence[str] | dict[str, Any]],
    *,
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    subject: Subject | None = None,
    created_by: UUID | None = None,
) -> list[UUID]:
    """Questions with options a to d. A key is a list of options, such as `["b"]`, or a whole key document."""
    subject = subject or await add_subject(uow)
    questions, versions = list[Question](), list[QuestionVersion]()
    for number, given in enumerate(keys, start=1):
        key = given if isinstance(given, dict) else {"accepted": [list(given)]}
        kind = "numeric" if "value" in key else type
        question = Question(
            id=uuid7(),
            institute_id=DEFAULT_INSTITUTE_ID,
            subject_id=subject.id,
            fingerprint=uuid4().hex,
            status="active",
            created_by=created_by,
        )
        version = QuestionVersion(
            question_id=question.id,
            number=1,
            type=kind,
            text={"en": f"Question {number}", "hi": f"प्रश्न {number}"},
            options=[]
            if kind in ("numeric", "true_false")
            else [{"id": letter, "text": {"en": f"Option {letter}"}} for letter in LETTERS],
            key=key,
            explanation={"en": f"SECRET-EXPLANATION {number}"},
            created_by=created_by,
        )
        questions.append(question)
        versions.append(version)
    for rows in (questions, versions):  # Two statements, in the order of the foreign key.
        uow.session.add_all(rows)
        await uow.session.flush()
    return [question.id for question in questions]


async def publish_test(
    uow: UnitOfWork,
    keys: Sequence[Sequence[str] | dict[str, Any]] = (["a"], ["b"], ["c"]),
    *,
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    same_as: PublishedTest | None = None,
    created_by: UUID | None = None,
    **changes: Any,
) -> PublishedTest:
    """A published test of one section, by default of three questions keyed a, b, c under UPSC's marking.

    The questions are new, or those of `same_as`. `created_by` is the author of the test and of new questions;
    `changes` replace fields of the draft, `section` and `marking` single fields of these.
    """
    if same_as is None:
        question_ids: Sequence[UUID] = await add_questions(uow, keys, type=type, created_by=created_by)
        documents = [key if isinstance(key, dict) else {"accepted": [list(key)]} for key in keys]
    else:
        question_ids, documents = same_as.question_ids, list(same_as.keys)
    section = SectionDraft(name={"en": "Paper"}, question_ids=question_ids, **changes.pop("section", {}))
    fields: dict[str, Any] = {
        "title": {"en": f"Mock {uuid4().hex[:8]}"},
        "kind": "full",
        "duration_seconds": 600,
        "marking": UPSC | changes.pop("marking", {}),
        "sections": [section],
    }
    test = await tests.create(uow, operator(), TestDraft(**(fields | changes)))
    test.created_by = created_by
    await _publish(uow, test)
    return PublishedTest(test.id, question_ids, documents)


async def _publish(uow: UnitOfWork, test: Test) -> None:
    """Publish a new test as `tests.publish` does, without what it reads to check it."""
    material = await gather(uow, test)
    compiled = compile_paper(material, next_version(test))
    key = KeyVersion(key=compiled.key, fingerprint=compiled.fingerprint, cohort_id=test.id)
    await uow.tests.add_paper(compiled.paper, key, list(material.images))
    test.paper_version, test.status = compiled.paper.version, "published"
    audit.record(uow, operator(), "publish", AuditSubject("test", test.id), version=test.paper_version)
    await uow.tests.flush()


async def publish_for(
    engine: AsyncEngine, author: httpx.AsyncClient | None = None, same_as: PublishedTest | None = None
) -> PublishedTest:
    """A published test, committed, whose author is the user of this client, or nobody."""
    created_by = await user_id_of(author) if author is not None else None
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, same_as=same_as, created_by=created_by)
