"""Drafts of tests: create, change, archive."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed
from app.core.errors import FieldError, Invalid
from app.core.ids import uuid7
from app.models import LocalizedText, Test, TestQuestion, TestSection
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

Marking = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """A section of a draft. Marks of a question override the section's, and these the test's."""

    name: LocalizedText
    question_ids: Sequence[UUID]
    duration_seconds: int | None = None
    locked: bool = True
    choose: int | None = None
    minimum_marks: str | None = None
    marking: Marking | None = None
    question_marking: dict[UUID, Marking] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TestDraft:
    """The content of a new test."""

    title: LocalizedText
    kind: str
    duration_seconds: int
    marking: Marking
    sections: Sequence[SectionDraft]
    description: LocalizedText | None = None
    subject_id: UUID | None = None
    languages: Sequence[str] = ("en",)
    shuffle: dict[str, bool] = field(default_factory=lambda: {"questions": False, "options": False})
    attempts_allowed: int | None = None
    review: str = "after_submit"
    access: str = "free"
    available_from: datetime | None = None
    available_until: datetime | None = None
    objections: dict[str, Any] | None = None
    """`engine.objections.ObjectionRules`, stored."""
    reference: str | None = None
    owner_id: UUID | None = None
    """Of a practice test that one person alone may see."""


@dataclass(frozen=True, slots=True)
class TestUpdate:
    """What may change in a test. New sections replace all sections."""

    title: LocalizedText | Unchanged = UNCHANGED
    description: LocalizedText | Unchanged | None = UNCHANGED
    kind: str | Unchanged = UNCHANGED
    subject_id: UUID | Unchanged | None = UNCHANGED
    duration_seconds: int | Unchanged = UNCHANGED
    languages: Sequence[str] | Unchanged = UNCHANGED
    marking: Marking | Unchanged = UNCHANGED
    sections: Sequence[SectionDraft] | Unchanged = UNCHANGED
    shuffle: dict[str, bool] | Unchanged = UNCHANGED
    attempts_allowed: int | Unchanged | None = UNCHANGED
    review: str | Unchanged = UNCHANGED
    access: str | Unchanged = UNCHANGED
    available_from: datetime | Unchanged | None = UNCHANGED
    available_until: datetime | Unchanged | None = UNCHANGED
    objections: dict[str, Any] | Unchanged | None = UNCHANGED


async def create(uow: UnitOfWork, author: Principal, draft: TestDraft) -> Test:
    """Create a test. Raises Invalid if a question or the subject does not exist."""
    await _check_subject(uow, author, draft.subject_id)
    test = Test(
        id=uuid7(),
        institute_id=author.institute_id,
        subject_id=draft.subject_id,
        title=draft.title,
        description=draft.description,
        kind=draft.kind,
        status="draft",
        duration_seconds=draft.duration_seconds,
        languages=list(draft.languages),
        marking=draft.marking,
        shuffle=draft.shuffle,
        attempts_allowed=draft.attempts_allowed,
        review=draft.review,
        access=draft.access,
        available_from=draft.available_from,
        available_until=draft.available_until,
        objections=draft.objections,
        reference=draft.reference,
        created_by=author.author_id,
        is_personal=draft.owner_id is not None,
        owner_id=draft.owner_id,
        sections=await _sections(uow, author, draft.sections),
    )
    _check_window(test)
    uow.tests.add(test)
    await uow.tests.flush()
    return test


async def change(uow: UnitOfWork, author: Principal, test_id: UUID, update: TestUpdate) -> Test:
    """Change the draft of a test. Published papers do not change."""
    test = await uow.tests.draft(author.institute_id, test_id, lock=True)
    await embargo.check_visible(uow, author, test_id)
    await _check_subject(uow, author, changed(update.subject_id, None))
    if not isinstance(update.sections, Unchanged):
        test.sections = await _sections(uow, author, update.sections)
    _update_fields(test, update)
    _check_window(test)
    await uow.tests.flush()
    return await uow.tests.draft(author.institute_id, test_id)


def _update_fields(test: Test, update: TestUpdate) -> None:
    test.title = changed(update.title, test.title)
    test.description = changed(update.description, test.description)
    test.kind = changed(update.kind, test.kind)
    test.subject_id = changed(update.subject_id, test.subject_id)
    test.duration_seconds = changed(update.duration_seconds, test.duration_seconds)
    test.languages = list(changed(update.languages, test.languages))
    test.marking = changed(update.marking, test.marking)
    test.shuffle = changed(update.shuffle, test.shuffle)
    test.attempts_allowed = changed(update.attempts_allowed, test.attempts_allowed)
    test.review = changed(update.review, test.review)
    test.access = changed(update.access, test.access)
    test.available_from = changed(update.available_from, test.available_from)
    test.available_until = changed(update.available_until, test.available_until)
    test.objections = changed(update.objections, test.objections)


async def archive(uow: UnitOfWork, author: Principal, test_id: UUID) -> Test:
    """Remove a test from the lists. Running attempts continue. Idempotent."""
    test = await uow.tests.draft(author.institute_id, test_id, lock=True)
    await embargo.check_visible(uow, author, test_id)
    test.status = "archived"
    audit.record(uow, author, "archive", AuditSubject("test", test.id))
    await uow.tests.flush()
    return test


async def _sections(uow: UnitOfWork, author: Principal, drafts: Sequence[SectionDraft]) -> list[TestSection]:
    wanted = [question_id for draft in drafts for question_id in draft.question_ids]
    existing = await uow.tests.existing_questions(author.institute_id, wanted)
    errors = []
    for number, draft in enumerate(drafts):
        errors += [
            FieldError(f"sections.{number}.question_ids.{place}", "There is no such question.")
            for place, question_id in enumerate(draft.question_ids)
            if question_id not in existing
        ]
    if len(set(wanted)) < len(wanted):
        errors.append(FieldError("sections", "A question can be in a test only once."))
    if errors:
        raise Invalid("The sections refer to questions that cannot be used.", errors=errors)
    return [_section(position, draft) for position, draft in enumerate(drafts)]


def _section(position: int, draft: SectionDraft) -> TestSection:
    questions = [
        TestQuestion(position=place, question_id=question_id, marking=draft.question_marking.get(question_id))
        for place, question_id in enumerate(draft.question_ids)
    ]
    return TestSection(
        id=uuid7(),
        position=position,
        name=draft.name,
        duration_seconds=draft.duration_seconds,
        locked=draft.locked,
        choose=draft.choose,
        minimum_marks=draft.minimum_marks,
        marking=draft.marking,
        questions=questions,
    )


async def _check_subject(uow: UnitOfWork, author: Principal, subject_id: UUID | None) -> None:
    if subject_id is not None and not await uow.tests.lock_subject_shared(author.institute_id, subject_id):
        raise Invalid.field("subject_id", "There is no such subject.")


def _check_window(test: Test) -> None:
    if test.available_from and test.available_until and test.available_until <= test.available_from:
        raise Invalid.field("available_until", "Send a time after available_from.")
