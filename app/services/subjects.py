"""Subjects and chapters: the syllabus tree."""

from dataclasses import dataclass
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed
from app.core.errors import Invalid, NotFound
from app.core.ids import uuid7
from app.models import Chapter, LocalizedText, Subject
from app.repositories.base import Page, PageRequest
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class SubjectDraft:
    """The content of a new subject."""

    slug: str
    name: LocalizedText
    description: LocalizedText | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class ChapterDraft:
    """The content of a new chapter."""

    slug: str
    name: LocalizedText
    parent_id: UUID | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class SubjectUpdate:
    """What may change in a subject."""

    slug: str | Unchanged = UNCHANGED
    name: LocalizedText | Unchanged = UNCHANGED
    description: LocalizedText | Unchanged | None = UNCHANGED
    position: int | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class ChapterUpdate:
    """What may change in a chapter."""

    slug: str | Unchanged = UNCHANGED
    name: LocalizedText | Unchanged = UNCHANGED
    parent_id: UUID | Unchanged | None = UNCHANGED
    position: int | Unchanged = UNCHANGED


async def page(reads: Reading, reader: Principal, request: PageRequest) -> Page[Subject]:
    """The subjects of the reader's institute."""
    return await reads.subjects.page(reader.institute_id, request)


async def find(reads: Reading, reader: Principal, subject_id: UUID, *, lock: bool = False) -> Subject:
    """One subject."""
    subject = await reads.subjects.get(reader.institute_id, subject_id, lock=lock)
    if subject is None:
        raise NotFound("subject")
    return subject


async def chapters(
    reads: Reading, reader: Principal, subject_id: UUID, request: PageRequest
) -> Page[Chapter]:
    """The chapters of a subject."""
    await find(reads, reader, subject_id)
    return await reads.subjects.chapters(reader.institute_id, subject_id, request)


async def create(uow: UnitOfWork, author: Principal, draft: SubjectDraft) -> Subject:
    """A new subject."""
    subject = Subject(
        id=uuid7(),
        institute_id=author.institute_id,
        slug=draft.slug,
        name=draft.name,
        description=draft.description,
        position=draft.position,
    )
    uow.subjects.add(subject)
    await uow.subjects.flush()
    return subject


async def change(uow: UnitOfWork, author: Principal, subject_id: UUID, update: SubjectUpdate) -> Subject:
    """Change a subject."""
    subject = await find(uow, author, subject_id, lock=True)
    subject.slug = changed(update.slug, subject.slug)
    subject.name = changed(update.name, subject.name)
    subject.description = changed(update.description, subject.description)
    subject.position = changed(update.position, subject.position)
    await uow.subjects.flush()
    return subject


async def delete(uow: UnitOfWork, author: Principal, subject_id: UUID) -> None:
    """Delete a subject. Raises InUse if it has chapters, questions or tests."""
    await uow.subjects.delete(await find(uow, author, subject_id))


async def create_chapter(
    uow: UnitOfWork, author: Principal, subject_id: UUID, draft: ChapterDraft
) -> Chapter:
    """A new chapter of a subject."""
    subject = await find(uow, author, subject_id, lock=True)
    chapter = Chapter(
        id=uuid7(), subject_id=subject.id, slug=draft.slug, name=draft.name, position=draft.position
    )
    await _place(uow, chapter, draft.parent_id)
    uow.subjects.add(chapter)
    await uow.subjects.flush()
    return chapter


async def change_chapter(
    uow: UnitOfWork, author: Principal, subject_id: UUID, chapter_id: UUID, update: ChapterUpdate
) -> Chapter:
    """Change a chapter. A new `parent_id` moves it together with the chapters below it."""
    # Lock first: two concurrent moves, each of them valid, could create a cycle.
    await find(uow, author, subject_id, lock=True)
    chapter = await _find_chapter(uow, author, subject_id, chapter_id)
    if not isinstance(update.parent_id, Unchanged):
        await _place(uow, chapter, update.parent_id)
    chapter.slug = changed(update.slug, chapter.slug)
    chapter.name = changed(update.name, chapter.name)
    chapter.position = changed(update.position, chapter.position)
    await uow.subjects.flush()
    return chapter


async def delete_chapter(uow: UnitOfWork, author: Principal, subject_id: UUID, chapter_id: UUID) -> None:
    """Delete a chapter. Raises InUse if it has chapters or questions."""
    await find(uow, author, subject_id, lock=True)
    await uow.subjects.delete_chapter(await _find_chapter(uow, author, subject_id, chapter_id))


async def _find_chapter(reads: Reading, reader: Principal, subject_id: UUID, chapter_id: UUID) -> Chapter:
    chapter = await reads.subjects.chapter(reader.institute_id, subject_id, chapter_id)
    if chapter is None:
        raise NotFound("chapter")
    return chapter


async def _place(uow: UnitOfWork, chapter: Chapter, parent_id: UUID | None) -> None:
    """Set the parent. Raises Invalid if it is in another subject, or below the chapter itself."""
    parents = await uow.subjects.parents(chapter.subject_id)
    if parent_id is not None and parent_id not in parents:
        raise Invalid.field("parent_id", "There is no such chapter in this subject.")
    ancestor = parent_id
    while ancestor is not None:
        if ancestor == chapter.id:
            raise Invalid.field("parent_id", "A chapter cannot be below itself.")
        ancestor = parents[ancestor]
    chapter.parent_id = parent_id
