"""Subjects and chapters: the syllabus tree."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Delete, Uuid, bindparam, delete, select

from app.models import Chapter, Subject
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank
from app.repositories.violations import translate_violations

# Kept, because to build a statement and the key of SQLAlchemy's cache takes longer than PostgreSQL's part.
_INSTITUTE = bindparam("institute_id", type_=Uuid)
_SUBJECTS = select(Subject).where(Subject.institute_id == _INSTITUTE).order_by(Subject.id)
_CHAPTERS = (
    select(Chapter)
    .join(Subject, Subject.id == Chapter.subject_id)
    .where(Subject.institute_id == _INSTITUTE)
    .order_by(Chapter.id)
)


class SubjectRepository(Repository):
    """Subjects and chapters of one institute."""

    async def page(self, institute_id: UUID, page: PageRequest) -> Page[Subject]:
        """Subjects in their syllabus order."""
        statement = select(Subject).where(Subject.institute_id == institute_id)
        return await self._page(statement, [Subject.position, Subject.id], page)

    async def every(self, institute_id: UUID) -> Sequence[Subject]:
        """All subjects, oldest first."""
        return (await self._session.scalars(_SUBJECTS, {"institute_id": institute_id})).all()

    async def every_chapter(self, institute_id: UUID) -> Sequence[Chapter]:
        """All chapters of all subjects, oldest first."""
        return (await self._session.scalars(_CHAPTERS, {"institute_id": institute_id})).all()

    async def lock_all_shared(self, institute_id: UUID) -> Sequence[Subject]:
        """Lock all subjects against deletion and return them, the oldest first."""
        statement = select(Subject).where(Subject.institute_id == institute_id).order_by(Subject.id)
        return (await self._lock(Rank.SUBJECT, Mode.KEY_SHARE, statement)).all()

    async def get(self, institute_id: UUID, subject_id: UUID, *, lock: bool = False) -> Subject | None:
        """One subject. `lock` prevents changes to it and to its chapters by other transactions."""
        statement = select(Subject).where(Subject.institute_id == institute_id, Subject.id == subject_id)
        if lock:
            return (await self._lock(Rank.SUBJECT, Mode.CHANGE, statement)).one_or_none()
        return (await self._session.scalars(statement)).one_or_none()

    async def chapters(self, institute_id: UUID, subject_id: UUID, page: PageRequest) -> Page[Chapter]:
        """Chapters of a subject at all depths, in their syllabus order."""
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
        return (await self._lock(Rank.CHAPTER, Mode.KEY_SHARE, statement, of=Chapter)).all()

    async def chapter(self, institute_id: UUID, subject_id: UUID, chapter_id: UUID) -> Chapter | None:
        """One chapter of the subject."""
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
        """The parent of each chapter of a subject."""
        statement = select(Chapter.id, Chapter.parent_id).where(Chapter.subject_id == subject_id)
        return dict(iter(await self._session.execute(statement)))

    def add(self, *rows: Subject | Chapter) -> None:
        """Add new rows. The next `flush` inserts them."""
        self._session.add_all(rows)

    async def flush(self) -> None:
        """Send pending changes to the database. Raises AlreadyExists if a slug is in use."""
        with translate_violations():
            await self._session.flush()

    async def delete(self, subject: Subject) -> None:
        """Delete a subject. Raises InUse if other rows refer to it."""
        await self._delete(delete(Subject).where(Subject.id == subject.id))

    async def delete_chapter(self, chapter: Chapter) -> None:
        """Delete a chapter. Raises InUse if other rows refer to it."""
        await self._delete(delete(Chapter).where(Chapter.id == chapter.id))

    async def _delete(self, statement: Delete) -> None:
        with translate_violations():
            await self._session.execute(statement)
