"""Review cards: questions that a candidate missed or was not sure of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.models import Attempt, AttemptStatus, Question, ReviewCard, Test
from app.repositories.base import Repository
from app.repositories.embargo import Reader, shows_results
from app.repositories.tests import Viewer


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card whose question its candidate may see with its key."""

    question_id: UUID
    subject_id: UUID
    chapter_id: UUID | None
    ground: str
    due_at: datetime
    reviewed_at: datetime
    stability: float
    difficulty: float


class CardRepository(Repository):
    """The cards of candidates."""

    async def load(
        self, user_ids: Collection[UUID], question_ids: Collection[UUID]
    ) -> Mapping[tuple[UUID, UUID], ReviewCard]:
        """The cards of these candidates for these questions, for whoever takes attempts in."""
        statement = select(ReviewCard).where(
            ReviewCard.user_id == any_(literal(list(user_ids), ARRAY(Uuid))),
            ReviewCard.question_id == any_(literal(list(question_ids), ARRAY(Uuid))),
        )
        fresh = statement.execution_options(populate_existing=True)
        cards = (await self._session.scalars(fresh)).all()
        for card in cards:
            self._session.expunge(card)  # The caller computes new values, and `store` writes them.
        return {(card.user_id, card.question_id): card for card in cards}

    async def store(self, cards: Collection[Mapping[str, Any]]) -> None:
        """Store new cards and changed ones."""
        if not cards:
            return
        rows = sorted(cards, key=lambda card: (card["user_id"], card["question_id"]))
        new = insert(ReviewCard)
        changes = {name: new.excluded[name] for name in rows[0] if name not in ("user_id", "question_id")}
        statement = new.on_conflict_do_update(index_elements=["user_id", "question_id"], set_=changes)
        await self._session.execute(statement, rows)

    async def due(self, viewer: Viewer, now: datetime, limit: int) -> Sequence[ShownCard]:
        """The cards that are due, those that are due longest first."""
        rows = await self._session.execute(_due_longest(viewer.reader, limit), _values(viewer, now))
        return [ShownCard(*row) for row in rows]

    async def count_due(self, viewer: Viewer, until: datetime) -> int:
        """How many cards are due at a time."""
        counted = select(func.count()).select_from(_shown(viewer.reader).subquery())
        return (await self._session.scalar(counted, _values(viewer, until))) or 0


def _values(viewer: Viewer, until: datetime) -> Mapping[str, Any]:
    return {"user_id": viewer.user_id, "institute_id": viewer.institute_id, "until": until}


@lru_cache(maxsize=32)
def _due_longest(reader: Reader, limit: int) -> Select[*tuple[Any, ...]]:
    return _shown(reader).order_by(ReviewCard.due_at, ReviewCard.question_id).limit(limit)


@lru_cache(maxsize=32)
def _shown(reader: Reader) -> Select[*tuple[Any, ...]]:
    """The cards of `:user_id` that are due at `:until` and whose attempt may be reviewed.

    It may be if its result is shown and its test has a review.
    `after_release` needs no condition of its own: what waits for a release is withheld.
    """
    return (
        select(
            ReviewCard.question_id,
            Question.subject_id,
            Question.chapter_id,
            ReviewCard.ground,
            ReviewCard.due_at,
            ReviewCard.reviewed_at,
            ReviewCard.stability,
            ReviewCard.difficulty,
        )
        .join(Question, Question.id == ReviewCard.question_id)
        .join(Attempt, Attempt.id == ReviewCard.attempt_id)
        .join(Test, Test.id == Attempt.test_id)
        .where(
            ReviewCard.user_id == bindparam("user_id", type_=Uuid),
            ReviewCard.due_at <= bindparam("until", type_=ReviewCard.due_at.type),
            Attempt.status == AttemptStatus.GRADED,
            Test.institute_id == bindparam("institute_id", type_=Uuid),
            Question.status != "retired",
            Test.review != "never",
            shows_results(reader),
        )
    )
