"""Attempts, the log of responses, results and the distribution of scores."""

from app.repositories.attempts.attempts import RUNNING, AttemptRepository
from app.repositories.attempts.grading import GradingRepository, Score
from app.repositories.attempts.reviews import (
    NOT_SAVED,
    AnswerCounts,
    AttemptReviewRepository,
    QuestionLog,
)
from app.repositories.attempts.save_statement import NewEvent, SaveOutcome, SaveRequest, given_time_of

__all__ = [
    "NOT_SAVED",
    "RUNNING",
    "AnswerCounts",
    "AttemptRepository",
    "AttemptReviewRepository",
    "GradingRepository",
    "NewEvent",
    "QuestionLog",
    "SaveOutcome",
    "SaveRequest",
    "Score",
    "given_time_of",
]
