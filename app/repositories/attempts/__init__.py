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

__all__ = [
    "RUNNING",
    "SAVE",
    "AttemptRepository",
    "GradingRepository",
    "NewEvent",
    "SaveOutcome",
    "SaveRequest",
    "Score",
]
