"""The refresh of a test's statistics (docs/decisions/0067)."""

from app.engine.question_types import question_type
from app.repositories.analytics.matrices import Column
from app.services.tests.papers import FrozenPaper


def columns_of(paper: FrozenPaper) -> tuple[Column, ...]:
    """The questions of a paper, as its results are loaded."""
    return tuple(
        Column(question.id, question_type(question.type), question.options)
        for question in paper.questions.values()
    )
