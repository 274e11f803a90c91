"""Abilities of candidates by subject, and the answers that they are estimated from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert

from app.engine.grading import LETTERS
from app.engine.scoring import Outcome
from app.models import (
    Attempt,
    AttemptFigures,
    AttemptStatus,
    CandidateRating,
    Paper,
    PaperQuestion,
    Question,
    QuestionVersion,
    Result,
    SubjectAbility,
    Test,
    User,
)
from app.repositories.analytics.blanks import OPTION_IDS, guess_share, is_place, optional_questions
from app.repositories.analytics.ratings import CANDIDATES
from app.repositories.base import Repository
from app.repositories.embargo import shows_results
from app.repositories.locks import Mode, Rank


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What became of a candidate's first answer to a question."""

    user_id: UUID
    question_id: UUID
    subject_id: UUID
    outcome: str
    """The letter of the outcome, as in a result."""
    label: str | None
    """The difficulty that the author gave the question."""
    guess: float
    """How often a blind guess is right."""


@dataclass(frozen=True, slots=True)
class NewAbility:
    """An estimate to be stored."""

    user_id: UUID
    subject_id: UUID
    estimate: float
    standard_error: float
    answers: int


class AbilityRepository(Repository):
    """Abilities, whoever they belong to."""

    async def are_due(self) -> bool:
        """Whether a candidate has attempts that are newer than the abilities."""
        due = select(CandidateRating.user_id).where(CandidateRating.abilities_at.is_(None))
        return bool(await self._session.scalar(select(due.exists())))

    async def lock_due(self, limit: int) -> Sequence[UUID]:
        """Some candidates whose abilities are out of date, locked; without those that others have locked.

        The users are locked first, because the purge of an account locks them before it deletes the rest.
        """
        due = select(CandidateRating.user_id).where(CandidateRating.abilities_at.is_(None))
        user_ids = (await self._session.scalars(due.order_by(CandidateRating.user_id).limit(limit))).all()
        users = select(User.id).where(User.id == _among(user_ids)).order_by(User.id)
        await self._lock(Rank.USER, Mode.KEY_SHARE, users)
        mine = due.where(CandidateRating.user_id == _among(user_ids)).order_by(CandidateRating.user_id)
        return (await self._session.scalars(mine.with_for_update(skip_locked=True))).all()

    async def first_answers(self, user_ids: Collection[UUID]) -> Sequence[FirstAnswer]:
        """The first answers in official attempts that are shown and may be reviewed, without dropped ones.

        A blank is left out if no time was spent on the question, and in a section with `choose`.
        """
        outcome = func.substr(Result.outcomes, PaperQuestion.position, 1)
        spent = AttemptFigures.spent_ms[PaperQuestion.position]
        papers = select(Attempt.paper_id).where(Attempt.user_id == _among(user_ids))
        optional = optional_questions(Paper.id.in_(papers))
        was_seen = and_(or_(spent.is_(None), spent > 0), optional.c.question_id.is_(None))
        statement = (
            select(
                Attempt.user_id,
                PaperQuestion.question_id,
                Question.subject_id,
                outcome.label("outcome"),
                QuestionVersion.difficulty,
                QuestionVersion.type,
                OPTION_IDS,
            )
            .join(Test, Test.id == Attempt.test_id)
            .join(Result, Result.attempt_id == Attempt.id)
            .join(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
            .join(PaperQuestion, PaperQuestion.paper_id == Attempt.paper_id)
            .outerjoin(optional, is_place(optional))
            .join(Question, Question.id == PaperQuestion.question_id)
            .join(
                QuestionVersion,
                (QuestionVersion.question_id == Question.id)
                & (QuestionVersion.number == Question.current_version),
            )
            .where(
                Attempt.user_id == _among(user_ids),
                Attempt.status == AttemptStatus.GRADED,
                ~Attempt.practice,
                ~Result.was_staff,
                Test.review != "never",
                shows_results(CANDIDATES),
                outcome != LETTERS[Outcome.DROPPED],
                or_(outcome != LETTERS[Outcome.UNATTEMPTED], was_seen),
            )
            .ext(distinct_on(Attempt.user_id, PaperQuestion.question_id))
            .order_by(Attempt.user_id, PaperQuestion.question_id, Attempt.id)
        )
        return [
            FirstAnswer(
                user_id=row.user_id,
                question_id=row.question_id,
                subject_id=row.subject_id,
                outcome=row.outcome,
                label=row.difficulty,
                guess=guess_share(row.type, row.option_ids),
            )
            for row in await self._session.execute(statement)
        ]

    async def store(self, user_ids: Collection[UUID], abilities: Sequence[NewAbility], now: datetime) -> None:
        """Replace the abilities of locked candidates."""
        await self._session.execute(delete(SubjectAbility).where(SubjectAbility.user_id == _among(user_ids)))
        rows: list[Mapping[str, Any]] = [
            {
                "user_id": each.user_id,
                "subject_id": each.subject_id,
                "estimate": each.estimate,
                "standard_error": each.standard_error,
                "answers": each.answers,
                "estimated_at": now,
            }
            for each in abilities
        ]
        if rows:
            await self._session.execute(insert(SubjectAbility), rows)
        stored = update(CandidateRating).where(CandidateRating.user_id == _among(user_ids))
        await self._session.execute(stored.values(abilities_at=now))


def _among(ids: Collection[UUID]) -> Any:
    return any_(literal(list(ids), ARRAY(Uuid)))
