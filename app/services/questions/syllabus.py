"""The syllabus in an import: subjects and chapters are found by name, and created if they are missing."""

from dataclasses import dataclass, field
from uuid import UUID

from app.core.ids import uuid7
from app.core.slugs import MAX_SLUG_LENGTH, slug_of
from app.models import Chapter, LocalizedText, Subject
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(slots=True)
class Syllabus:
    """All subjects and chapters of an institute. `made` are the new ones, which `save` writes."""

    institute_id: UUID
    subjects: list[Subject]
    chapters: list[Chapter]
    made: list[Subject | Chapter] = field(default_factory=list)

    @classmethod
    async def load(cls, uow: UnitOfWork, institute_id: UUID) -> "Syllabus":
        """Load the syllabus, and lock it: nothing of it is changed until the end of the transaction."""
        subjects = await uow.subjects.lock_all_shared(institute_id)
        return cls(institute_id, list(subjects), list(await uow.subjects.lock_chapters_shared(institute_id)))

    def subject(self, name: str) -> Subject:
        """The subject with this slug, with this name in any language, or with the slug of this name.

        If there is none, a new one is made.
        """
        for subject in self.subjects:
            if subject.slug == name:
                return subject
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
        """The chapter of the subject with this name, below `parent` if it is given.

        If there is none, a new one is made.
        """
        chapters = [chapter for chapter in self.chapters if chapter.subject_id == subject.id]
        for chapter in chapters:
            if chapter.slug == name and parent is None:
                return chapter
        for chapter in chapters:
            if _is_called(chapter.name, name) and parent in (None, self._parent(chapter)):
                return chapter
        slug = (
            slug_of(name) if parent is None else f"{parent.slug}-{slug_of(name)}"[:MAX_SLUG_LENGTH].strip("-")
        )
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
        """Write the new rows, subjects first."""
        for kind in (Subject, Chapter):
            uow.subjects.add(*(row for row in self.made if isinstance(row, kind)))
            await uow.subjects.flush()

    def _parent(self, chapter: Chapter) -> Chapter | None:
        return next((other for other in self.chapters if other.id == chapter.parent_id), None)


def _is_called(names: LocalizedText, name: str) -> bool:
    return name.casefold() in (text.casefold() for text in names.values())


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of subjects and chapters in an export. An import finds the same rows by them."""

    of_subjects: dict[UUID, str]
    of_chapters: dict[UUID, str]

    @classmethod
    async def load(cls, reads: Reading, institute_id: UUID) -> "Labels":
        """The labels of the current syllabus."""
        subjects = list(await reads.subjects.every(institute_id))
        chapters = list(await reads.subjects.every_chapter(institute_id))
        syllabus = Syllabus(institute_id, subjects, chapters)
        subject_of = {subject.id: subject for subject in subjects}
        return cls(
            {row.id: _label(row, syllabus.subject(_name(row))) for row in subjects},
            {
                row.id: _label(row, syllabus.chapter(subject_of[row.subject_id], _name(row)))
                for row in chapters
            },
        )

    def subject(self, subject_id: UUID) -> str:
        """The name of a subject, or its slug where another one has that name."""
        return self.of_subjects[subject_id]

    def chapter(self, chapter_id: UUID) -> str:
        """The name of a chapter, or its slug where another one of its subject has that name."""
        return self.of_chapters[chapter_id]


async def subject_named(reads: Reading, reader: Principal, name: str) -> UUID | None:
    """The subject that an import would find by this name; None if it would make a new one."""
    subjects = list(await reads.subjects.every(reader.institute_id))
    syllabus = Syllabus(reader.institute_id, subjects, [])
    found = syllabus.subject(name)
    return None if found in syllabus.made else found.id


def _label(row: Subject | Chapter, found: Subject | Chapter) -> str:
    return _name(row) if found is row else row.slug


def _name(row: Subject | Chapter) -> str:
    return row.name.get("en") or row.name[min(row.name)]
