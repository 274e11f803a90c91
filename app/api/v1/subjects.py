"""Subjects and chapters over HTTP."""

from uuid import UUID

from fastapi import status

from app.api.deps import CurrentAuthor, CurrentUser, Now, Paging, Reads, ReadsWithLag, Uow
from app.api.idempotency import OnceUow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import AlreadyExists, InUse, Invalid, NotFound
from app.schemas.analytics.progress import SubjectProgressOut
from app.schemas.common import PageOut
from app.schemas.subjects import ChapterChanges, ChapterIn, ChapterOut, SubjectChanges, SubjectIn, SubjectOut
from app.services import subjects
from app.services.analytics import progress

router = PrefixRouter(prefix="/subjects", tags=["subjects"])


@router.get("", responses=problems(Invalid))
async def list_subjects(reads: ReadsWithLag, reader: CurrentUser, paging: Paging) -> PageOut[SubjectOut]:
    """All subjects, ordered by `position`."""
    return PageOut[SubjectOut].model_validate(await subjects.page(reads, reader, paging))


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(AlreadyExists, Invalid))
async def create_subject(body: SubjectIn, author: CurrentAuthor, uow: OnceUow) -> SubjectOut:
    """Create a subject. Its `slug` is unique."""
    return SubjectOut.model_validate(await subjects.create(uow, author, body.draft()))


@router.get("/{subject_id}", responses=problems(NotFound))
async def read_subject(subject_id: UUID, reads: Reads, reader: CurrentUser) -> SubjectOut:
    """One subject."""
    return SubjectOut.model_validate(await subjects.find(reads, reader, subject_id))


@router.patch("/{subject_id}", responses=problems(NotFound, AlreadyExists, Invalid))
async def change_subject(
    subject_id: UUID, body: SubjectChanges, author: CurrentAuthor, uow: Uow
) -> SubjectOut:
    """Change the given fields. `name` and `description` are replaced in all languages."""
    return SubjectOut.model_validate(await subjects.change(uow, author, subject_id, body.changes()))


@router.delete("/{subject_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(NotFound, InUse))
async def delete_subject(subject_id: UUID, author: CurrentAuthor, uow: Uow) -> None:
    """Delete a subject that has no chapter, question or test."""
    await subjects.delete(uow, author, subject_id)


@router.get("/{subject_id}/chapters", responses=problems(NotFound, Invalid))
async def list_chapters(
    subject_id: UUID, reads: ReadsWithLag, reader: CurrentUser, paging: Paging
) -> PageOut[ChapterOut]:
    """All chapters of a subject, ordered by `position`. Build the tree from `parent_id`."""
    return PageOut[ChapterOut].model_validate(await subjects.chapters(reads, reader, subject_id, paging))


@router.get("/{subject_id}/progress", responses=problems(NotFound))
async def read_subject_progress(
    subject_id: UUID, reads: Reads, user: CurrentUser, now: Now
) -> SubjectProgressOut:
    """Your progress in a subject, by chapter, ordered by `position`.

    The rules are those of `GET /users/progress`. A chapter's figures do not include the chapters below it:
    add these up by `parent_id`. `tests` counts the subject's own tests; its questions may be in other tests
    too.
    """
    return SubjectProgressOut.of(await progress.of_subject(reads, user, subject_id, now))


@router.post(
    "/{subject_id}/chapters",
    status_code=status.HTTP_201_CREATED,
    responses=problems(NotFound, AlreadyExists, Invalid),
)
async def create_chapter(
    subject_id: UUID, body: ChapterIn, author: CurrentAuthor, uow: OnceUow
) -> ChapterOut:
    """Create a chapter. Its `slug` is unique within the subject."""
    return ChapterOut.model_validate(await subjects.create_chapter(uow, author, subject_id, body.draft()))


@router.patch("/{subject_id}/chapters/{chapter_id}", responses=problems(NotFound, AlreadyExists, Invalid))
async def change_chapter(
    subject_id: UUID, chapter_id: UUID, body: ChapterChanges, author: CurrentAuthor, uow: Uow
) -> ChapterOut:
    """Change the given fields. A new `parent_id` moves the chapter together with the chapters below it."""
    chapter = await subjects.change_chapter(uow, author, subject_id, chapter_id, body.changes())
    return ChapterOut.model_validate(chapter)


@router.delete(
    "/{subject_id}/chapters/{chapter_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, InUse),
)
async def delete_chapter(subject_id: UUID, chapter_id: UUID, author: CurrentAuthor, uow: Uow) -> None:
    """Delete a chapter that has no question and no chapter below it."""
    await subjects.delete_chapter(uow, author, subject_id, chapter_id)
