"""When questions that were missed or lucky are due for revision, by FSRS (docs/decisions/0068)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fsrs import Card, Rating, Scheduler, State

from app.engine.ratings import CardGround
from app.engine.recommending import DueCard
from app.models import ReviewCard
from app.repositories.analytics.cards import ShownCard

# Whole days from the first review on, and nothing random: taken in again, attempts give equal cards.
SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)

RATINGS: Mapping[CardGround, Rating] = {
    CardGround.MISSED: Rating.Again,
    CardGround.DOUBTFUL: Rating.Hard,
    CardGround.GUESSED: Rating.Hard,
    CardGround.KNOWN: Rating.Good,
}
SECONDS_A_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An attempt that was taken in, with what became of each question."""

    attempt_id: UUID
    user_id: UUID
    at: datetime
    grounds: Iterable[tuple[UUID, CardGround]]


class Deck:
    """The cards of candidates while attempts are taken in."""

    def __init__(self, cards: Mapping[tuple[UUID, UUID], ReviewCard]) -> None:
        self._before = cards
        self._changed: dict[tuple[UUID, UUID], dict[str, Any]] = {}

    @property
    def changed(self) -> Iterable[Mapping[str, Any]]:
        """The new and the changed cards, as rows."""
        return self._changed.values()

    def review(self, reviewed: Reviewed) -> None:
        """Review the cards of an attempt. A question that was known at once gets none."""
        for question_id, ground in reviewed.grounds:
            key = reviewed.user_id, question_id
            before = self._changed.get(key) or _row(self._before.get(key))
            if before is None and ground is CardGround.KNOWN:
                continue
            self._changed[key] = {
                "user_id": reviewed.user_id,
                "question_id": question_id,
                "attempt_id": reviewed.attempt_id,
                "ground": ground.value,
                **_next(before, RATINGS[ground], reviewed.at),
            }


def due_card(card: ShownCard, now: datetime) -> DueCard:
    """A card with its stability after a revision now, if the answer is right and if it is wrong."""
    days = max((now - card.reviewed_at).total_seconds() / SECONDS_A_DAY, 0.0)
    before = {"stability": card.stability, "difficulty": card.difficulty, "reviewed_at": card.reviewed_at}
    right, wrong = (_next({**before, "reviews": 1}, rating, now) for rating in (Rating.Good, Rating.Again))
    return DueCard(
        question_id=card.question_id,
        subject_id=card.subject_id,
        days=days,
        stability=card.stability,
        if_right=right["stability"],
        if_wrong=wrong["stability"],
    )


def _row(card: ReviewCard | None) -> Mapping[str, Any] | None:
    if card is None:
        return None
    names = "stability", "difficulty", "reviewed_at", "reviews"
    return {name: getattr(card, name) for name in names}


def _next(before: Mapping[str, Any] | None, rating: Rating, at: datetime) -> dict[str, Any]:
    """The values of a card after a review. One that is older than the last review counts as of that time."""
    last = before["reviewed_at"].astimezone(UTC) if before else None
    at = max(at.astimezone(UTC), last) if last else at.astimezone(UTC)
    card = Card(
        card_id=0,
        state=State.Review if before else State.Learning,
        stability=before["stability"] if before else None,
        difficulty=before["difficulty"] if before else None,
        due=at,
        last_review=last,
    )
    after, _ = SCHEDULER.review_card(card, rating, at)
    return {
        "due_at": after.due,
        "reviewed_at": at,
        "stability": after.stability,
        "difficulty": after.difficulty,
        "reviews": min((before["reviews"] if before else 0) + 1, 32_767),
    }
