"""The embargo (docs/decisions/0021): which tests, questions and results are withheld, and from whom.

Every statement that returns a key, or data computed from a key, must use a condition or a method of this
module. This module itself returns no key.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from app.models import (
    Attempt,
    Exam,
    ExamPaper,
    Paper,
    PaperQuestion,
    Question,
    QuestionVersion,
    Test,
    TestConsent,
    TestQuestion,
    TestSection,
)
from app.repositories.base import Repository

QuestionIds = Select[UUID] | CompoundSelect[UUID]

# Aliases, because the statements that use these conditions may join the same tables.
_exam, _placed, _test = aliased(Exam), aliased(ExamPaper), aliased(Test)
_paper, _held, _question = aliased(Paper), aliased(PaperQuestion), aliased(Question)
_other_paper, _other_exam = aliased(ExamPaper), aliased(Exam)
_version, _asked = aliased(Paper), aliased(PaperQuestion)

# Built once, because most requests ask for them, and building them takes longer than a short statement.
_is_unreleased = and_(_exam.released_at.is_(None), _exam.cancelled_at.is_(None))
_another_is_released = (
    select(_other_paper.id)
    .join(_other_exam, _other_exam.id == _other_paper.exam_id)
    .where(_other_paper.test_id == _placed.test_id, _other_exam.released_at.is_not(None))
    .exists()
)
_hides_its_test = or_(_exam.published_at.is_not(None), ~_another_is_released)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads.

    The embargo is the same for all candidates, depends on authorship for staff, and spares admins.
    """

    user_id: UUID
    is_staff: bool
    is_admin: bool


CANDIDATE = Reader(UUID(int=0), is_staff=False, is_admin=False)
"""Any candidate. Statements for candidates can be kept, because building one takes milliseconds."""


