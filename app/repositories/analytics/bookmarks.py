"""Bookmarks of one person, as far as they may see the key of the question now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TEXT,
    Select,
    SQLColumnExpression,
    Uuid,
    cast,
    delete,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import LateralFromClause

from app.core.ids import uuid7
from app.models import (
    Attempt,
    AttemptStatus,
    Bookmark,
    Chapter,
    LocalizedText,
    Paper,
    PaperQuestion,
    Question,
    QuestionVersion,
    Subject,
    Test,
)
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.embargo import withholds_attempt
from app.repositories.tests import Viewer


@dataclass(frozen=True, slots=True)
class BookmarkedQuestion:
    """A bookmark with its question, as the latest attempt has it in which its review is open."""

    bookmark: Bookmark
    attempt_id: UUID
    test_id: UUID
    test_title: LocalizedText
    paper_version: int
    text: LocalizedText | None
    subject_id: UUID
    subject_name: LocalizedText
    chapter_id: UUID | None
    chapter_name: LocalizedText | None


class BookmarkRepository(Repository):
    """The bookmarks of one person. A question that they may not review at the moment is left out."""

    async def put(self, viewer: Viewer, question_id: UUID, note: str | None, now: datetime) -> None:
        """Add a bookmark, or replace its note. No effect if the viewer may not review it."""
        values = (
            literal(uuid7(now), Uuid),
            literal(viewer.user_id, Uuid),
            Question.id,
            literal(note, TEXT),
            literal(now),
            literal(now),
        )
        source = select(*values).where(
            Question.id == question_id, _reviewed(viewer, Question.id).with_only_columns(Attempt.id).exists()
        )
        names = ["id", "user_id", "question_id", "note", "created_at", "updated_at"]
        new = insert(Bookmark).from_select(names, source)
        changed = {"note": new.excluded.note, "updated_at": new.excluded.updated_at}
        differs = Bookmark.note.is_distinct_from(new.excluded.note)
        await self._session.execute(
            new.on_conflict_do_update(index_elements=["user_id", "question_id"], set_=changed, where=differs)
        )

    async def delete(self, user_id: UUID, question_id: UUID) -> None:
        """Delete a bookmark, if there is one."""
        mine = Bookmark.user_id == user_id, Bookmark.question_id == question_id
        await self._session.execute(delete(Bookmark).where(*mine))

    async def find(self, viewer: Viewer, question_id: UUID) -> BookmarkedQuestion | None:
        """One bookmark. None if there is none, or the viewer may not review the question."""
        one = _detailed(viewer).where(Bookmark.question_id == question_id)
        row = (await self._session.execute(one)).one_or_none()
        return BookmarkedQuestion(*row) if row is not None else None

    async def page(
        self, viewer: Viewer, subject_id: UUID | None, page: PageRequest
    ) -> Page[BookmarkedQuestion]:
        """The viewer's bookmarks, newest first."""
        shown = _shown(viewer)
        statement = (
            select(Bookmark.id)
            .join(Question, Question.id == Bookmark.question_id)
            .join(shown, true())
            .where(Bookmark.user_id == viewer.user_id)
        )
        if subject_id is not None:
            statement = statement.where(Question.subject_id == subject_id)
        ids: Page[UUID] = await self._page(statement, [Bookmark.id], page, descending=True)
        return Page(await self._listed(viewer, ids.items), ids.next_cursor)

    async def _listed(self, viewer: Viewer, ids: Sequence[UUID]) -> Sequence[BookmarkedQuestion]:
        statement = _detailed(viewer).where(Bookmark.id.in_(ids)).order_by(Bookmark.id.desc())
        return [BookmarkedQuestion(*row) for row in await self._session.execute(statement)]


def _detailed(viewer: Viewer) -> Select[Any]:
    """The viewer's bookmarks with the columns of `BookmarkedQuestion`."""
    shown = _shown(viewer)
    return (
        select(
            Bookmark,
            shown.c.id,
            shown.c.test_id,
            shown.c.title,
            shown.c.version,
            QuestionVersion.text,
            Subject.id,
            Subject.name,
            Chapter.id,
            Chapter.name,
        )
        .join(Question, Question.id == Bookmark.question_id)
        .join(Subject, Subject.id == Question.subject_id)
        .outerjoin(Chapter, Chapter.id == Question.chapter_id)
        .join(shown, true())
        .outerjoin(QuestionVersion, QuestionVersion.id == shown.c.version_id)
        .where(Bookmark.user_id == viewer.user_id)
        .execution_options(populate_existing=True)
    )


def _shown(viewer: Viewer) -> LateralFromClause:
    """The latest attempt in which the viewer may review the bookmarked question."""
    place = cast(PaperQuestion.position - 1, TEXT)
    version = func.jsonb_extract_path_text(Paper.rules, "questions", place, "version_id")
    return (
        _reviewed(viewer, Bookmark.question_id)
        .add_columns(Paper.title, Paper.version, cast(version, Uuid).label("version_id"))
        .order_by(Attempt.id.desc())
        .limit(1)
        .lateral("shown")
    )


def _reviewed(viewer: Viewer, question_id: SQLColumnExpression[UUID]) -> Select[UUID, UUID]:
    """The viewer's attempts with this question whose review is open.

    They are graded, not withheld, and the test has a review. `after_release` needs no condition of its own:
    an attempt at a test that waits for a release is withheld.
    """
    return (
        select(Attempt.id, Attempt.test_id)
        .select_from(PaperQuestion)
        .join(Paper, Paper.id == PaperQuestion.paper_id)
        .join(Test, Test.id == Paper.test_id)
        .join(Attempt, Attempt.paper_id == Paper.id)
        .where(
            PaperQuestion.question_id == question_id,
            Attempt.user_id == viewer.user_id,
            Attempt.test_id == Test.id,
            Attempt.status == AttemptStatus.GRADED,
            Test.institute_id == viewer.institute_id,
            Test.review != "never",
            ~withholds_attempt(viewer.reader),
        )
    )
