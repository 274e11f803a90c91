"""Where the questions of a subject are in papers, and what the bank says of them. No keys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.models import Paper, PaperQuestion, Question, QuestionVersion
from app.repositories.analytics.blanks import OPTION_IDS, guess_share, is_place, optional_questions
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
    is_optional: bool
    """Whether its section asks for fewer questions than it has."""


class SubjectQuestionRepository(Repository):
    """Questions of a subject in papers that their reader has taken."""

    async def placed(self, subject_id: UUID, paper_ids: Collection[UUID]) -> Sequence[PlacedQuestion]:
        """The questions of the subject in these papers, in the order of each paper."""
        current = and_(
            QuestionVersion.question_id == Question.id, QuestionVersion.number == Question.current_version
        )
        wanted = any_(literal(list(paper_ids), ARRAY(Uuid)))
        optional = optional_questions(Paper.id == wanted)
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
                optional.c.question_id.is_not(None).label("is_optional"),
            )
            .join(Question, Question.id == PaperQuestion.question_id)
            .join(QuestionVersion, current)
            .outerjoin(optional, is_place(optional))
            .where(
                PaperQuestion.paper_id == wanted,
                Question.subject_id == subject_id,
            )
            .order_by(PaperQuestion.paper_id, PaperQuestion.position)
        )
        return [
            PlacedQuestion(
                paper_id=row.paper_id,
                position=row.position,
                question_id=row.id,
                chapter_id=row.chapter_id,
                difficulty=row.difficulty,
                tags=row.tags,
                guess=guess_share(row.type, row.option_ids),
                is_optional=row.is_optional,
            )
            for row in await self._session.execute(statement)
        ]
