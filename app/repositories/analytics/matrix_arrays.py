"""Results as numpy arrays: `Matrix`, and the builder that makes it of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Row

from app.engine.answers import Answer, answer_of
from app.engine.grading import LETTERS, GradedAttempt
from app.engine.scoring import Outcome
from app.engine.statistics.distractors import BLANK, OTHER
from app.repositories.analytics.matrices import Column

NO_TIME = -1
_MAX_REMEMBERED_ANSWERS = 1_000
_MAX_LABELS = 127
"""Places of labels fit one byte. Labels are few: categories, and languages of the paper."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A label of each attempt, such as its category: the place of the label in `names`, -1 without one."""

    places: NDArray[np.int8]
    names: Sequence[str]

    def has(self, name: str) -> NDArray[np.bool_]:
        """Which attempts have this label."""
        is_named: NDArray[np.bool_] = self.places == self.names.index(name)
        return is_named


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The results of a group: a row for each attempt, a column for each question in the paper's order."""

    columns: Sequence[Column]
    attempt_ids: Sequence[UUID]
    marks: NDArray[np.float64]
    """Raw marks. They are computed from whole numbers."""
    letters: NDArray[np.uint8]
    """The outcomes, as `engine.grading.LETTERS`."""
    choices: NDArray[np.int8]
    """The place of the chosen option; -1 for a blank, -2 for any other answer."""
    times_ms: NDArray[np.int32]
    """Milliseconds; -1 where they are not known, as on paper."""
    categories: Labels
    languages: Labels
    pwbd: NDArray[np.bool_]

    def has(self, outcome: Outcome) -> NDArray[np.bool_]:
        """Where this is the outcome."""
        is_outcome: NDArray[np.bool_] = self.letters == ord(LETTERS[outcome])
        return is_outcome

    @property
    def totals(self) -> NDArray[np.float64]:
        """The raw score of each attempt."""
        totals: NDArray[np.float64] = self.marks.sum(axis=1)
        return totals


class MatrixBuilder:
    """Turns rows into arrays, some thousand rows at a time."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._ids: list[UUID] = []
        self._parts: list[tuple[NDArray[Any], ...]] = []
        self._places = [_Places(column) for column in columns]
        self._categories, self._languages = _LabelReader(), _LabelReader()

    def add(self, rows: Sequence[Row[Any]], marked: Mapping[UUID, GradedAttempt]) -> None:
        """Add results. `marked` has the sheets that count in place of a result, by attempt."""
        width = len(self._columns)
        sheets = [_marking(row, marked.get(row.id)) for row in rows]
        marks = np.fromstring(" ".join([sheet[0] for sheet in sheets]), sep=" ").reshape(len(rows), width)
        denominators = np.array([sheet[1] for sheet in sheets])
        letters = np.frombuffer("".join([sheet[2] for sheet in sheets]).encode(), np.uint8)
        self._ids += [row.id for row in rows]
        self._parts.append(
            (
                marks / denominators[:, None],
                letters.reshape(len(rows), width),
                self._choices([row.answers for row in rows]),
                self._times([row.spent_ms for row in rows]),
                self._categories.read([row.category for row in rows]),
                self._languages.read([row.language for row in rows]),
                np.array([row.pwbd for row in rows], dtype=np.bool_),
            )
        )

    def _choices(self, answers: Sequence[str]) -> NDArray[np.int8]:
        """Each sheet is read by itself: many lists at once would keep the garbage collector busy."""
        codes = [
            [
                places[tuple(answer) if type(answer) is list else answer and answer_of(answer)]
                for places, answer in zip(self._places, orjson.loads(sheet), strict=True)
            ]
            for sheet in answers
        ]
        return np.array(codes, dtype=np.int8)

    def _times(self, arrays: Sequence[bytes | None]) -> NDArray[np.int32]:
        """The binary form has five numbers, and then for each element its size and its value."""
        width = len(self._columns)
        times = np.full((len(arrays), width), NO_TIME, dtype=np.int32)
        known = [row for row, array in enumerate(arrays) if array is not None]
        if known:
            numbers = np.frombuffer(b"".join([array for array in arrays if array is not None]), ">i4")
            times[known] = numbers.reshape(len(known), 5 + 2 * width)[:, 6::2]
        return times

    def matrix(self) -> Matrix:
        """All rows, by attempt. Each kind of array is joined and released before the next."""
        width = len(self._columns)
        empty = (
            np.empty((0, width)),
            np.empty((0, width), np.uint8),
            np.empty((0, width), np.int8),
            np.empty((0, width), np.int32),
            np.empty(0, np.int8),
            np.empty(0, np.int8),
            np.empty(0, np.bool_),
        )
        order = sorted(range(len(self._ids)), key=self._ids.__getitem__)
        by_kind = [list(arrays) for arrays in zip(*(self._parts or [empty]), strict=True)]
        self._parts.clear()
        marks, letters, choices, times, categories, languages, pwbd = (
            np.concatenate(by_kind.pop(0))[order] for _ in range(len(by_kind))
        )
        return Matrix(
            columns=self._columns,
            attempt_ids=[self._ids[place] for place in order],
            marks=marks,
            letters=letters,
            choices=choices,
            times_ms=times,
            categories=Labels(categories, self._categories.names),
            languages=Labels(languages, self._languages.names),
            pwbd=pwbd,
        )


def _marking(row: Row[Any], graded: GradedAttempt | None) -> tuple[str, float, str]:
    """The marks of a row as a text, their denominator, and the outcomes."""
    if graded is None:
        return row.marks, float(row.marks_denominator), row.outcomes
    return " ".join(map(str, graded.marks)), float(graded.denominator), graded.outcomes


class _Places(dict[Answer | None, int]):
    """The places of the options that answers to one question name. It remembers what it has computed."""

    def __init__(self, column: Column) -> None:
        super().__init__({None: BLANK})
        self._type = column.type
        self._place_of = {option_id: place for place, option_id in enumerate(column.choices)}

    def __missing__(self, answer: Answer) -> int:
        if not self._place_of:
            return OTHER
        option = self._type.chosen(answer)
        place = OTHER if option is None else self._place_of.get(option, OTHER)
        if len(self) < _MAX_REMEMBERED_ANSWERS:
            self[answer] = place
        return place


class _LabelReader:
    """Numbers the labels in the order in which they come."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._place_of: dict[str | None, int] = {None: -1}

    def read(self, labels: Sequence[str | None]) -> NDArray[np.int8]:
        for label in labels:
            if label not in self._place_of:
                self._place_of[label] = self._number(label)
        return np.array([self._place_of[label] for label in labels], dtype=np.int8)

    def _number(self, label: str | None) -> int:
        if label is None or len(self.names) == _MAX_LABELS:
            return -1
        self.names.append(label)
        return len(self.names) - 1
