"""Subjects and chapters: the syllabus tree."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Delete, delete, select

from app.models import Chapter, Subject
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank
from app.repositories.violations import violations_told


class SubjectRepository(Repository):
    """Subjects and chapters of one institute."""

    async def page(self, institute_id: UUID, page: PageRequest) -> Page[Subject]:
        """Subjects in their syllabus order."""
        statement = select(Subject).where(Subject.institute_id == institute_id)
        return await self._page(statement, [Subject.position, Subject.id], page)

    async def every(self, institute_id: UUID) -> Sequence[Subject]:
        """Every subject, the oldest first."""
        statement = select(Subject).where(Subject.institute_id == institute_id).order_by(Subject.id)
        return (await self._session.scalars(statement)).all()

    async def every_chapter(self, institute_id: UUID) -> Sequence[Chapter]:
        """Every chapter of every subject, the oldest first."""
        statement = (
            select(Chapter)
            .join(Subject, Subject.id == Chapter.subject_id)
            .where(Subject.institute_id == institute_id)
            .order_by(Chapter.id)
        )
        return (await self._session.scalars(statement)).all()

    async def lock_all_shared(self, institute_id: UUID) -> Sequence[Subject]:
        """Lock all subjects against deletion and return them, the oldest first."""
        statement = select(Subject).where(Subject.institute_id == institute_id).order_by(Subject.id)
        return (await self._lock(Rank.SUBJECT, Mode.KEEP, statement)).all()

    async def get(self, institute_id: UUID, subject_id: UUID, *, lock: bool = False) -> Subject | None:
        """One subject; with `lock` nobody else changes it or moves its chapters meanwhile."""
        statement = select(Subject).where(Subject.institute_id == institute_id, Subject.id == subject_id)
        if lock:
            return (await self._lock(Rank.SUBJECT, Mode.CHANGE, statement)).one_or_none()
        return (await self._session.scalars(statement)).one_or_none()

    async def chapters(self, institute_id: UUID, subject_id: UUID, page: PageRequest) -> Page[Chapter]:
        """Chapters of a subject in their syllabus order, whatever their depth."""
        statement = (
            select(Chapter)
            .join(Subject, Subject.id == Chapter.subject_id)
            .where(Subject.institute_id == institute_id, Chapter.subject_id == subject_id)
        )
        return await self._page(statement, [Chapter.position, Chapter.id], page)

    async def lock_chapters_shared(self, institute_id: UUID) -> Sequence[Chapter]:
        """Lock all chapters against deletion and return them, the oldest first."""
        statement = (
            select(Chapter)
            .join(Subject, Subject.id == Chapter.subject_id)
            .where(Subject.institute_id == institute_id)
            .order_by(Chapter.id)
        )
        return (await self._lock(Rank.CHAPTER, Mode.KEEP, statement, of=Chapter)).all()

    async def chapter(self, institute_id: UUID, subject_id: UUID, chapter_id: UUID) -> Chapter | None:
        """One chapter of this subject."""
        statement = (
            select(Chapter)
            .join(Subject, Subject.id == Chapter.subject_id)
            .where(
                Subject.institute_id == institute_id,
                Chapter.subject_id == subject_id,
                Chapter.id == chapter_id,
            )
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def parents(self, subject_id: UUID) -> dict[UUID, UUID | None]:
        """The shape of the tree: each chapter's parent."""
        statement = select(Chapter.id, Chapter.parent_id).where(Chapter.subject_id == subject_id)
        return dict(iter(await self._session.execute(statement)))

    def add(self, *rows: Subject | Chapter) -> None:
        """New rows, written with the next `flush`."""
        self._session.add_all(rows)

    async def flush(self) -> None:
        """Write what was added and changed. Raises AlreadyExists for a slug that is taken."""
        with violations_told():
            await self._session.flush()

    async def delete(self, subject: Subject) -> None:
        """Delete a subject. Raises InUse while something belongs to it."""
        await self._delete(delete(Subject).where(Subject.id == subject.id))

    async def delete_chapter(self, chapter: Chapter) -> None:
        """Delete a chapter. Raises InUse while something belongs to it."""
        await self._delete(delete(Chapter).where(Chapter.id == chapter.id))

    async def _delete(self, statement: Delete) -> None:
        with violations_told():
            await self._session.execute(statement)
