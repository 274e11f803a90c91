"""The figures of one graded attempt: times, order, changes of answers, and sums by subject.

The result says what stood and what it earned. The log says how the candidate got there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from math import lcm
from operator import add
from typing import Self
from uuid import UUID

from app.engine.answers import Answer
from app.engine.grading import LETTERS, Grader
from app.engine.responses import count_changes
from app.engine.scoring import Outcome, PaperKey, counted_places

CONFIDENCE_LETTERS = {"sure": "s", "doubtful": "d", "guess": "g"}
NO_CONFIDENCE = "-"

_CORRECT, _INCORRECT, _PARTIAL, _DROPPED = (
    LETTERS[outcome] for outcome in (Outcome.CORRECT, Outcome.INCORRECT, Outcome.PARTIAL, Outcome.DROPPED)
)
_JUDGED = {_CORRECT, _INCORRECT, _PARTIAL}
_MAX_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class MarkedAttempt:
    """A result: what stands, in the order of the paper. Marks are in parts of `1 / denominator`."""

    answers: Sequence[Answer | None]
    outcomes: str
    marks: Sequence[int]
    denominator: int


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """What the log of an attempt says by question. Events that do not count are left out."""

    spent_ms: Mapping[UUID, int] = field(default_factory=dict)
    """The leases add up, as in a result."""
    first_at: Mapping[UUID, datetime] = field(default_factory=dict)
    """When the first answer was received."""
    first_answers: Mapping[UUID, Answer] = field(default_factory=dict)
    """The first answer, at least where another one stands now, or none."""
    confidence: Mapping[UUID, str] = field(default_factory=dict)
    languages: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubjectSums:
    """Sums over questions of one subject. Marks are raw and in parts of `1 / denominator` of their row."""

    questions: int = 0
    """Those that count: no dropped ones, and of a section with `choose` only so many."""
    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    gained: int = 0
    lost: int = 0
    most: int = 0
    """What `questions` would earn if all of them were right."""
    spent_ms: int = 0

    @property
    def answered(self) -> int:
        """The answers that were judged."""
        return self.correct + self.incorrect + self.partial

    @property
    def accuracy(self) -> float | None:
        """Partly right answers are on neither side, as in a result."""
        judged = self.correct + self.incorrect
        return self.correct / judged if judged else None

    def as_numbers(self) -> tuple[int, ...]:
        """The fields in their order. `dataclasses.astuple` copies each value, and takes ten times as long."""
        return (
            self.questions,
            self.correct,
            self.incorrect,
            self.partial,
            self.gained,
            self.lost,
            self.most,
            self.spent_ms,
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, self.as_numbers(), other.as_numbers()))


SUMS = len(fields(SubjectSums))


@dataclass(frozen=True, slots=True)
class Figures:
    """What is kept of one attempt. The fields are described at `models.AttemptFigures`."""

    spent_ms: list[int] | None
    answered_order: list[int] | None
    confidence: str
    language: str | None
    right_to_wrong: int
    wrong_to_right: int
    wrong_to_wrong: int
    net_marks: int
    subject_ids: list[UUID]
    sums: list[int]
    denominator: int


def figures_of(
    key: PaperKey, grader: Grader, subjects: Sequence[UUID], marked: MarkedAttempt, log: AttemptLog
) -> Figures:
    """Return the figures of an attempt that was marked by this key.

    `subjects` has the subject of each question, in the order of the paper.
    """
    ids = [item.question_id for item in key.items]
    spent = [min(log.spent_ms.get(question_id, 0), _MAX_MS) for question_id in ids]
    changes = _changes(grader, ids, marked, log)
    denominator = lcm(marked.denominator, changes.denominator, *_denominators(key))
    sums = _sums(key, subjects, marked, spent, denominator)
    return Figures(
        spent_ms=spent if any(spent) else None,
        answered_order=_order(ids, log.first_at),
        confidence=_confidence(ids, marked.answers, log.confidence),
        language=_language(log.languages),
        right_to_wrong=changes.right_to_wrong,
        wrong_to_right=changes.wrong_to_right,
        wrong_to_wrong=changes.wrong_to_wrong,
        net_marks=changes.net_marks * (denominator // changes.denominator),
        subject_ids=list(sums),
        sums=[number for of_subject in sums.values() for number in of_subject.as_numbers()],
        denominator=denominator,
    )


def sums_by_subject(subject_ids: Sequence[UUID], numbers: Sequence[int]) -> dict[UUID, SubjectSums]:
    """The sums of a row, by subject."""
    return {
        subject_id: SubjectSums(*numbers[place * SUMS : (place + 1) * SUMS])
        for place, subject_id in enumerate(subject_ids)
    }


@dataclass(frozen=True, slots=True)
class _Changes:
    right_to_wrong: int = 0
    wrong_to_right: int = 0
    wrong_to_wrong: int = 0
    net_marks: int = 0
    denominator: int = 1


def _changes(grader: Grader, ids: Sequence[UUID], marked: MarkedAttempt, log: AttemptLog) -> _Changes:
    """Compare the attempt with the same attempt with first answers, marked by the same key.

    Both have all answers, so that the rules of sections apply to both. A partly right answer is right here,
    and dropped questions are left out.
    """
    first, changed = list(marked.answers), []
    for place, question_id in enumerate(ids):
        answer = log.first_answers.get(question_id)
        if marked.outcomes[place] == _DROPPED:
            continue
        if answer and count_changes((answer, marked.answers[place])):
            first[place] = answer
            changed.append(place)
    if not changed:
        return _Changes()
    before = grader.grade(first)
    pairs = [(_is_right(before.outcomes[place]), _is_right(marked.outcomes[place])) for place in changed]
    counts = Counter(pairs)
    denominator = lcm(before.denominator, marked.denominator)
    return _Changes(
        right_to_wrong=counts[True, False],
        wrong_to_right=counts[False, True],
        wrong_to_wrong=counts[False, False],
        net_marks=sum(marked.marks) * (denominator // marked.denominator)
        - sum(before.marks) * (denominator // before.denominator),
        denominator=denominator,
    )


def _is_right(letter: str) -> bool:
    return letter in (_CORRECT, _PARTIAL)


def _denominators(key: PaperKey) -> set[int]:
    return {item.marks.correct.denominator for item in key.items}


def _sums(
    key: PaperKey, subjects: Sequence[UUID], marked: MarkedAttempt, spent: Sequence[int], denominator: int
) -> dict[UUID, SubjectSums]:
    """The sums of each subject, in the order of the paper."""
    times, counted = denominator // marked.denominator, _counted(key, marked.answers)
    totals: dict[UUID, list[int]] = {}
    for place, item in enumerate(key.items):
        total = totals.setdefault(subjects[place], [0] * SUMS)
        letter, marks = marked.outcomes[place], marked.marks[place] * times
        correct = item.marks.correct
        counts = letter != _DROPPED and place in counted
        values = (
            counts,
            letter == _CORRECT,
            letter == _INCORRECT,
            letter == _PARTIAL,
            max(marks, 0),
            max(-marks, 0),
            correct.numerator * (denominator // correct.denominator) if counts else 0,
            spent[place],
        )
        for index, value in enumerate(values):
            total[index] += value
    return {subject_id: SubjectSums(*total) for subject_id, total in totals.items()}


def _counted(key: PaperKey, answers: Sequence[Answer | None]) -> set[int]:
    """The places of the questions that count: of a section with `choose` the first so many answered ones."""
    counted: set[int] = set()
    for section in key.sections:
        places = key.places_of[section.id]
        given = [answers[place] for place in places]
        chosen = counted_places(key.items_of[section.id], section.choose, given, key.dropped)
        counted.update(places[place] for place in chosen)
    return counted


def _order(ids: Sequence[UUID], first_at: Mapping[UUID, datetime]) -> list[int] | None:
    """The place of each question in the order of first answers. Answers of one request keep the paper's."""
    if len(set(first_at.values())) < min(len(first_at), 2):
        return None
    answered = [place for place, question_id in enumerate(ids) if question_id in first_at]
    order = [0] * len(ids)
    for number, place in enumerate(sorted(answered, key=lambda place: first_at[ids[place]]), start=1):
        order[place] = number
    return order


def _confidence(ids: Sequence[UUID], answers: Sequence[Answer | None], confidence: Mapping[UUID, str]) -> str:
    return "".join(
        CONFIDENCE_LETTERS.get(confidence.get(question_id) or "", NO_CONFIDENCE) if answer else NO_CONFIDENCE
        for question_id, answer in zip(ids, answers, strict=True)
    )


def _language(languages: Mapping[UUID, str]) -> str | None:
    """The commonest language; of two that are equally common, the first in the alphabet."""
    counts = Counter(languages.values())
    return min(counts, key=lambda language: (-counts[language], language), default=None)
