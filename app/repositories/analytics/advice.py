"""What recommendations are made from: a candidate's ratings, what is on offer, and what was dismissed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Select, Uuid, and_, any_, bindparam, exists, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import aliased

from app.models import (
    Attempt,
    AttemptStatus,
    CandidateRating,
    ChapterAnswers,
    Dismissal,
    LocalizedText,
    Paper,
    PaperQuestion,
    Question,
    SubjectRating,
    Test,
)
from app.repositories.base import Repository
from app.repositories.embargo import Reader, hides_test
from app.repositories.tests import Viewer
from app.repositories.tests.tests import is_open

MAX_TESTS = 20

# Kept, because to build a statement and the key of SQLAlchemy's cache takes longer than PostgreSQL's part.
_USER = bindparam("user_id", type_=Uuid)
_PLACE = PaperQuestion.paper_id, Question.subject_id, Question.chapter_id
_RATING = select(CandidateRating).where(CandidateRating.user_id == _USER)
_SUBJECT_RATINGS = select(SubjectRating).where(SubjectRating.user_id == _USER)
_CHAPTER_ANSWERS = select(ChapterAnswers).where(ChapterAnswers.user_id == _USER)
_DISMISSALS = select(Dismissal.recommendation_id, Dismissal.until_evidence).where(Dismissal.user_id == _USER)
_PLACES = (
    select(*_PLACE, func.count())
    .join(Question, Question.id == PaperQuestion.question_id)
    .where(PaperQuestion.paper_id == any_(bindparam("papers", type_=ARRAY(Uuid))))
    .group_by(*_PLACE)
)


@dataclass(frozen=True, slots=True)
class TestOnOffer:
    """A published test that the candidate may take."""

    __test__ = False

    id: UUID
    title: LocalizedText
    kind: str
    version: int
    paper_id: UUID
    duration_seconds: int
    marking: Mapping[str, Any]
    was_taken: bool


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """How many questions of a paper belong to a subject and a chapter."""

    paper_id: UUID
    subject_id: UUID
    chapter_id: UUID | None
    questions: int


@dataclass(frozen=True, slots=True)
class KnownRatings:
    """The ratings and counts of one candidate. They rest on attempts that were shown to the candidate."""

    candidate: CandidateRating | None
    subjects: Mapping[UUID, SubjectRating]
    chapters: Mapping[UUID, ChapterAnswers]


class AdviceRepository(Repository):
    """Rows for the recommendations of one candidate."""

    async def ratings(self, user_id: UUID) -> KnownRatings:
        """The candidate's ratings."""
        own = {"user_id": user_id}
        candidate = await self._session.scalar(_RATING, own)
        subjects = await self._session.scalars(_SUBJECT_RATINGS, own)
        chapters = await self._session.scalars(_CHAPTER_ANSWERS, own)
        return KnownRatings(
            candidate,
            {row.subject_id: row for row in subjects},
            {row.chapter_id: row for row in chapters},
        )

    async def tests(self, viewer: Viewer, now: datetime) -> Sequence[TestOnOffer]:
        """The newest tests that the candidate may take, and has or has not taken."""
        values = {
            "user_id": viewer.user_id,
            "institute_id": viewer.institute_id,
            "enrolled": viewer.enrolled,
            "now": now,
        }
        statement = _newest_tests(viewer.reader)
        return [TestOnOffer(*row) for row in await self._session.execute(statement, values)]

    async def places(self, paper_ids: Collection[UUID]) -> Sequence[PlaceCount]:
        """How the questions of papers are spread over the syllabus."""
        rows = await self._session.execute(_PLACES, {"papers": list(paper_ids)})
        return [PlaceCount(*row) for row in rows]

    async def dismissals(self, user_id: UUID) -> Mapping[UUID, int]:
        """For each dismissed recommendation, the evidence from which it is shown again."""
        return dict((await self._session.execute(_DISMISSALS, {"user_id": user_id})).all())

    async def dismiss(
        self, user_id: UUID, recommendation_id: UUID, until_evidence: int, now: datetime
    ) -> None:
        """Dismiss a recommendation. The second time changes nothing."""
        values = {
            "user_id": user_id,
            "recommendation_id": recommendation_id,
            "until_evidence": until_evidence,
            "dismissed_at": now,
        }
        new = insert(Dismissal).values(values)
        await self._session.execute(
            new.on_conflict_do_update(
                index_elements=["user_id", "recommendation_id"],
                set_={"until_evidence": until_evidence, "dismissed_at": now},
                where=Dismissal.until_evidence < until_evidence,
            )
        )


@lru_cache(maxsize=32)
def _newest_tests(reader: Reader) -> Select[*tuple[Any, ...]]:
    """The newest tests that `:user_id` of `:institute_id` may take at `:now`; `:enrolled` tells of access.

    OFFSET 0 keeps PostgreSQL from asking the embargo before it has chosen the tests.
    """
    now = bindparam("now", type_=Test.available_from.type)
    newest = (
        select(Test)
        .where(
            Test.institute_id == bindparam("institute_id", type_=Uuid),
            Test.status == "published",
            Test.kind != "practice",
            true() if reader.is_staff else is_open(now, bindparam("enrolled", type_=Boolean)),
        )
        .order_by(Test.id.desc())
        .offset(0)
        .subquery()
    )
    offered = aliased(Test, newest)
    taken = exists().where(
        Attempt.test_id == offered.id,
        Attempt.user_id == bindparam("user_id", type_=Uuid),
        Attempt.status != AttemptStatus.VOID,
    )
    return (
        select(
            offered.id,
            Paper.title,
            offered.kind,
            Paper.version,
            Paper.id.label("paper_id"),
            Paper.duration_seconds,
            Paper.marking,
            taken.label("was_taken"),
        )
        .join(Paper, and_(Paper.test_id == offered.id, Paper.version == offered.paper_version))
        .where(~hides_test(reader, offered))
        .order_by(offered.id.desc())
        .limit(MAX_TESTS)
    )
