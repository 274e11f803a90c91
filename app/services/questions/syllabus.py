"""The syllabus as an import sees it: found by name, and grown where a sheet names what is not there."""

from dataclasses import dataclass, field
from uuid import UUID

from app.core.ids import uuid7
from app.core.slugs import LONGEST_SLUG, slug_of
from app.models import Chapter, LocalizedText, Subject
from app.services.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Syllabus:
    """All subjects and chapters of an institute; what is `made` is written by `save` alone."""

    institute_id: UUID
    subjects: list[Subject]
    chapters: list[Chapter]
    made: list[Subject | Chapter] = field(default_factory=list)

    @classmethod
    async def load(cls, uow: UnitOfWork, institute_id: UUID) -> "Syllabus":
        """The syllabus as it stands; what is in it stays until the end of the transaction."""
        subjects = await uow.subjects.keep_all(institute_id)
        return cls(institute_id, list(subjects), list(await uow.subjects.keep_all_chapters(institute_id)))

    def subject(self, name: str) -> Subject:
        """The subject with this name, in any language, or this slug; else a new one."""
        for subject in self.subjects:
            if _is_called(subject.name, name):
                return subject
        slug = slug_of(name)
        for subject in self.subjects:
            if subject.slug == slug:
                return subject
        subject = Subject(
            id=uuid7(), institute_id=self.institute_id, slug=slug, name={"en": name}, position=0
        )
        self.subjects.append(subject)
        self.made.append(subject)
        return subject

    def chapter(self, subject: Subject, name: str, parent: Chapter | None = None) -> Chapter:
        """The chapter of the subject with this name, below the parent if there is one; else a new one."""
        chapters = [chapter for chapter in self.chapters if chapter.subject_id == subject.id]
        for chapter in chapters:
            if _is_called(chapter.name, name) and parent in (None, self._parent(chapter)):
                return chapter
        slug = slug_of(name) if parent is None else f"{parent.slug}-{slug_of(name)}"[:LONGEST_SLUG].strip("-")
        for chapter in chapters:
            if chapter.slug == slug:
                return chapter
        chapter = Chapter(
            id=uuid7(),
            subject_id=subject.id,
            parent_id=parent.id if parent else None,
            slug=slug,
            name={"en": name},
            position=0,
        )
        self.chapters.append(chapter)
        self.made.append(chapter)
        return chapter

    async def save(self, uow: UnitOfWork) -> None:
        """Write what was made, subjects first."""
        for kind in (Subject, Chapter):
            uow.subjects.add(*(row for row in self.made if isinstance(row, kind)))
            await uow.subjects.flush()

    def _parent(self, chapter: Chapter) -> Chapter | None:
        return next((other for other in self.chapters if other.id == chapter.parent_id), None)


def _is_called(names: LocalizedText, name: str) -> bool:
    return name.casefold() in (text.casefold() for text in names.values())
