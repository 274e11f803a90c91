"""Bookmarks over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, Response

from app.api.deps import CurrentUser, Now, Paging, Reads, Uow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Invalid, NotFound
from app.schemas.analytics.bookmarks import BookmarkIn, BookmarkOut
from app.schemas.common import PageOut
from app.services.analytics import bookmarks

router = PrefixRouter(prefix="/users/bookmarks", tags=["users"])


@router.get("", responses=problems(Invalid))
async def list_bookmarks(
    user: CurrentUser,
    reads: Reads,
    paging: Paging,
    subject_id: Annotated[UUID | None, Query(description="Questions of this subject")] = None,
) -> PageOut[BookmarkOut]:
    """Your bookmarks, newest first.

    A question that you may no longer review is left out; its bookmark is kept. For example, an exam withholds
    its questions until it is released or cancelled.
    """
    page = await bookmarks.page(reads, user, subject_id, paging)
    return PageOut(items=[BookmarkOut.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.put("/{question_id}", responses=problems(Invalid, NotFound))
async def put_bookmark(
    question_id: UUID,
    user: CurrentUser,
    uow: Uow,
    now: Now,
    body: Annotated[BookmarkIn | None, Body()] = None,
) -> BookmarkOut:
    """Bookmark a question, or replace the note of its bookmark. Without `note` the bookmark has none.

    No body is the same as `{}`.

    A question can be bookmarked once you may review it: it is in a graded attempt of yours, and the results
    of that attempt show its key. Otherwise the answer is 404.
    """
    note = (body or BookmarkIn()).note
    return BookmarkOut.of(await bookmarks.put(uow, user, question_id, note, now))


@router.delete("/{question_id}", status_code=204)
async def delete_bookmark(question_id: UUID, user: CurrentUser, uow: Uow) -> Response:
    """Remove a bookmark. Removing one that does not exist has no effect."""
    await bookmarks.remove(uow, user, question_id)
    return Response(status_code=204)
