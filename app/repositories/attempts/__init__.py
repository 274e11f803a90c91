"""Attempts, the log of responses, results and the distribution of scores."""

from app.repositories.attempts.attempts import (
    RUNNING,
    SAVE,
    AttemptRepository,
    NewEvent,
    SaveOutcome,
    SaveRequest,
)

__all__ = [
    "RUNNING",
    "SAVE",
    "AttemptRepository",
    "NewEvent",
    "SaveOutcome",
    "SaveRequest",
]
