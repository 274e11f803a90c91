"""Key revisions, the papers and questions that they are about, and the graded attempts at these."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import undefer

from app.core.errors import NotFound
from app.models import (
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    KeyRevision,
    LocalizedText,
    Paper,
    PaperQuestion,
    QuestionVersion,
    Result,
    RevisedResult,
    RevisionState,
    Test,
    TestQuestion,
    TestSection,
)
from app.repositories import locks
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.embargo import CANDIDATE, hides_test, shows_results
from app.repositories.locks import Mode, Rank
from app.repositories.tests import Viewer

MAX_TESTS = 50
"""How many other tests with the same question a revision names."""
_LISTED = Attempt.number > literal_column("0")
"""True for each attempt: it opens the index `ix_attempts_listed`."""

# Kept, because each result asks it, and to build it takes longer than PostgreSQL's part.
_OF_ATTEMPTS = (
    select(KeyRevision, RevisedResult)
    .join(RevisedResult, RevisedResult.revision_id == KeyRevision.id)
    .where(RevisedResult.attempt_id == any_(bindparam("attempt_ids", type_=ARRAY(Uuid))))
    .order_by(KeyRevision.number)
)


@dataclass(frozen=True, slots=True)
class GradedState:
    """How many attempts at a paper are graded, and when the last one was."""

    attempts: int
    last_graded_at: datetime


@dataclass(frozen=True, slots=True)
class PlacedPaper:
    """A paper of an exam that has one of the revised papers."""

    paper_id: UUID | None
    exam_id: UUID
    exam_title: LocalizedText
    code: str
    released: bool


@dataclass(frozen=True, slots=True)
class ChangedResult:
    """A result that a revision has changed, for its candidate."""

    revised: RevisedResult
    user_id: UUID
    exam_id: UUID | None
    title: LocalizedText
    """Of the attempt's version of the paper."""


@dataclass(frozen=True, slots=True)
class OtherTest:
    """Another test with the question, in a published paper or in its draft."""

    question_id: UUID
    test_id: UUID
    title: LocalizedText


