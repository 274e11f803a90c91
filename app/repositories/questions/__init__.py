"""The question bank: questions and their immutable versions."""

from app.repositories.questions.questions import (
    QuestionFilter,
    QuestionRepository,
)

__all__ = [
    "QuestionFilter",
    "QuestionRepository",
]
