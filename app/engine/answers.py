"""Answers: as JSON carries them, and as the rules compare them."""

from typing import Any

Answer = str | tuple[str, ...]
"""A typed answer, or the ids of the marked options. Hashable, so that equal answers are marked once."""

JsonAnswer = str | list[str]
"""An answer in a request, in the response log and in a result."""


def answer_of(stored: Any) -> Answer | None:
    """The answer that JSON holds; None where it was cleared."""
    return tuple(stored) if isinstance(stored, list) else stored


def json_of(answer: Answer | None) -> JsonAnswer | None:
    """The answer as JSON holds it."""
    return list(answer) if isinstance(answer, tuple) else answer
