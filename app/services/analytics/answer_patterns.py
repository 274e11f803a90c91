"""Answers as small numbers, one for each different answer to a question. Runs in a child process.

Unlike the options of a question, these tell apart "A and B" from "A and C", and one number from another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from app.engine.statistics.distractors import BLANK, OTHER, Choices

MAX_PATTERNS = 60
"""Of further answers to a question it is only known that they are others."""


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """The answers of all candidates."""

    codes: Choices
    """By candidate and question: the place of the answer in `answers`, or as in `option_counts`."""
    answers: Sequence[Sequence[Any]]
    """By question the different answers, as JSON values."""

    @property
    def most(self) -> int:
        """The largest number of different answers to a question."""
        return max((len(of_question) for of_question in self.answers), default=0)


def patterns_of(sheets: Sequence[bytes], questions: int) -> Patterns:
    """Number the answers in the order in which they come. `sheets` are JSON lists of sheets."""
    known: list[dict[Any, int]] = [{None: BLANK} for _ in range(questions)]
    answers: list[list[Any]] = [[] for _ in range(questions)]
    parts = [np.array(list(_coded(part, known, answers)), dtype=np.int8) for part in sheets]
    empty = np.empty((0, questions), dtype=np.int8)
    return Patterns(np.concatenate([empty, *parts]), answers)


def _coded(part: bytes, known: Sequence[dict[Any, int]], answers: Sequence[list[Any]]) -> Iterator[list[int]]:
    for sheet in orjson.loads(part):
        codes = []
        for place, answer in enumerate(sheet):
            name = tuple(answer) if isinstance(answer, list) else _hashable(answer)
            code = known[place].get(name)
            codes.append(_new(name, answer, known[place], answers[place]) if code is None else code)
        yield codes


def _new(name: Any, answer: Any, known: dict[Any, int], answers: list[Any]) -> int:
    if len(answers) >= MAX_PATTERNS:
        return OTHER
    known[name] = len(answers)
    answers.append(answer)
    return known[name]


def _hashable(answer: Any) -> Any:
    return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS) if isinstance(answer, dict) else answer
