"""Questions one by one: written, found, revised, retired."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed
from app.core.errors import FieldError, Forbidden, Invalid, NotFound
from app.core.ids import uuid7
from app.models import LocalizedText, Question, QuestionVersion
from app.repositories.base import Page, PageRequest
from app.repositories.questions import QuestionFilter
from app.repositories.tests import KeptVersion
from app.services import audit, embargo
from app.services.audit import AuditSubject
from app.services.questions import media
from app.services.questions.content import (
    Content,
    Key,
    Option,
    content_of,
    fingerprint,
    problems_of,
)
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands in the bank, and what it is known by."""

    subject_id: UUID
    chapter_id: UUID | None = None
    source: str | None = None
    external_id: str | None = None
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as somebody may see it: of one that is withheld, not what is right and why."""

    question: Question
    withheld: bool


@dataclass(frozen=True, slots=True)
class Revised(Shown):
    """A question after a change, and which of its versions exams and running attempts keep."""

    kept_by: Sequence[KeptVersion]


async def shown(reads: Reading, reader: Principal, questions: Iterable[Question]) -> list[Shown]:
    """Questions as the reader may see them. Who sees keys that an exam holds is in the audit log."""
    questions = list(questions)
    ids = [question.id for question in questions]
    withheld = await embargo.withheld(reads, reader, ids)
    held = await audit.held_among(reads, ids)
    audit.record_key_read(reads, reader, held - withheld, where="bank")
    return [Shown(question, question.id in withheld) for question in questions]


@dataclass(frozen=True, slots=True)
class QuestionUpdate:
    """What may change in a question: its place in the bank, and what its versions hold."""

    subject_id: UUID | Unchanged = UNCHANGED
    chapter_id: UUID | Unchanged | None = UNCHANGED
    source: str | Unchanged | None = UNCHANGED
    external_id: str | Unchanged | None = UNCHANGED
    status: str | Unchanged = UNCHANGED
    type: str | Unchanged = UNCHANGED
    text: LocalizedText | Unchanged = UNCHANGED
    options: list[Option] | Unchanged = UNCHANGED
    key: Key | Unchanged = UNCHANGED
    explanation: LocalizedText | Unchanged | None = UNCHANGED
    difficulty: str | Unchanged | None = UNCHANGED
    tags: list[str] | Unchanged = UNCHANGED
    passage_id: UUID | Unchanged | None = UNCHANGED
    media: list[str] | Unchanged = UNCHANGED

    def place(self, before: Place) -> Place:
        """The place after the change."""
        return Place(
            subject_id=changed(self.subject_id, before.subject_id),
            chapter_id=changed(self.chapter_id, before.chapter_id),
            source=changed(self.source, before.source),
            external_id=changed(self.external_id, before.external_id),
            status=changed(self.status, before.status),
        )

    def content(self, before: Content) -> Content:
        """The content after the change."""
        return replace(
            before,
            type=changed(self.type, before.type),
            text=changed(self.text, before.text),
            options=changed(self.options, before.options),
            key=changed(self.key, before.key),
            explanation=changed(self.explanation, before.explanation),
            difficulty=changed(self.difficulty, before.difficulty),
            tags=changed(self.tags, before.tags),
            passage_id=changed(self.passage_id, before.passage_id),
            media=changed(self.media, before.media),
        )


async def page(
    reads: Reading, reader: Principal, wanted: QuestionFilter, request: PageRequest
) -> Page[Shown]:
    """The bank, narrowed down."""
    found = await reads.questions.page(reader.institute_id, wanted, request)
    return Page(await shown(reads, reader, found.items), found.next_cursor)


async def find(reads: Reading, reader: Principal, question_id: UUID) -> Shown:
    """One question with its current version."""
    return (await shown(reads, reader, [await _the(reads, reader, question_id)]))[0]


async def versions(reads: Reading, question: Question) -> Sequence[QuestionVersion]:
    """All that a question said, the newest first."""
    return await reads.questions.versions(question.id)


async def _the(reads: Reading, reader: Principal, question_id: UUID, *, lock: bool = False) -> Question:
    question = await reads.questions.get(reader.institute_id, question_id, lock=lock)
    if question is None:
        raise NotFound("question")
    return question


async def _to_change(uow: UnitOfWork, author: Principal, question_id: UUID) -> Question:
    """A question that nobody else changes meanwhile.

    One under embargo is for its team alone: whether a change makes a version tells what is right.
    """
    question = await _the(uow, author, question_id, lock=True)
    if await embargo.withheld(uow, author, [question_id]):
        raise Forbidden(
            "The question is in an exam that is not released; its test's author or an admin can change it."
        )
    return question


async def create(uow: UnitOfWork, author: Principal, place: Place, content: Content) -> Shown:
    """A new question in its first version."""
    content = await _checked(uow, author, place, content)
    question_id = uuid7()
    values = {
        "id": question_id,
        "institute_id": author.institute_id,
        "created_by": author.author_id,
        **_columns(place, content),
    }
    await uow.questions.add([values], [version_values(question_id, 1, content, author.author_id)])
    return await find(uow, author, question_id)


async def revise(uow: UnitOfWork, author: Principal, question_id: UUID, update: QuestionUpdate) -> Revised:
    """Change a question. A change of its content is stored as the next version."""
    question = await _to_change(uow, author, question_id)
    before = content_of(question.version)
    place = update.place(place_of(question))
    content = await _checked(uow, author, place, update.content(before))
    number = question.current_version
    if content != before:
        number += 1
        await uow.questions.add_versions([version_values(question.id, number, content, author.author_id)])
    if content.key != before.key:
        audit.record(uow, author, "change_key", AuditSubject("question", question.id), version=number)
    if content != before or place != place_of(question):
        values = {"id": question.id, "current_version": number, **_columns(place, content)}
        await uow.questions.change([values])
    now = await find(uow, author, question_id)
    kept = await uow.keys.kept_versions(embargo.reader(author), question_id)
    return Revised(now.question, now.withheld, [version for version in kept if version.number != number])


async def retire(uow: UnitOfWork, author: Principal, question_id: UUID) -> Shown:
    """Take a question out of use; papers that have it keep it. Again is harmless."""
    question = await _to_change(uow, author, question_id)
    await uow.questions.change([{"id": question.id, "status": "retired"}])
    return await find(uow, author, question_id)


def place_of(question: Question) -> Place:
    """Where a stored question stands."""
    return Place(
        subject_id=question.subject_id,
        chapter_id=question.chapter_id,
        source=question.source,
        external_id=question.external_id,
        status=question.status,
    )


def version_values(question_id: UUID, number: int, content: Content, actor_id: UUID | None) -> dict[str, Any]:
    """A row of `question_versions`."""
    return {
        "id": uuid7(),
        "question_id": question_id,
        "number": number,
        "created_by": actor_id,
        **content.values(),
    }


def _columns(place: Place, content: Content) -> dict[str, Any]:
    return {
        "subject_id": place.subject_id,
        "chapter_id": place.chapter_id,
        "source": place.source,
        "external_id": place.external_id,
        "status": place.status,
        "fingerprint": fingerprint(place.subject_id, content),
    }


async def _checked(uow: UnitOfWork, author: Principal, place: Place, content: Content) -> Content:
    """The content as it is stored, if everything about it and its place is right."""
    errors = problems_of(content, needs_key=place.status == "active")
    errors += await _place_problems(uow, author, place, content)
    if errors:
        raise Invalid("The question is not valid.", errors=errors)
    return content.normalized()


async def _place_problems(
    uow: UnitOfWork, author: Principal, place: Place, content: Content
) -> list[FieldError]:
    errors = await media.check_exist(uow, author.institute_id, content.media)
    if await uow.subjects.get(author.institute_id, place.subject_id) is None:
        errors.append(FieldError("subject_id", "There is no such subject."))
    elif place.chapter_id and not await uow.subjects.chapter(
        author.institute_id, place.subject_id, place.chapter_id
    ):
        errors.append(FieldError("chapter_id", "There is no such chapter in the subject."))
    if content.passage_id:
        errors += await _passage_problems(uow, author, place, content.passage_id)
    return errors


async def _passage_problems(
    uow: UnitOfWork, author: Principal, place: Place, passage_id: UUID
) -> list[FieldError]:
    await uow.questions.lock_passages_shared(author.institute_id, [passage_id])
    passage = (await uow.questions.passages(author.institute_id, [passage_id])).get(passage_id)
    if passage is None:
        return [FieldError("passage_id", "There is no such passage.")]
    if passage.is_retired and place.status != "retired":
        return [FieldError("passage_id", "The passage is retired. Bring it back, or name another one.")]
    return []
