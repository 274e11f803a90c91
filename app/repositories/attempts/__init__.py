"""Attempts, the log of responses, results and the distribution of scores."""

from app.repositories.attempts.attempts import (
    RUNNING,
    SAVE,
    AttemptRepository,
    NewEvent,
    SaveOutcome,
    SaveRequest,
)
from app.repositories.attempts.grading import GradingRepository, Score
from app.repositories.attempts.reviews import AnswerCounts, AttemptReviewRepository, QuestionLog

__all__ = [
    "RUNNING",
    "SAVE",
    "AnswerCounts",
    "AttemptRepository",
    "AttemptReviewRepository",
    "GradingRepository",
    "NewEvent",
    "QuestionLog",
    "SaveOutcome",
    "SaveRequest",
    "Score",
]
