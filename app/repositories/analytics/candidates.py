"""The attempts at a test as its staff see them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    false,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from app.core.errors import NotFound
from app.engine.scores import Score
from app.models import (
    PSEUDONYM,
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    LocalizedText,
    Paper,
    Registration,
    Result,
    Test,
    User,
)
from app.repositories.attempts import AnswerCounts, AttemptReviewRepository
from app.repositories.base import Page, PageRequest, Repository, decode_cursor
from app.repositories.embargo import hides_test, is_placed, withholds_paper
from app.repositories.scores import score_of
from app.repositories.tests import Viewer


@dataclass(frozen=True, slots=True)
class CandidateFilter:
    """Which attempts to list: any of the statuses, and part of a name, or the beginning of a roll number."""

    statuses: Collection[str] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True)
class CandidateAttempt:
    """An attempt with its candidate. `score` is None where there is none to be seen."""

    attempt: Attempt
    status: str
    name: str | None
    """The name at the exam's registration, else that of the profile, or the pseudonym of a deleted account.

    None if there is no account.
    """
    roll_number: str | None
    exam_id: UUID | None
    exam_title: LocalizedText | None
    exam_paper: ExamPaper | None
    paper_version: int
    rounding: str
    score: Score | None
    counts: AnswerCounts


_LISTED = Attempt.number > literal_column("0")
"""True for each attempt. It opens the index `ix_attempts_listed`, which only this list may use."""


class CandidateRepository(Repository):
    """Attempts at one test, whoever they belong to. Their scores are shown as the embargo allows (0021)."""

    async def test(self, viewer: Viewer, test_id: UUID) -> Test:
        """The test, if the embargo does not hide it from this member of staff."""
        statement = select(Test).where(
            Test.id == test_id, Test.institute_id == viewer.institute_id, ~hides_test(viewer.reader)
        )
        test = (await self._session.scalars(statement)).one_or_none()
        if test is None:
            raise NotFound("test")
        return test

    async def page(
        self, viewer: Viewer, test_id: UUID, wanted: CandidateFilter, page: PageRequest
    ) -> Page[CandidateAttempt]:
        """Attempts at a test, the newest first."""
        hidden = await self._hidden(viewer, test_id)
        statement = select(Attempt).where(Attempt.test_id == test_id, _LISTED)
        if wanted.statuses:
            statement = statement.where(_is_shown_as(hidden, wanted.statuses))
        if wanted.query:
            statement = statement.where(
                Attempt.id.in_(_first_matching(statement, test_id, wanted.query, page))
            )
        attempts = await self._page(statement, [Attempt.id], page, descending=True)
        return Page(await self._listed(hidden, attempts.items), attempts.next_cursor)

    async def find(self, viewer: Viewer, test_id: UUID, attempt_id: UUID) -> CandidateAttempt:
        """One attempt at a test."""
        statement = select(Attempt).where(Attempt.id == attempt_id, Attempt.test_id == test_id)
        attempt = (await self._session.scalars(statement)).one_or_none()
        if attempt is None:
            raise NotFound("attempt")
        return (await self._listed(await self._hidden(viewer, test_id), [attempt]))[0]

    async def _hidden(self, viewer: Viewer, test_id: UUID) -> ColumnElement[bool]:
        """Whether the result of an attempt at the test is withheld. The embargo is asked once for all."""
        if await self._session.scalar(select(is_placed(Test.id)).where(Test.id == test_id)):
            return true()
        papers = select(Paper.id).where(Paper.test_id == test_id, withholds_paper(viewer.reader, Paper.id))
        withheld = (await self._session.scalars(papers)).all()
        return Attempt.paper_id.in_(withheld) if withheld else false()

    async def _listed(
        self, hidden: ColumnElement[bool], attempts: Sequence[Attempt]
    ) -> Sequence[CandidateAttempt]:
        ids = [attempt.id for attempt in attempts]
        shown = and_(Result.attempt_id == Attempt.id, Attempt.status == AttemptStatus.GRADED, ~hidden)
        statement = (
            select(
                Attempt.id,
                _shown_status(hidden).label("status"),
                _shown_name().label("name"),
                Registration.name.label("registered_name"),
                Registration.roll_number,
                ExamPaper,
                Exam.id.label("exam_id"),
                Exam.title.label("exam_title"),
                Paper.version,
                Paper.marking["rounding"].astext.label("rounding"),
                Paper.max_marks,
                Result.raw_numerator,
                Result.raw_denominator,
                Result.score_numerator,
                Result.score_denominator,
            )
            .join(Paper, Paper.id == Attempt.paper_id)
            .outerjoin(User, User.id == Attempt.user_id)
            .outerjoin(Registration, Registration.id == Attempt.registration_id)
            .outerjoin(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .outerjoin(Exam, Exam.id == ExamPaper.exam_id)
            .outerjoin(Result, shown)
            .where(Attempt.id.in_(ids))
        )
        rows = {row.id: row for row in await self._session.execute(statement)}
        counts = await AttemptReviewRepository(self._session).answer_counts(ids)
        return [_candidate(attempt, rows[attempt.id], counts) for attempt in attempts]


def _shown_status(hidden: ColumnElement[bool]) -> ColumnElement[str]:
    """Under embargo an attempt that is graded shows as submitted."""
    withheld = and_(Attempt.status == AttemptStatus.GRADED, hidden)
    return case((withheld, AttemptStatus.SUBMITTED.value), else_=Attempt.status)


def _is_shown_as(hidden: ColumnElement[bool], statuses: Collection[str]) -> ColumnElement[bool]:
    """Whether `_shown_status` is one of these, in a form by which an index finds those that are not graded.

    Most attempts at a test are graded, so that a list of others would read them all.
    """
    others = [status for status in statuses if status != AttemptStatus.GRADED]
    found = and_(Attempt.status.in_(others), Attempt.status != literal_column("'graded'"))
    graded = Attempt.status == AttemptStatus.GRADED
    if AttemptStatus.SUBMITTED in others:
        found = or_(found, and_(graded, hidden))
    return or_(found, and_(graded, ~hidden)) if AttemptStatus.GRADED in statuses else found


def _shown_name() -> ColumnElement[str]:
    """A deleted account keeps its name until the purge, but shows a pseudonym."""
    return case((User.deleted_at.is_not(None), PSEUDONYM), else_=User.name)


def _first_matching(listed: Select[Attempt], test_id: UUID, query: str, page: PageRequest) -> Select[UUID]:
    """The attempts of people with the name, or with the name or roll number in the test's exams.

    They are as many as a page needs. So each way to match begins with the people if they are few, and with
    the newest attempts if many people have the name.
    """
    listed = listed.with_only_columns(Attempt.id)
    if page.cursor is not None:
        [after] = decode_cursor(page.cursor, [Attempt.id])
        listed = listed.where(Attempt.id < after)
    exams = select(ExamPaper.exam_id).where(ExamPaper.test_id == test_id)
    # The conditions of the index `uq_attempts_official`, true for each attempt with a registration.
    is_official = and_(~Attempt.practice, Attempt.exam_paper_id.is_not(None))
    by_place = listed.join(Registration, Registration.id == Attempt.registration_id).where(
        is_official, Registration.exam_id.in_(exams)
    )
    ways = (
        listed.join(User, User.id == Attempt.user_id).where(
            User.name.icontains(query, autoescape=True), User.deleted_at.is_(None)
        ),
        by_place.where(Registration.name.icontains(query, autoescape=True)),
        by_place.where(Registration.roll_number.startswith(query, autoescape=True)),
    )
    first = [way.order_by(Attempt.id.desc()).limit(page.limit + 1).subquery() for way in ways]
    return select(union_all(*(select(each.c.id) for each in first)).subquery().c.id)


def _candidate(attempt: Attempt, row: Row[Any], counts: Mapping[UUID, AnswerCounts]) -> CandidateAttempt:
    return CandidateAttempt(
        attempt=attempt,
        status=row.status,
        name=row.registered_name or row.name,
        roll_number=row.roll_number,
        exam_id=row.exam_id,
        exam_title=row.exam_title,
        exam_paper=row.ExamPaper,
        paper_version=row.version,
        rounding=row.rounding,
        score=score_of(row),
        counts=counts[attempt.id],
    )
