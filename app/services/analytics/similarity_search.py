"""The search for similar answer sheets. Runs in a child process: it imports numpy and takes seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.distractors import BLANK, Choices
from app.engine.statistics.similarity import Floats, Pairs, SimilarPair, similar_pairs
from app.services.analytics.answer_patterns import patterns_of

PairKind = Literal["all", "device", "minute", "neighbors"]
"""Which pairs: all, those who used one device, those who submitted within a minute of each other, or those
whose roll numbers are at most four places apart, as in a room that is seated by roll number."""

_MINUTE = 60.0
_NEIGHBORS = 4
_MAX_THRESHOLD = 1e-3


@dataclass(frozen=True, slots=True)
class Search:
    """What to compare, as plain data."""

    questions: int
    answers: Sequence[bytes]
    outcomes: Sequence[str]
    devices: Sequence[str | None]
    submitted_at: Sequence[datetime | None]
    roll_numbers: Sequence[str | None]
    kind: PairKind
    rows: Sequence[int] | None
    """Only pairs with one of these sheets."""
    false_flags: float
    """How many pairs of independent candidates may be flagged on average."""
    most_pairs: int
    most_shown: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A flagged pair: rows of the sheets, and what they have in common."""

    first: int
    second: int
    both: int
    """The number of questions that both have answered."""
    equal: int
    expected: float
    probability: float
    right: int
    wrong: Sequence[int]
    """The numbers of the questions with the same wrong answer."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was compared. `threshold` is None if there were no pairs, or too many."""

    pairs: int
    threshold: float | None
    flagged: int
    evidence: Sequence[Evidence]


def search(wanted: Search) -> SearchResult:
    """Compare the pairs and return the flagged ones, the least probable first."""
    count = len(wanted.outcomes)
    if wanted.kind == "all" and wanted.rows is None:
        pairs, number = None, count * (count - 1) // 2
    else:
        pairs, number = _pairs(wanted)
    if number == 0 or number > wanted.most_pairs:
        return SearchResult(number, None, 0, [])
    threshold = min(_MAX_THRESHOLD, wanted.false_flags / number)
    patterns = patterns_of(wanted.answers, wanted.questions)
    letters = np.frombuffer("".join(wanted.outcomes).encode(), np.uint8).reshape(count, wanted.questions)
    found = similar_pairs(patterns.codes, _accuracy(letters), patterns.most, threshold, pairs)
    shown = [_evidence(pair, patterns.codes, letters) for pair in found[: wanted.most_shown]]
    return SearchResult(number, threshold, len(found), shown)


def _accuracy(letters: NDArray[np.uint8]) -> Floats:
    """The share of right answers among the answers of each candidate, drawn to a half where these are few."""
    right, blank = (letters == ord("c")).sum(axis=1), (letters == ord("u")).sum(axis=1)
    accuracy: Floats = (right + 1) / (letters.shape[1] - blank + 2)
    return accuracy


def _evidence(pair: SimilarPair, codes: Choices, letters: NDArray[np.uint8]) -> Evidence:
    first, second = codes[pair.first], codes[pair.second]
    equal = (first == second) & (first != BLANK)
    own = letters[pair.first]
    wrong = equal & (first >= 0) & (own == ord("i"))
    return Evidence(
        pair.first,
        pair.second,
        pair.both,
        pair.equal,
        pair.expected,
        pair.probability,
        right=int((equal & (own == ord("c"))).sum()),
        wrong=(np.flatnonzero(wrong) + 1).tolist(),
    )


def _pairs(wanted: Search) -> tuple[Pairs | None, int]:
    """The wanted pairs and their number; no pairs if there are too many."""
    if wanted.kind == "all":
        return _with_all(np.array(wanted.rows, dtype=np.int64), len(wanted.outcomes), wanted.most_pairs)
    order, ends = _neighborhoods(wanted)
    counts = ends - np.arange(len(order)) - 1
    number = int(counts.sum())
    if number > wanted.most_pairs:
        return None, number
    first = np.repeat(np.arange(len(order)), counts)
    second = first + 1 + np.arange(number) - np.repeat(np.cumsum(counts) - counts, counts)
    pairs = np.stack([order[first], order[second]], axis=1).reshape(-1, 2)
    if wanted.rows is not None:
        pairs = pairs[np.isin(pairs, wanted.rows).any(axis=1)]
    return pairs, len(pairs)


def _with_all(rows: NDArray[np.int64], count: int, most: int) -> tuple[Pairs | None, int]:
    """The pairs of each of these sheets with every other one."""
    among = len(rows) * (len(rows) - 1) // 2
    number = len(rows) * (count - 1) - among
    if number > most:
        return None, number
    others = np.setdiff1d(np.arange(count), rows)
    outside = np.stack([np.repeat(rows, len(others)), np.tile(others, len(rows))], axis=1)
    inside = np.stack(np.triu_indices(len(rows), 1), axis=1)
    return np.concatenate([outside, rows[inside].reshape(-1, 2)]), number


def _neighborhoods(wanted: Search) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The sheets of which something is known, in order; and for each where its neighborhood ends."""
    if wanted.kind == "device":
        known = [(device, row) for row, device in enumerate(wanted.devices) if device]
        names, order = _sorted(known)
        return order, np.searchsorted(names, names, side="right")
    if wanted.kind == "minute":
        times = [(at.timestamp(), row) for row, at in enumerate(wanted.submitted_at) if at is not None]
        seconds, order = _sorted(times)
        return order, np.searchsorted(seconds, seconds + _MINUTE, side="right")
    numbers = [(_natural(number), row) for row, number in enumerate(wanted.roll_numbers) if number]
    order = np.array([row for _, row in sorted(numbers)], dtype=np.int64)
    return order, np.minimum(np.arange(len(order)) + 1 + _NEIGHBORS, len(order))


def _sorted(known: Sequence[tuple[Any, int]]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    values = np.array([value for value, _ in known])
    order = np.argsort(values, kind="stable")
    return values[order], np.array([row for _, row in known], dtype=np.int64)[order]


def _natural(number: str) -> tuple[int, str]:
    """Numbers in the order of counting: 9 before 10, whatever their leading zeros."""
    return len(number), number
