"""A person's own attempts, and how much of the syllabus they cover."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on

from app.engine.grading import LETTERS
from app.engine.scores import Score
from app.engine.scoring import Outcome
from app.models import (
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    LocalizedText,
    LoggedEvent,
    Paper,
    PaperQuestion,
    Question,
    Result,
    Test,
)
from app.repositories.attempts import AnswerCounts, AttemptReviewRepository
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.embargo import Reader, is_placed, withholds_attempt
from app.repositories.scores import score_of
from app.repositories.tests import Viewer, may_access

Place = tuple[UUID, UUID | None]
"""Where a question stands in the syllabus: its subject, and its chapter if it has one."""


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """What a list of attempts is narrowed to."""

    test_id: UUID | None = None
    statuses: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ListedAttempt:
    """An attempt as its candidate sees it in a list; `score` is None where there is none to be seen."""

    attempt: Attempt
    status: str
    title: LocalizedText
    kind: str
    rounding: str
    score: Score | None
    counts: AnswerCounts
    exam_id: UUID | None = None
    exam_title: LocalizedText | None = None
    exam_paper_code: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """When an attempt that counts began and ended, and who ended it."""

    practice: bool
    started_at: datetime
    submitted_at: datetime
    closed_by: str


@dataclass(frozen=True, slots=True)
class TestCounts:
    """Tests that a person has taken, and those that they may take now: a test can be both, or one of them."""

    __test__ = False

    taken: int = 0
    available: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """Questions, each counted once. `total` are the seen ones, with those to come where a method says so."""

    total: int = 0
    seen: int = 0
    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    unattempted: int = 0
    dropped: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    @property
    def attempted(self) -> int:
        return self.correct + self.incorrect + self.partial

    @property
    def accuracy(self) -> float | None:
        """The contract's: partly right answers are on neither side."""
        judged = self.correct + self.incorrect
        return self.correct / judged if judged else None


