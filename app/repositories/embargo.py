"""The embargo (docs/decisions/0021): whose tests, questions and derived facts are withheld, and from whom.

Every statement of the application that shows a key, or anything that is computed from one, asks a condition
or a method of this module. Nothing here shows a key itself.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    Uuid,
    and_,
    any_,
    exists,
    false,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from app.models import (
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
from app.repositories import locks
from app.repositories.base import Repository

QuestionIds = Select[UUID] | CompoundSelect[UUID]

# Statements of others join exams, papers and questions too: these are the embargo's own.
_exam, _placed, _test = aliased(Exam), aliased(ExamPaper), aliased(Test)
_paper, _held, _question = aliased(Paper), aliased(PaperQuestion), aliased(Question)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks. Candidates are all alike, staff are judged by what they made, admins may know everything."""

    user_id: UUID
    is_staff: bool
    is_admin: bool


def is_placed(test_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether an exam holds the test: from its placement, in a draft too, to the release or cancellation."""
    return exists(
        select(_placed.id)
        .join(_exam, _exam.id == _placed.exam_id)
        .where(_placed.test_id == test_id, _is_unreleased())
    )


def held_questions(reader: Reader) -> QuestionIds:
    """The questions whose keys this person may not know now, nor anything that is derived from them.

    For candidates these are the questions of published exams. For staff they are the questions of all exams,
    drafts too, whose test somebody else made. What a person knows anyway is not withheld from them: a draft
    exam withholds nothing from the author of a question, and no exam withholds a question from its author
    that nobody else has ever revised.
    """
    if reader.is_admin:
        return select(_question.id).where(false())
    if not reader.is_staff:
        return _frozen().where(_exam.published_at.is_not(None))
    drafted = _of_unreleased_exams(
        select(TestQuestion.question_id)
        .join(TestSection, TestSection.id == TestQuestion.section_id)
        .join(_placed, _placed.test_id == TestSection.test_id)
    )
    frozen = _frozen()
    return union_all(
        _withheld_from_staff(frozen, _held.question_id, reader.user_id),
        _withheld_from_staff(drafted, TestQuestion.question_id, reader.user_id),
    )


def withholds_paper(reader: Reader, paper_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether a paper has a question whose key this person may not know now.

    Then its results are withheld as a whole: a score tells about each of its questions.
    """
    if reader.is_admin:
        return false()
    mine = aliased(PaperQuestion)
    return _asked_by_row(
        select(mine.question_id).where(
            mine.paper_id == paper_id, mine.question_id.in_(held_questions(reader))
        )
    )


def hides_test(reader: Reader) -> ColumnElement[bool]:
    """Whether a row of `tests` is for this person as if it did not exist.

    For candidates a test that an exam holds, or that shares a question with a published exam. For staff a
    test that an exam holds, unless they made the test, or made the exam and may place the test.
    """
    if reader.is_admin:
        return false()
    if not reader.is_staff:
        current = aliased(Paper)
        shares = _asked_by_row(
            select(current.id).where(
                current.test_id == Test.id,
                current.version == Test.paper_version,
                withholds_paper(reader, current.id),
            )
        )
        return or_(is_placed(Test.id), shares)
    return and_(
        is_placed(Test.id),
        Test.created_by.is_distinct_from(reader.user_id),
        ~_runs_exam_of(Test, reader.user_id),
    )


def _asked_by_row(statement: Select[UUID]) -> ColumnElement[bool]:
    """Whether the statement has rows, asked for each row that needs it.

    Without the offset PostgreSQL would rather read the questions of all papers once, for it does not count on
    a page having twenty rows.
    """
    return exists(statement.offset(0))


def _is_unreleased() -> ColumnElement[bool]:
    return and_(_exam.released_at.is_(None), _exam.cancelled_at.is_(None))


def _of_unreleased_exams(statement: Select[UUID]) -> Select[UUID]:
    """Narrow a statement with `_placed` down to exams that are neither released nor cancelled."""
    return statement.join(_exam, _exam.id == _placed.exam_id).where(_is_unreleased())


def _frozen() -> Select[UUID]:
    """The questions in any version of the paper of a test that an unreleased exam holds."""
    return _of_unreleased_exams(
        select(_held.question_id)
        .join(_paper, _paper.id == _held.paper_id)
        .join(_placed, _placed.test_id == _paper.test_id)
    )


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
    """Whether this person made an unreleased exam that has the test, which is nobody's or lent to them."""
    return exists(
        select(_placed.id)
        .join(_exam, _exam.id == _placed.exam_id)
        .where(
            _placed.test_id == test.id,
            _is_unreleased(),
            _exam.created_by == user_id,
            or_(test.created_by.is_(None), _is_lent(test, user_id)),
        )
    )


def _is_lent(test: type[Test], user_id: UUID) -> ColumnElement[bool]:
    return exists().where(TestConsent.test_id == test.id, TestConsent.user_id == user_id)


class EmbargoRepository(Repository):
    """Questions about the embargo, each answered by one statement."""

    async def withheld(self, reader: Reader, question_ids: Collection[UUID]) -> set[UUID]:
        """Of which of these questions this person may not know what is right."""
        if reader.is_admin or not question_ids:
            return set()
        asked = Question.id == any_(literal(list(question_ids), ARRAY(Uuid)))
        statement = select(Question.id).where(asked, Question.id.in_(held_questions(reader)))
        return set(await self._session.scalars(statement))

    async def withholds_paper(self, reader: Reader, paper_id: UUID) -> bool:
        """Whether nothing that is derived from the keys of a paper may be shown to this person."""
        if reader.is_admin:
            return False
        return bool(await self._session.scalar(select(withholds_paper(reader, literal(paper_id, Uuid)))))

    async def withholds_rank(self, reader: Reader, test_id: UUID) -> bool:
        """Whether any version of a test's paper is withheld: all of them are ranked together."""
        if reader.is_admin:
            return False
        versions = select(Paper.id).where(Paper.test_id == test_id, withholds_paper(reader, Paper.id))
        return bool(await self._session.scalar(select(versions.exists())))

    async def withholds_exam(self, reader: Reader, exam_id: UUID) -> bool:
        """Whether another published exam withholds a question of this one, and so its results.

        A draft does not: nobody could release an exam whose questions somebody else drafts another one with.
        """
        if reader.is_admin:
            return False
        held = _frozen().where(_exam.id != exam_id, _exam.published_at.is_not(None))
        if reader.is_staff:
            held = _withheld_from_staff(held, _held.question_id, reader.user_id)
        mine = aliased(PaperQuestion)
        statement = (
            select(mine.question_id)
            .join(ExamPaper, ExamPaper.paper_id == mine.paper_id)
            .where(ExamPaper.exam_id == exam_id, mine.question_id.in_(held))
        )
        return bool(await self._session.scalar(select(statement.exists())))

    async def hides_test(self, reader: Reader, test_id: UUID) -> bool:
        """Whether a test is for this person as if it did not exist."""
        if reader.is_admin:
            return False
        return bool(await self._session.scalar(select(hides_test(reader)).where(Test.id == test_id)))

    async def is_placed(self, test_id: UUID) -> bool:
        """Whether an exam that is neither released nor cancelled holds the test."""
        return bool(await self._session.scalar(select(is_placed(literal(test_id, Uuid)))))

    async def lock_placements(self, institute_id: UUID) -> None:
        """Lock the publication of exams of the institute until this transaction ends."""
        await locks.lock_placements(self._session, institute_id)

    async def may_place(self, user_id: UUID, test_id: UUID) -> bool:
        """Whether a person who is no admin may place the test: it is theirs, nobody's, or lent to them."""
        allowed = or_(Test.created_by.is_(None), Test.created_by == user_id, _is_lent(Test, user_id))
        return bool(await self._session.scalar(select(allowed).where(Test.id == test_id)))

    async def held_by_others(self, user_id: UUID, test_id: UUID, *, exam_id: UUID) -> bool:
        """Whether a published exam holds a question of the test, in a test that is not lent to this person.

        `exam_id` is the exam that the test is to be placed in.
        """
        drafted = (
            select(TestQuestion.question_id)
            .join(TestSection, TestSection.id == TestQuestion.section_id)
            .where(TestSection.test_id == test_id)
        )
        mine = aliased(PaperQuestion)
        frozen = (
            select(mine.question_id)
            .join(Paper, Paper.id == mine.paper_id)
            .join(Test, and_(Test.id == Paper.test_id, Test.paper_version == Paper.version))
            .where(Test.id == test_id)
        )
        own = or_(
            _test.created_by == user_id,
            and_(_test.created_by.is_(None), _exam.created_by == user_id),
            exists().where(TestConsent.test_id == _test.id, TestConsent.user_id == user_id),
        )
        held = (
            select(_held.question_id)
            .join(_paper, _paper.id == _held.paper_id)
            .join(_placed, _placed.test_id == _paper.test_id)
            .join(_exam, _exam.id == _placed.exam_id)
            .join(_test, _test.id == _placed.test_id)
            .where(_is_unreleased(), _exam.published_at.is_not(None), _exam.id != exam_id, own.is_not(True))
            .where(_held.question_id.in_(union_all(drafted, frozen)))
        )
        return bool(await self._session.scalar(select(held.exists())))