class KeyRevisionRepository(Repository):
    """Revisions of the keys of tests."""

    async def lock_test(self, viewer: Viewer, test_id: UUID) -> Test:
        """Lock a test that may have revisions: one revision is made or published at a time.

        Whoever starts the test does not wait. Raises NotFound if the embargo hides the test.
        """
        statement = select(Test).where(*_visible(viewer, test_id))
        found = await self._session.scalar(select(Test.id).where(*_visible(viewer, test_id)))
        if found is None:
            raise NotFound("test")
        return (await self._lock(Rank.TEST, Mode.CHANGE, statement)).one()

    async def test(self, viewer: Viewer, test_id: UUID) -> Test:
        """The test. Raises NotFound if the embargo hides it."""
        test = (await self._session.scalars(select(Test).where(*_visible(viewer, test_id)))).one_or_none()
        if test is None:
            raise NotFound("test")
        return test

    async def papers(self, test_id: UUID, question_ids: Collection[UUID]) -> Sequence[Paper]:
        """The versions of a test's paper that have one of the questions, the newest first, with rules."""
        held = exists().where(
            PaperQuestion.paper_id == Paper.id, PaperQuestion.question_id.in_(list(question_ids))
        )
        statement = select(Paper).where(Paper.test_id == test_id, held).options(undefer(Paper.rules))
        return (await self._session.scalars(statement.order_by(Paper.version.desc()))).all()

    async def newest_paper(self, test_id: UUID) -> Paper | None:
        """The newest version of a test's paper, with rules."""
        statement = select(Paper).where(Paper.test_id == test_id).options(undefer(Paper.rules))
        return (await self._session.scalars(statement.order_by(Paper.version.desc()).limit(1))).one_or_none()

    async def question_versions(self, version_ids: Collection[UUID]) -> Mapping[UUID, QuestionVersion]:
        """Versions of questions by their ids."""
        statement = select(QuestionVersion).where(QuestionVersion.id.in_(list(version_ids)))
        return {version.id: version for version in await self._session.scalars(statement)}

    async def placed(self, paper_ids: Collection[UUID]) -> Sequence[PlacedPaper]:
        """The exam papers that have these papers. Cancelled exams are left out."""
        statement = (
            select(ExamPaper.paper_id, Exam.id, Exam.title, ExamPaper.code, Exam.released_at.is_not(None))
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .where(ExamPaper.paper_id.in_(list(paper_ids)), Exam.cancelled_at.is_(None))
            .order_by(Exam.id, ExamPaper.code)
        )
        return [PlacedPaper(*row) for row in await self._session.execute(statement)]

    async def others(
        self, viewer: Viewer, test_id: UUID, question_ids: Collection[UUID]
    ) -> Sequence[OtherTest]:
        """Other tests that have the questions and that the viewer may see. Practice tests are left out."""
        asked = list(question_ids)
        in_papers = (
            select(PaperQuestion.question_id, Paper.test_id)
            .join(Paper, Paper.id == PaperQuestion.paper_id)
            .where(PaperQuestion.question_id.in_(asked))
        )
        in_drafts = (
            select(TestQuestion.question_id, TestSection.test_id)
            .join(TestSection, TestSection.id == TestQuestion.section_id)
            .where(TestQuestion.question_id.in_(asked))
        )
        places = in_papers.union(in_drafts).subquery()
        statement = (
            select(places.c.question_id, Test.id, Test.title)
            .join(Test, Test.id == places.c.test_id)
            .where(
                Test.id != test_id,
                Test.institute_id == viewer.institute_id,
                ~Test.is_personal,
                ~hides_test(viewer.reader),
            )
            .order_by(Test.id, places.c.question_id)
            .limit(MAX_TESTS)
        )
        return [OtherTest(*row) for row in await self._session.execute(statement)]

    async def graded_states(self, test_id: UUID, paper_ids: Collection[UUID]) -> Mapping[UUID, GradedState]:
        """What is graded at each paper. A grading, a regrading, a voiding or a deletion changes it."""
        statement = (
            select(Attempt.paper_id, func.count(), func.max(Result.graded_at))
            .join(Result, Result.attempt_id == Attempt.id)
            .where(Attempt.test_id == test_id, _LISTED, _among(paper_ids))
            .group_by(Attempt.paper_id)
        )
        return {
            paper_id: GradedState(attempts, last)
            for paper_id, attempts, last in await self._session.execute(statement)
        }

    async def exams_of(self, test_id: UUID) -> Sequence[tuple[UUID, UUID]]:
        """The exams that have the test and are not cancelled, with their institutes, in order."""
        statement = (
            select(Exam.id, Exam.institute_id)
            .where(
                exists().where(ExamPaper.exam_id == Exam.id, ExamPaper.test_id == test_id),
                Exam.cancelled_at.is_(None),
            )
            .order_by(Exam.id)
        )
        return [(exam_id, institute_id) for exam_id, institute_id in await self._session.execute(statement)]

    async def normalized(self, paper_ids: Collection[UUID]) -> Sequence[Exam]:
        """The released exams that have one of the papers and a method of normalization, in order."""
        statement = (
            select(Exam)
            .where(
                exists().where(ExamPaper.exam_id == Exam.id, ExamPaper.paper_id.in_(list(paper_ids))),
                Exam.released_at.is_not(None),
                Exam.cancelled_at.is_(None),
                Exam.normalization != "none",
            )
            .order_by(Exam.id)
        )
        return (await self._session.scalars(statement)).all()

    async def lock_for_publication(self, test_id: UUID) -> None:
        """Wait for whoever makes or publishes a revision of the test."""
        await self._lock(Rank.TEST, Mode.CHANGE, select(Test.id).where(Test.id == test_id))

    async def lock_over(self, test_id: UUID, paper_ids: Collection[UUID]) -> None:
        """Lock the attempts at papers that are over: nobody voids, reopens or deletes them."""
        over = Attempt.status.in_((AttemptStatus.SUBMITTED, AttemptStatus.GRADED))
        statement = _attempts(test_id, paper_ids).where(over).order_by(Attempt.id)
        await locks.lock_many(self._session, Rank.ATTEMPT, statement)

    async def lock_graded(self, test_id: UUID, paper_ids: Collection[UUID]) -> None:
        """Lock also those that were graded while the others were locked. The keys of the papers are locked.

        Raises LockedElsewhere if somebody else has locked one of them.
        """
        statement = _attempts(test_id, paper_ids).where(exists().where(Result.attempt_id == Attempt.id))
        await locks.lock_at_once(self._session, statement, of=Attempt)

    async def ungraded(self, test_id: UUID, paper_ids: Collection[UUID]) -> Sequence[UUID]:
        """Attempts at papers that are over and have no result yet."""
        statement = select(Attempt.id).where(
            Attempt.test_id == test_id,
            _LISTED,
            _among(paper_ids),
            Attempt.status == AttemptStatus.SUBMITTED,
            ~exists().where(Result.attempt_id == Attempt.id),
        )
        return (await self._session.scalars(statement.order_by(Attempt.id))).all()

    async def of_attempts(self, attempt_ids: Sequence[UUID]) -> Sequence[tuple[KeyRevision, RevisedResult]]:
        """The revisions that have regraded these attempts, for each attempt the first one first."""
        rows = await self._session.execute(_OF_ATTEMPTS, {"attempt_ids": list(attempt_ids)})
        return [(revision, revised) for revision, revised in rows]

    async def changed(self, revision_id: UUID, after: UUID | None, limit: int) -> Sequence[ChangedResult]:
        """Results that a revision has changed and that candidates may see.

        In the order of their attempts. What an exam withholds is left out (docs/decisions/0021).
        """
        changed = or_(
            RevisedResult.exact_before != RevisedResult.exact_after,
            RevisedResult.rank_before.is_distinct_from(RevisedResult.rank_after),
        )
        statement = (
            select(RevisedResult, Attempt.user_id, ExamPaper.exam_id, Paper.title)
            .join(Attempt, Attempt.id == RevisedResult.attempt_id)
            .join(Paper, Paper.id == Attempt.paper_id)
            .outerjoin(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .where(
                RevisedResult.revision_id == revision_id,
                changed,
                Attempt.user_id.is_not(None),
                Attempt.status == AttemptStatus.GRADED,
                shows_results(CANDIDATE),
            )
            .order_by(RevisedResult.attempt_id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(RevisedResult.attempt_id > after)
        rows = await self._session.execute(statement)
        return [
            ChangedResult(revised, user_id, exam_id, title)
            for revised, user_id, exam_id, title in rows
            if user_id is not None
        ]

    async def next_number(self, test_id: UUID) -> int:
        """The number of the next revision of a locked test."""
        statement = select(func.coalesce(func.max(KeyRevision.number), 0) + 1)
        return (await self._session.scalars(statement.where(KeyRevision.test_id == test_id))).one()

    async def add(self, revision: KeyRevision) -> None:
        """Insert a revision."""
        self._session.add(revision)
        await self._session.flush()

    async def page(self, test_id: UUID, page: PageRequest) -> Page[KeyRevision]:
        """The revisions of a test, the newest first."""
        statement = select(KeyRevision).where(KeyRevision.test_id == test_id)
        return await self._page(statement, [KeyRevision.number], page, descending=True)

    async def find(self, test_id: UUID, number: int) -> KeyRevision:
        """A revision of a test by its number."""
        statement = select(KeyRevision).where(KeyRevision.test_id == test_id, KeyRevision.number == number)
        revision = (await self._session.scalars(statement)).one_or_none()
        if revision is None:
            raise NotFound("key revision")
        return revision

    async def get(self, revision_id: UUID) -> KeyRevision:
        """A revision by its id."""
        return await self._session.get_one(KeyRevision, revision_id, populate_existing=True)

    async def publishing(self, test_id: UUID) -> KeyRevision | None:
        """The revision of a test that is being published, or None."""
        statement = select(KeyRevision).where(
            KeyRevision.test_id == test_id, KeyRevision.state == RevisionState.PUBLISHING
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def report(self, revision_id: UUID, done: int, total: int) -> None:
        """Write how far the publication of a revision is."""
        statement = update(KeyRevision).where(
            KeyRevision.id == revision_id, KeyRevision.state == RevisionState.PUBLISHING
        )
        await self._session.execute(statement.values(regraded=done, to_regrade=total))

    async def flush(self) -> None:
        """Send pending changes to the database."""
        await self._session.flush()


def _visible(viewer: Viewer, test_id: UUID) -> tuple[Any, ...]:
    own = Test.id == test_id, Test.institute_id == viewer.institute_id, ~Test.is_personal
    return *own, ~hides_test(viewer.reader)


def _attempts(test_id: UUID, paper_ids: Collection[UUID]) -> Select[UUID]:
    return select(Attempt.id).where(Attempt.test_id == test_id, _LISTED, _among(paper_ids))


def _among(paper_ids: Collection[UUID]) -> Any:
    return Attempt.paper_id == any_(literal(list(paper_ids), ARRAY(Uuid)))
