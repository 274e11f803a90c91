"""Who may place a test in an exam (docs/decisions/0021)."""

from uuid import UUID

from sqlalchemy import and_, or_, select, union_all
from sqlalchemy.orm import aliased

from app.models import Exam, ExamPaper, Paper, PaperQuestion, Test, TestQuestion, TestSection
from app.repositories import locks
from app.repositories.base import Repository
from app.repositories.embargo import is_lent


class PlacingRepository(Repository):
    """Checks of placements. Each is one statement."""

    async def lock_placements(self, institute_id: UUID) -> None:
        """Lock the publication of exams of the institute until this transaction ends."""
        await locks.lock_placements(self._session, institute_id)

    async def may_place(self, user_id: UUID, test_id: UUID) -> bool:
        """Whether a non-admin may place the test: as its author, by consent, or if it has no author."""
        allowed = or_(Test.created_by.is_(None), Test.created_by == user_id, is_lent(Test, user_id))
        return bool(await self._session.scalar(select(allowed).where(Test.id == test_id)))

    async def held_by_others(self, user_id: UUID, test_id: UUID, *, exam_id: UUID) -> bool:
        """Whether an unreleased exam of somebody else has the test, or a published one a question of it.

        An exam is somebody else's if the user is neither the author of its test nor has that author's
        consent. If its test has no author, it is that of whoever made the exam. `exam_id` is the exam that
        the test will be placed in, which is left out.
        """
        theirs = aliased(Test)
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
            theirs.created_by == user_id,
            and_(theirs.created_by.is_(None), Exam.created_by == user_id),
            is_lent(theirs, user_id),
        )
        placed = (
            select(ExamPaper.id)
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .join(theirs, theirs.id == ExamPaper.test_id)
            .where(Exam.released_at.is_(None), Exam.cancelled_at.is_(None))
            .where(Exam.id != exam_id, own.is_not(True))
        )
        held, paper = aliased(PaperQuestion), aliased(Paper)
        sharing = (
            placed.join(paper, paper.test_id == ExamPaper.test_id)
            .join(held, held.paper_id == paper.id)
            .where(Exam.published_at.is_not(None), held.question_id.in_(union_all(drafted, frozen)))
        )
        same = placed.where(ExamPaper.test_id == test_id)
        return bool(await self._session.scalar(select(or_(same.exists(), sharing.exists()))))
