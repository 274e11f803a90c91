"""Where the questions of a subject are in papers, and what the bank says of them. No keys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.models import PaperQuestion, Question, QuestionVersion
from app.repositories.analytics.blanks import OPTION_IDS, guess_share
from app.repositories.base import Repository


@dataclass(frozen=True, slots=True)
class PlacedQuestion:
    """A question at its place in a paper, with chapter, difficulty and tags as the bank has them now."""

    paper_id: UUID
    position: int
    """Counted from 1."""
    question_id: UUID
    chapter_id: UUID | None
    difficulty: str | None
    """The author's label."""
    tags: Sequence[str]
    guess: float
    """How often a blind guess is right."""


class SubjectQuestionRepository(Repository):
    """Questions of a subject in papers that their reader has taken."""

    async def placed(self, subject_id: UUID, paper_ids: Collection[UUID]) -> Sequence[PlacedQuestion]:
        """The questions of the subject in these papers, in the order of each paper."""
        current = and_(
            QuestionVersion.question_id == Question.id, QuestionVersion.number == Question.current_version
        )
        statement = (
            select(
                PaperQuestion.paper_id,
                PaperQuestion.position,
                Question.id,
                Question.chapter_id,
                QuestionVersion.difficulty,
                QuestionVersion.tags,
                QuestionVersion.type,
                OPTION_IDS,
            )
            .join(Question, Question.id == PaperQuestion.question_id)
            .join(QuestionVersion, current)
            .where(
                PaperQuestion.paper_id == any_(literal(list(paper_ids), ARRAY(Uuid))),
                Question.subject_id == subject_id,
            )
            .order_by(PaperQuestion.paper_id, PaperQuestion.position)
        )
        return [
            PlacedQuestion(*row, guess=guess_share(type_, option_ids))
            for *row, type_, option_ids in await self._session.execute(statement)
        ]
