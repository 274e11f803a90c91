"""Bookmarks of questions with notes. Only a question whose key the person may see can have one."""

from datetime import datetime
from uuid import UUID

from app.core.errors import NotFound
from app.repositories.analytics.bookmarks import BookmarkedQuestion
from app.repositories.base import Page, PageRequest
from app.services import tests
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


async def put(
    uow: UnitOfWork, user: Principal, question_id: UUID, note: str | None, now: datetime
) -> BookmarkedQuestion:
    """Bookmark a question, or replace the note. Raises NotFound if the user may not review the question."""
    viewer = tests.viewer(user)
    await uow.bookmarks.put(viewer, question_id, note, now)
    found = await uow.bookmarks.find(viewer, question_id)
    if found is None:
        raise NotFound("question")
    return found


async def remove(uow: UnitOfWork, user: Principal, question_id: UUID) -> None:
    """Remove a bookmark. Without an effect if there is none."""
    await uow.bookmarks.delete(user.id, question_id)


async def page(
    reads: Reading, user: Principal, subject_id: UUID | None, request: PageRequest
) -> Page[BookmarkedQuestion]:
    """The user's bookmarks, newest first, of questions that they may review now."""
    return await reads.bookmarks.page(tests.viewer(user), subject_id, request)
