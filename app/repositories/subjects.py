"""Subjects and chapters: the syllabus tree."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Delete, delete, select
from sqlalchemy.exc import IntegrityError

from app.core.errors import AlreadyExists, InUse
from app.models import Chapter, Subject
from app.repositories.base import Page, PageRequest, Repository, violated_constraint
from app.repositories.locks import Mode, Rank

_TAKEN = {
    "uq_subjects_institute_id_slug": "Another subject has this slug.",
    "uq_chapters_subject_id_slug": "Another chapter of the subject has this slug.",
}
_USERS = {
    "fk_chapters_subject_id": "The subject still has chapters.",
    "fk_questions_subject_id": "The subject still has questions.",
    "fk_tests_subject_id": "The subject still has tests.",
    "fk_chapters_parent_id": "The chapter still has chapters of its own.",
    "fk_questions_chapter_id": "The chapter still has questions.",
}


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

    async def keep_all(self, institute_id: UUID) -> Sequence[Subject]:
        """Every subject, the oldest first; none of them can be deleted meanwhile."""
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

    async def keep_all_chapters(self, institute_id: UUID) -> Sequence[Chapter]:
        """Every chapter of every subject, the oldest first; none of them can be deleted meanwhile."""
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
        try:
            await self._session.flush()
        except IntegrityError as error:
            if sentence := _TAKEN.get(violated_constraint(error) or ""):
                raise AlreadyExists(sentence) from error
            raise

    async def delete(self, subject: Subject) -> None:
        """Delete a subject. Raises InUse while something belongs to it."""
        await self._delete(delete(Subject).where(Subject.id == subject.id))

    async def delete_chapter(self, chapter: Chapter) -> None:
        """Delete a chapter. Raises InUse while something belongs to it."""
        await self._delete(delete(Chapter).where(Chapter.id == chapter.id))

    async def _delete(self, statement: Delete) -> None:
        try:
            await self._session.execute(statement)
        except IntegrityError as error:
            if sentence := _USERS.get(violated_constraint(error) or ""):
                raise InUse(sentence) from error
            raise