class ProgressRepository(Repository):
    """One person's own sittings. Those that count are graded and not withheld by an exam (0021)."""

    async def attempts(self, viewer: Viewer, wanted: AttemptFilter, page: PageRequest) -> Page[ListedAttempt]:
        """Every attempt of the viewer, newest first."""
        own = Attempt.user_id == viewer.user_id, Test.institute_id == viewer.institute_id
        statement = select(Attempt).join(Test, Test.id == Attempt.test_id).where(*own)
        if wanted.test_id is not None:
            statement = statement.where(Attempt.test_id == wanted.test_id)
        if wanted.statuses:
            statement = statement.where(_shown_status(viewer.reader).in_(wanted.statuses))
        attempts = await self._page(statement, [Attempt.id], page, descending=True)
        return Page(await self._listed(viewer, attempts.items), attempts.next_cursor)

    async def listed(self, viewer: Viewer, attempts: Sequence[Attempt]) -> Sequence[ListedAttempt]:
        """The viewer's own attempts as a list shows them, in the same order."""
        return await self._listed(viewer, attempts)

    async def sittings(self, viewer: Viewer) -> Sequence[AttemptTimes]:
        """When the attempts that count took place."""
        columns = Attempt.practice, Attempt.started_at, Attempt.submitted_at, Attempt.closed_by
        rows = await self._session.execute(_counting(viewer, *columns))
        return [AttemptTimes(*row) for row in rows]

    async def tests(self, viewer: Viewer, now: datetime) -> Mapping[UUID | None, TestCounts]:
        """Tests by their subject; None are those of no single subject, such as full mocks."""
        graded = Attempt.user_id == viewer.user_id, Attempt.status == AttemptStatus.GRADED
        taken = exists().where(Attempt.test_id == Test.id, *graded)
        statement = (
            select(Test.subject_id, func.count().filter(taken), func.count().filter(_open(viewer, now)))
            .where(Test.institute_id == viewer.institute_id, ~is_placed(Test.id), ~Test.is_personal)
            .group_by(Test.subject_id)
        )
        rows = await self._session.execute(statement)
        return {subject_id: TestCounts(*counts) for subject_id, *counts in rows}

    async def outcomes(self, viewer: Viewer) -> Mapping[Place, QuestionCounts]:
        """What became of the questions that the viewer has seen, by place."""
        standing = _standing_outcomes(viewer)
        return await self._counts(_by_place(standing).join(standing, standing.c.question_id == Question.id))

    async def coverage(
        self, viewer: Viewer, subject_id: UUID, now: datetime, *, only_reviewed: bool = False
    ) -> Mapping[Place, QuestionCounts]:
        """The same of one subject; `total` has the questions to come too, of tests that may be taken now.

        `only_reviewed` leaves out what the viewer has seen in tests that they may not review.
        """
        standing = _standing_outcomes(viewer, only_reviewed=only_reviewed)
        offered = _offered_questions(viewer, now)
        statement = (
            _by_place(standing)
            .outerjoin(standing, standing.c.question_id == Question.id)
            .outerjoin(offered, offered.c.question_id == Question.id)
            .where(Question.subject_id == subject_id)
            .where(or_(standing.c.question_id.is_not(None), offered.c.question_id.is_not(None)))
        )
        return await self._counts(statement)

    async def time_spent(self, viewer: Viewer, subject_id: UUID | None = None) -> Mapping[Place, int]:
        """Milliseconds over all sittings that count, by place: leases add up, as in a result.

        The lateral join makes one short read of each attempt's part of the log. Without it the planner reads
        the log of everybody.
        """
        sitting = _counting(viewer, Attempt.id).cte("sitting")
        spent = (
            select(LoggedEvent.question_id, func.max(LoggedEvent.time_spent_ms).label("milliseconds"))
            .where(LoggedEvent.attempt_id == sitting.c.id, LoggedEvent.late.is_(False))
            .group_by(LoggedEvent.question_id, LoggedEvent.lease)
            .lateral("spent")
        )
        place = Question.subject_id, Question.chapter_id
        statement = (
            select(*place, func.sum(spent.c.milliseconds))
            .select_from(sitting)
            .join(spent, true())
            .join(Question, Question.id == spent.c.question_id)
            .group_by(*place)
        )
        if subject_id is not None:
            statement = statement.where(Question.subject_id == subject_id)
        rows = await self._session.execute(statement)
        return {(subject, chapter): int(milliseconds) for subject, chapter, milliseconds in rows}

    async def _counts(self, statement: Select[Any]) -> Mapping[Place, QuestionCounts]:
        rows = await self._session.execute(statement)
        return {(subject, chapter): QuestionCounts(*counts) for subject, chapter, *counts in rows}

    async def _listed(self, viewer: Viewer, attempts: Sequence[Attempt]) -> Sequence[ListedAttempt]:
        ids = [attempt.id for attempt in attempts]
        found = await self._session.execute(_listed_columns(viewer.reader), {"ids": ids})
        rows = {row.id: row for row in found}
        counts = await AttemptReviewRepository(self._session).answer_counts(ids)
        return [_listed_attempt(attempt, rows[attempt.id], counts[attempt.id]) for attempt in attempts]


