"""Answers: as JSON carries them, and as the rules compare them."""

from typing import Any

Answer = str | tuple[str, ...] | tuple[tuple[str, str], ...]
"""A typed answer, the ids of the marked options, or pairs of ids in order.

Hashable, so that equal answers are marked once.
"""

JsonAnswer = str | list[str] | dict[str, str]
"""An answer in a request, in the response log and in a result."""


def answer_of(stored: Any) -> Answer | None:
    """The answer that JSON holds; None where it was cleared."""
    if isinstance(stored, dict):
        return tuple(sorted(stored.items()))
    return tuple(stored) if isinstance(stored, list) else stored


def json_of(answer: Answer | None) -> JsonAnswer | None:
    """The answer as JSON holds it."""
    if not isinstance(answer, tuple):
        return answer
    pairs = dict(part for part in answer if isinstance(part, tuple))
    return pairs or [part for part in answer if isinstance(part, str)]
