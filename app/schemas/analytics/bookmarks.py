"""Bookmarks of questions."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from app.repositories.analytics.bookmarks import BookmarkedQuestion
from app.schemas.common import SEVERAL_LINES, In, LocalizedText, Named, Out

MAX_NOTE_LENGTH = 2_000
Note = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_LENGTH), SEVERAL_LINES]


class BookmarkIn(In):
    """A bookmark. It has this note, or none."""

    note: Annotated[Note | None, Field(examples=["Ask the teacher about option c."])] = None


class TestOfBookmarkOut(Out):
    """The test in which you can review the question, with the title of the paper that you took."""

    __test__ = False

    id: UUID
    title: LocalizedText


class BookmarkOut(Out):
    """A bookmarked question.

    `attempt_id` is your latest attempt in which the review of the question is open. `text` is that of the
    paper of this attempt, or null if the paper is older than the texts that are kept. Key and explanation are
    in the results of the attempt.
    """

    question_id: UUID
    note: str | None
    text: LocalizedText | None
    subject: Named
    chapter: Named | None
    test: TestOfBookmarkOut
    attempt_id: UUID
    paper_version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, found: BookmarkedQuestion) -> Self:
        """A bookmark with its question."""
        chapter = None
        if found.chapter_id is not None and found.chapter_name is not None:
            chapter = Named(id=found.chapter_id, name=found.chapter_name)
        return cls(
            question_id=found.bookmark.question_id,
            note=found.bookmark.note,
            text=found.text,
            subject=Named(id=found.subject_id, name=found.subject_name),
            chapter=chapter,
            test=TestOfBookmarkOut(id=found.test_id, title=found.test_title),
            attempt_id=found.attempt_id,
            paper_version=found.paper_version,
            created_at=found.bookmark.created_at,
            updated_at=found.bookmark.updated_at,
        )