@lru_cache(maxsize=32)
def _listed_columns(reader: Reader) -> Select[*tuple[Any, ...]]:
    """What `ListedAttempt` has of the attempts `:ids`."""
    shown = and_(
        Result.attempt_id == Attempt.id, Attempt.status == AttemptStatus.GRADED, ~withholds_attempt(reader)
    )
    return (
        select(
            Attempt.id,
            _shown_status(reader).label("status"),
            Paper.title,
            Test.kind,
            Paper.marking["rounding"].astext.label("rounding"),
            Result.raw_numerator,
            Result.raw_denominator,
            Result.score_numerator,
            Result.score_denominator,
            Paper.max_marks,
            Exam.id.label("exam_id"),
            Exam.title.label("exam_title"),
            ExamPaper.code,
        )
        .join(Test, Test.id == Attempt.test_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .outerjoin(Result, shown)
        .outerjoin(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
        .outerjoin(Exam, Exam.id == ExamPaper.exam_id)
        # Not an array: PostgreSQL supposes ten ids in it, and would plan each execution anew.
        .where(Attempt.id.in_(bindparam("ids", type_=Uuid, expanding=True)))
    )


def _shown_status(reader: Reader) -> ColumnElement[str]:
    """Under embargo nobody learns that their attempt is graded already."""
    hidden = and_(Attempt.status == AttemptStatus.GRADED, withholds_attempt(reader))
    return case((hidden, AttemptStatus.SUBMITTED.value), else_=Attempt.status)


def _listed_attempt(attempt: Attempt, row: Row[Any], counts: AnswerCounts) -> ListedAttempt:
    return ListedAttempt(
        attempt=attempt,
        status=row.status,
        title=row.title,
        kind=row.kind,
        rounding=row.rounding,
        score=score_of(row),
        counts=counts,
        exam_id=row.exam_id,
        exam_title=row.exam_title,
        exam_paper_code=row.code,
    )


def _counting(viewer: Viewer, *columns: Any) -> Select[Any]:
    """Of each attempt that counts, these columns."""
    return (
        select(*columns)
        .select_from(Attempt)
        .join(Test, Test.id == Attempt.test_id)
        .where(
            Attempt.user_id == viewer.user_id,
            Attempt.status == AttemptStatus.GRADED,
            Test.institute_id == viewer.institute_id,
            ~withholds_attempt(viewer.reader),
        )
    )


def _open(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """What may be taken now; drafts and tests of coming exams are nobody's progress, not of staff either."""
    return and_(may_access(viewer, now), Test.status == "published", ~is_placed(Test.id))


def _standing_outcomes(viewer: Viewer, *, only_reviewed: bool = False) -> CTE:
    """Each question once: its latest answer that was marked, else that it was seen."""
    reviewed = [Test.review != "never"] if only_reviewed else []
    outcome = func.substr(Result.outcomes, PaperQuestion.position, 1)
    unanswered = outcome.in_([LETTERS[Outcome.UNATTEMPTED], LETTERS[Outcome.DROPPED]])
    return (
        _counting(viewer, PaperQuestion.question_id, outcome.label("outcome"))
        .join(Result, Result.attempt_id == Attempt.id)
        .join(PaperQuestion, PaperQuestion.paper_id == Attempt.paper_id)
        .where(*reviewed)
        .ext(distinct_on(PaperQuestion.question_id))
        .order_by(PaperQuestion.question_id, unanswered, Attempt.id.desc())
        .cte("standing")
    )


def _offered_questions(viewer: Viewer, now: datetime) -> CTE:
    """The questions of the papers that a new attempt would get."""
    return (
        select(PaperQuestion.question_id)
        .select_from(Test)
        .join(Paper, and_(Paper.test_id == Test.id, Paper.version == Test.paper_version))
        .join(PaperQuestion, PaperQuestion.paper_id == Paper.id)
        .where(_open(viewer, now), ~Test.is_personal)
        .distinct()
        .cte("offered")
    )


def _by_place(standing: CTE) -> Select[Any]:
    """Counts in the order of `QuestionCounts`, of whatever rows the caller joins."""
    outcomes = [Outcome.CORRECT, Outcome.INCORRECT, Outcome.PARTIAL, Outcome.UNATTEMPTED, Outcome.DROPPED]
    place = Question.subject_id, Question.chapter_id
    counts: list[ColumnElement[Any]] = [
        func.count(Question.id),
        func.count(standing.c.question_id),
        *(func.count().filter(standing.c.outcome == LETTERS[outcome]) for outcome in outcomes),
    ]
    return select(*place, *counts).select_from(Question).group_by(*place)
