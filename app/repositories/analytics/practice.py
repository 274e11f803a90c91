"""The questions that a person may practise, and their open practice tests (docs/decisions/0069)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Uuid, and_, any_, exists, func, literal, select, union
from sqlalchemy.dialects.postgresql import ARRAY

from app.models import (
    Attempt,
    AttemptStatus,
    LocalizedText,
    Paper,
    PaperQuestion,
    Question,
    QuestionVersion,
    Test,
)
from app.repositories.attempts import RUNNING
from app.repositories.base import Repository
from app.repositories.embargo import held_questions, shows_results
from app.repositories.tests import Viewer
from app.repositories.tests.tests import may_access

MAX_QUESTIONS = 500
MOCK_KINDS = ("full", "sectional")
"""Tests of these kinds are practised after they were taken."""


@dataclass(frozen=True, slots=True)
class PracticeFilter:
    """Which questions to read. None does not filter."""

    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    question_ids: Collection[UUID] | None = None


@dataclass(frozen=True, slots=True)
class PracticeQuestion:
    """A question that may be practised, in its current version."""

    id: UUID
    subject_id: UUID
    chapter_id: UUID | None
    type: str
    label: str | None
    """The author's difficulty."""
    text: LocalizedText


class PracticeRepository(Repository):
    """Questions for practice tests of one person."""

    async def count_open(self, user_id: UUID, now: datetime) -> int:
        """How many practice tests the person has that have not expired and were never started."""
        started = exists().where(Attempt.test_id == Test.id)
        statement = select(func.count(Test.id)).where(
            Test.owner_id == user_id, Test.available_until > now, ~started
        )
        return (await self._session.scalar(statement)) or 0

    async def questions(
        self, viewer: Viewer, wanted: PracticeFilter, now: datetime
    ) -> Sequence[PracticeQuestion]:
        """Questions that the person may practise now: first those never seen, then those seen longest ago."""
        seen = (
            select(func.max(Attempt.started_at))
            .join(PaperQuestion, PaperQuestion.paper_id == Attempt.paper_id)
            .where(Attempt.user_id == viewer.user_id, PaperQuestion.question_id == Question.id)
            .correlate(Question)
            .scalar_subquery()
        )
        current = and_(
            QuestionVersion.question_id == Question.id, QuestionVersion.number == Question.current_version
        )
        statement = (
            select(
                Question.id,
                Question.subject_id,
                Question.chapter_id,
                QuestionVersion.type,
                QuestionVersion.difficulty,
                QuestionVersion.text,
            )
            .join(QuestionVersion, current)
            .where(*_conditions(viewer, wanted, now))
            .order_by(seen.nulls_first(), func.random())
            .limit(MAX_QUESTIONS)
        )
        return [PracticeQuestion(*row) for row in await self._session.execute(statement)]


def _conditions(viewer: Viewer, wanted: PracticeFilter, now: datetime) -> list[ColumnElement[bool]]:
    """The questions of the papers in question, as far as nothing withholds them from the person."""
    running = (
        select(PaperQuestion.question_id)
        .join(Attempt, Attempt.paper_id == PaperQuestion.paper_id)
        .where(Attempt.user_id == viewer.user_id, Attempt.status.in_(RUNNING))
    )
    candidate = _as_candidate(viewer)
    of_papers = select(PaperQuestion.question_id).where(PaperQuestion.paper_id.in_(_papers(viewer, now)))
    conditions = [
        Question.institute_id == viewer.institute_id,
        Question.status == "active",
        Question.id.in_(of_papers),
        Question.id.not_in(running),
        Question.id.not_in(held_questions(candidate.reader)),
    ]
    if viewer.is_staff:
        conditions.append(Question.id.not_in(held_questions(viewer.reader)))
    if wanted.subject_id is not None:
        conditions.append(Question.subject_id == wanted.subject_id)
    if wanted.chapter_id is not None:
        conditions.append(Question.chapter_id == wanted.chapter_id)
    if wanted.question_ids is not None:
        conditions.append(Question.id == any_(literal(list(wanted.question_ids), ARRAY(Uuid))))
    return conditions


def _papers(viewer: Viewer, now: datetime) -> CompoundSelect[UUID]:
    """Papers whose questions the person may see reviewed, now or after taking the test.

    A practice test is reviewed after the submit. So a test that the person has not taken counts only if it is
    reviewed after the submit too, and if it is no mock test: nobody may learn the keys of a mock test before
    the attempt that ranks them. A test that is never reviewed does not count.
    """
    candidate = _as_candidate(viewer)
    offered = (
        select(Paper.id)
        .join(Test, and_(Test.id == Paper.test_id, Test.paper_version == Paper.version))
        .where(
            may_access(candidate, now),
            ~Test.is_personal,
            Test.review == "after_submit",
            Test.kind.not_in(MOCK_KINDS),
        )
    )
    reviewed = (
        select(Attempt.paper_id)
        .join(Test, Test.id == Attempt.test_id)
        .where(
            Attempt.user_id == viewer.user_id,
            Attempt.status == AttemptStatus.GRADED,
            Test.institute_id == viewer.institute_id,
            Test.review != "never",
            shows_results(candidate.reader),
        )
    )
    return union(offered, reviewed)


def _as_candidate(viewer: Viewer) -> Viewer:
    """Staff practise what candidates may: drafts and withheld questions are not for practice."""
    return replace(viewer, is_staff=False, is_admin=False)