def is_placed(test_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether the test is a paper of an exam, draft or published, that is neither released nor cancelled.

    A draft does not count if another exam with the test is released: its results stay shown.
    """
    return exists(_holding(select(_placed.id).where(_placed.test_id == test_id)))


def held_questions(reader: Reader, asked: Collection[UUID] | None = None) -> QuestionIds:
    """The questions whose keys, and data derived from them, are withheld from the reader now.

    For candidates: the questions of published exams. For staff: the questions of all exams, drafts included,
    whose test somebody else created. A question is not withheld from its author if the exam is a draft, or
    if nobody else has revised the question.

    With `asked`, those of these questions: PostgreSQL looks for them, instead of reading all that are held.
    """
    if reader.is_admin:
        return select(_question.id).where(false())
    frozen = _among(asked, _held.question_id, _frozen())
    if not reader.is_staff:
        return frozen.where(_exam.published_at.is_not(None))
    drafted = _of_unreleased_exams(
        select(TestQuestion.question_id)
        .join(TestSection, TestSection.id == TestQuestion.section_id)
        .join(_placed, _placed.test_id == TestSection.test_id)
    )
    drafted = _among(asked, TestQuestion.question_id, drafted)
    return union_all(
        _withheld_from_staff(frozen, _held.question_id, reader.user_id),
        _withheld_from_staff(drafted, TestQuestion.question_id, reader.user_id),
    )


def withholds_paper(reader: Reader, paper_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether a paper has a question whose key is withheld from the reader now.

    If so, all results of the paper are withheld, because a score depends on every question.
    """
    if reader.is_admin:
        return false()
    return _asked_by_row(
        select(_asked.question_id).where(
            _asked.paper_id == paper_id, _asked.question_id.in_(held_questions(reader))
        )
    )


def withholds_attempt(reader: Reader, attempt: type[Attempt] = Attempt) -> ColumnElement[bool]:
    """Whether the result of a row of `attempts`, or of an alias of it, is withheld from the reader now.

    The result at a test that is placed in an unreleased exam is also withheld from those who made the test.
    """
    return or_(is_placed(attempt.test_id), withholds_paper(reader, attempt.paper_id))


def shows_results(reader: Reader, attempt: type[Attempt] = Attempt) -> ColumnElement[bool]:
    """The opposite of `withholds_attempt`, for a statement that reads many attempts of one person.

    PostgreSQL reads the few withheld tests and papers once, not the embargo for each attempt.
    """
    placed = _holding(select(_placed.test_id))
    shown = [attempt.test_id != _all(placed)]
    if not reader.is_admin:
        held = select(_asked.paper_id).where(_asked.question_id.in_(held_questions(reader))).distinct()
        shown.append(attempt.paper_id != _all(held))
    return and_(*shown)


def shows_ranks(reader: Reader, test_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether no paper version of a test is withheld (`withholds_rank`), for a statement over many tests."""
    if reader.is_admin:
        return true()
    held = select(_asked.paper_id).where(_asked.question_id.in_(held_questions(reader)))
    return test_id != _all(select(_version.test_id).where(_version.id.in_(held)).distinct())


def withholds_a_version(reader: Reader, test_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether any paper version of a test is withheld from the reader. All versions share one ranking."""
    return exists(
        select(_version.id).where(_version.test_id == test_id, withholds_paper(reader, _version.id))
    )


def hides_test(reader: Reader, test: type[Test] = Test) -> ColumnElement[bool]:
    """Whether a row of `tests`, or of an alias of it, is hidden from the reader.

    Hidden from candidates: a test that is placed in an unreleased exam, or that shares a question with a
    published one. Hidden from staff: a test that is placed in an unreleased exam, unless they created the
    test, or created the exam and may place the test. Hidden from staff and admins: the practice test of
    another person. All candidates are one reader here; `is_offered` asks which of them owns such a test.
    """
    private = belongs_to_another(reader.user_id, test)
    if reader.is_admin:
        return private
    if not reader.is_staff:
        return _hides_from_candidates(test)
    placed = and_(
        is_placed(test.id),
        test.created_by.is_distinct_from(reader.user_id),
        ~_runs_exam_of(test, reader.user_id),
    )
    return or_(private, placed)


def belongs_to_another(user_id: UUID | ColumnElement[UUID], test: type[Test] = Test) -> ColumnElement[bool]:
    """Whether a row of `tests` is a practice test of another person, or of an account that is gone."""
    return and_(test.is_personal, test.owner_id.is_distinct_from(user_id))


@lru_cache(maxsize=8)
def _hides_from_candidates(test: type[Test]) -> ColumnElement[bool]:
    """Kept, because it is the same for all candidates and takes longer to build than a short statement."""
    shares = _asked_by_row(
        select(_version.id).where(
            _version.test_id == test.id,
            _version.version == test.paper_version,
            withholds_paper(CANDIDATE, _version.id),
        )
    )
    return or_(is_placed(test.id), shares)


def _asked_by_row(statement: Select[UUID]) -> ColumnElement[bool]:
    """Whether the statement returns rows, evaluated as a correlated subquery for each outer row.

    OFFSET 0 keeps PostgreSQL from turning the subquery into a hash of the questions of all papers. The
    planner would choose that, because it does not know that a page has twenty rows.
    """
    return exists(statement.offset(0))


def _all(ids: Select[UUID]) -> ColumnElement[Any]:
    """Compare with all of these ids, which a subquery reads once."""
    return all_(type_coerce(func.array(ids.scalar_subquery()), ARRAY(Uuid)))


def _of_unreleased_exams(statement: Select[UUID]) -> Select[UUID]:
    """Restrict a statement over `_placed` to exams that are neither released nor cancelled."""
    return statement.join(_exam, _exam.id == _placed.exam_id).where(_is_unreleased)


def _holding(statement: Select[UUID]) -> Select[UUID]:
    """Restrict a statement over `_placed` to papers that hide their test: see `is_placed`."""
    return _of_unreleased_exams(statement).where(_hides_its_test)


def _frozen() -> Select[UUID]:
    """The questions of all paper versions of tests that are placed in unreleased exams."""
    return _of_unreleased_exams(
        select(_held.question_id)
        .join(_paper, _paper.id == _held.paper_id)
        .join(_placed, _placed.test_id == _paper.test_id)
    )


def _among(
    asked: Collection[UUID] | None, question_id: SQLColumnExpression[UUID], statement: Select[UUID]
) -> Select[UUID]:
    if asked is None:
        return statement
    return statement.where(question_id == any_(literal(list(asked), ARRAY(Uuid))))


def _withheld_from_staff(
    statement: Select[UUID], question_id: SQLColumnExpression[UUID], user_id: UUID
) -> Select[UUID]:
    by_another = exists().where(
        QuestionVersion.question_id == _question.id, QuestionVersion.created_by.is_distinct_from(user_id)
    )
    knows_it = and_(_question.created_by == user_id, or_(_exam.published_at.is_(None), ~by_another))
    return (
        statement.join(_test, _test.id == _placed.test_id)
        .join(_question, _question.id == question_id)
        .where(_test.created_by.is_distinct_from(user_id), knows_it.is_not(True))
    )


def _runs_exam_of(test: type[Test], user_id: UUID) -> ColumnElement[bool]:
    """Whether the user created an unreleased exam with the test, which has no author or consents."""
    mine = and_(_exam.created_by == user_id, or_(test.created_by.is_(None), is_lent(test, user_id)))
    return exists(_of_unreleased_exams(select(_placed.id).where(_placed.test_id == test.id, mine)))


def is_lent(test: type[Test], user_id: UUID) -> ColumnElement[bool]:
    """Whether the user may place the test by consent."""
    # Without `correlate`, a query two levels below the test's would read the consents of all tests.
    lent = exists().where(TestConsent.test_id == test.id, TestConsent.user_id == user_id)
    return lent.correlate(test)


@dataclass(frozen=True, slots=True)
class ResultEmbargo:
    """What a reader may know of the result of one attempt."""

    hides_attempt: bool
    withholds_result: bool
    withholds_rank: bool
    review: str
    """The review policy of the test."""
    is_placed: bool

    @property
    def may_review(self) -> bool:
        """`after_release` waits for the release of an exam; a test that no exam holds is free to review."""
        return self.review == "after_submit" or (self.review == "after_release" and not self.is_placed)


def of_result(reader: Reader, paper_id: SQLColumnExpression[UUID]) -> tuple[Any, ...]:
    """The columns of `ResultEmbargo` for an attempt at this paper of the test of the row."""
    placed = is_placed(Test.id)
    # A test that only shares questions keeps the attempts of candidates in sight: their results come later.
    hides = hides_test(reader) if reader.is_staff else placed
    withheld = withholds_paper(reader, paper_id), withholds_a_version(reader, Test.id)
    return hides.label("hides_attempt"), *withheld, Test.review, placed.label("is_placed")


@lru_cache(maxsize=32)
def _result_embargo(reader: Reader) -> Select[*tuple[Any, ...]]:
    """For an attempt at the paper `:paper_id` of the test `:test_id`."""
    columns = of_result(reader, bindparam("paper_id", type_=Uuid))
    return select(*columns).where(Test.id == bindparam("test_id", type_=Uuid))


@lru_cache(maxsize=32)
def _withholds_exam(reader: Reader) -> Select[bool]:
    """Whether another published exam withholds a question of the exam `:exam_id` from the reader."""
    exam_id = bindparam("exam_id", type_=Uuid)
    held = _frozen().where(_exam.id != exam_id, _exam.published_at.is_not(None))
    if reader.is_staff:
        held = _withheld_from_staff(held, _held.question_id, reader.user_id)
    questions = (
        select(_asked.question_id)
        .join(ExamPaper, ExamPaper.paper_id == _asked.paper_id)
        .where(ExamPaper.exam_id == exam_id, _asked.question_id.in_(held))
    )
    return select(questions.exists())


class EmbargoRepository(Repository):
    """Checks of the embargo. Each is one statement."""

    async def of_result(self, reader: Reader, test_id: UUID, paper_id: UUID) -> ResultEmbargo:
        """What the reader may know of the result of an attempt of theirs at this paper of the test."""
        statement = _result_embargo(reader if reader.is_staff else CANDIDATE)
        row = await self._session.execute(statement, {"test_id": test_id, "paper_id": paper_id})
        return ResultEmbargo(*row.one())

    async def withheld(self, reader: Reader, question_ids: Collection[UUID]) -> set[UUID]:
        """Those of these questions whose keys are withheld from the reader."""
        if reader.is_admin or not question_ids:
            return set()
        return set(await self._session.scalars(held_questions(reader, question_ids)))

    async def withholds_decisions(self, question_id: UUID, *, test_id: UUID) -> bool:
        """Whether a published exam withholds decisions on objections to a question of a test from candidates.

        An exam with this test that has shown them the key of its papers does not.
        """
        shows = exists().where(ExamPaper.exam_id == _exam.id, ExamPaper.test_id == test_id)
        held = _frozen().where(
            _held.question_id == question_id,
            _exam.published_at.is_not(None),
            or_(_exam.key_stage.is_(None), ~shows),
        )
        return bool(await self._session.scalar(select(held.exists())))

    async def withholds_paper(self, reader: Reader, paper_id: UUID) -> bool:
        """Whether all data derived from the keys of a paper is withheld from the reader."""
        if reader.is_admin:
            return False
        return bool(await self._session.scalar(select(withholds_paper(reader, literal(paper_id, Uuid)))))

    async def withholds_rank(self, reader: Reader, test_id: UUID) -> bool:
        """Whether any paper version of a test is withheld. All versions share one ranking."""
        return bool(await self._session.scalar(select(withholds_a_version(reader, literal(test_id, Uuid)))))

    async def withheld_ranks(self, reader: Reader, test_ids: Collection[UUID]) -> set[UUID]:
        """Those of the tests of which a paper version is withheld: see `withholds_rank`."""
        if reader.is_admin or not test_ids:
            return set()
        held = select(_asked.paper_id).where(_asked.question_id.in_(held_questions(reader)))
        asked = Paper.test_id == any_(literal(list(test_ids), ARRAY(Uuid)))
        return set(await self._session.scalars(select(Paper.test_id).where(asked, Paper.id.in_(held))))

    async def withholds_exam(self, reader: Reader, exam_id: UUID) -> bool:
        """Whether another published exam withholds a question of this exam, and therefore its results.

        Draft exams are not considered. Otherwise any author could block a release by drafting an exam.
        """
        if reader.is_admin:
            return False
        statement = _withholds_exam(reader if reader.is_staff else CANDIDATE)
        return bool(await self._session.scalar(statement, {"exam_id": exam_id}))

    async def hides_test(self, reader: Reader, test_id: UUID) -> bool:
        """Whether a test is hidden from the reader."""
        return bool(await self._session.scalar(select(hides_test(reader)).where(Test.id == test_id)))

    async def is_placed(self, test_id: UUID) -> bool:
        """Whether the test is placed in an exam that is neither released nor cancelled."""
        return bool(await self._session.scalar(select(is_placed(literal(test_id, Uuid)))))
