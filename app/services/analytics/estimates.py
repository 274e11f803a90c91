"""Estimates of a candidate's figures: a value with its interval and what it rests on, or why there is none.

Functions that need numpy import it where they run, because the application does not load it at start. They
run in a thread. Their input is bounded: the answers of at most ten attempts (`evidence.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from uuid import UUID

from app.engine.attempt_figures import CONFIDENCE_LETTERS
from app.engine.grading import LETTERS
from app.engine.scoring import Outcome
from app.sentences import Sentence
from app.services.analytics.evidence import Evidence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.engine.statistics.guessing import Regret

    Floats = NDArray[np.float64]

MIN_ANSWERS = 10
"""With fewer answers of a kind, nothing is said about marks that were lost by guessing or not guessing."""
MIN_ANSWERS_IN_SUBJECT = 5
"""As `engine/statistics/strengths.py`."""
PROVEN = 0.95

_CORRECT, _INCORRECT, _PARTIAL, _BLANK = (
    LETTERS[each] for each in (Outcome.CORRECT, Outcome.INCORRECT, Outcome.PARTIAL, Outcome.UNATTEMPTED)
)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 90 % interval. `n` counts the answers, or what else it rests on.

    Where there is too little, the value is None and `reason` says how much is missing.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: Sentence | None = None

    @classmethod
    def missing(cls, n: int, reason: Sentence) -> Self:
        """No value, and why."""
        return cls(None, None, None, n, reason)


@dataclass(frozen=True, slots=True)
class Strength:
    """Whether a subject is a strength or a weakness of the candidate."""

    verdict: str = "not_proven"
    n: int = 0
    reason: Sentence | None = None


@dataclass(frozen=True, slots=True)
class ConfidenceCheck:
    """How often answers with one stated confidence were right, against the break-even of their marks."""

    confidence: str
    answered: int
    right: int
    accuracy: Estimate
    break_even: float | None
    verdict: str
    advantage: Estimate
    """How much better they were than blind guesses among all options."""


@dataclass(frozen=True, slots=True)
class Guessing:
    """Marks that were lost by decisions to answer or not."""

    left_on_table: Estimate
    over_reached: Estimate


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the answers of a candidate say of decisions and subjects."""

    confidence: Sequence[ConfidenceCheck]
    guessing: Guessing
    strengths: Mapping[UUID, Strength] = field(default_factory=dict)


def accuracy_of(right: int, count: int, *, missing: Sentence) -> Estimate:
    """The share of right answers with its interval, or that there is no answer. It needs scipy."""
    from app.engine.statistics.guessing import accuracy  # noqa: PLC0415

    if not count:
        return Estimate.missing(0, missing)
    found, share = accuracy(right, count, 0.0), right / count
    return Estimate(share, min(found.low, share), max(found.high, share), count)


async def judge(answers: Sequence[Evidence]) -> Judgement:
    """Estimate everything that needs numpy, in a thread."""
    return await asyncio.to_thread(_judge, answers)


def _judge(answers: Sequence[Evidence]) -> Judgement:
    reviewed = [answer for answer in answers if answer.may_review]
    return Judgement(_confidence(reviewed), _guessing(reviewed), _strengths(answers))


def _confidence(answers: Sequence[Evidence]) -> list[ConfidenceCheck]:
    return [
        _check(name, [each for each in _judged(answers) if each.confidence == letter])
        for name, letter in CONFIDENCE_LETTERS.items()
    ]


def _check(name: str, answers: Sequence[Evidence]) -> ConfidenceCheck:
    from app.engine.statistics.guessing import accuracy  # noqa: PLC0415 -- it needs numpy

    count, right = len(answers), _right(answers)
    if not count:
        nothing = Estimate.missing(0, Sentence("You have given no answers with this confidence."))
        return ConfidenceCheck(name, 0, 0, nothing, None, "not_proven", nothing)
    threshold = sum(map(_break_even, answers)) / count
    found = accuracy(right, count, threshold)
    blind = sum(each.guess for each in answers) / count
    share = right / count
    return ConfidenceCheck(
        confidence=name,
        answered=count,
        right=right,
        accuracy=Estimate(share, min(found.low, share), max(found.high, share), count),
        break_even=threshold,
        verdict=_verdict(found.above_break_even),
        advantage=Estimate(
            share - blind, min(found.low, share) - blind, max(found.high, share) - blind, count
        ),
    )


def _verdict(above: float) -> str:
    """Whether answers of this kind pay, from the probability that their accuracy is above the break-even."""
    if above >= PROVEN:
        return "strength"
    return "weakness" if above <= 1 - PROVEN else "not_proven"


def _guessing(answers: Sequence[Evidence]) -> Guessing:
    groups = {letter: [each for each in _judged(answers) if each.confidence == letter] for letter in "sdg-"}
    blanks = [each for each in answers if each.outcome == _BLANK]
    return Guessing(_left_on_table(blanks, groups), _over_reached(groups))


def _left_on_table(blanks: Sequence[Evidence], groups: Mapping[str, Sequence[Evidence]]) -> Estimate:
    """What the blanks would have earned if they had been answered as well as the guesses were."""
    alike = groups["g"] if len(groups["g"]) >= MIN_ANSWERS else [*groups["g"], *groups["d"]]
    if len(alike) < MIN_ANSWERS:
        reason = Sentence(
            "This needs {needed} answers that you called doubtful or a guess. You have given {given}.",
            needed=MIN_ANSWERS,
            given=len(alike),
        )
        return Estimate.missing(len(alike), reason)
    low, middle, high = (_blank_marks(blanks, chances) for chances in _chances(blanks, alike))
    return Estimate(middle, low, high, len(alike))


def _over_reached(groups: Mapping[str, Sequence[Evidence]]) -> Estimate:
    """What the answers of groups that do not pay have cost on average."""
    known = {letter: group for letter, group in groups.items() if len(group) >= MIN_ANSWERS}
    count = sum(map(len, groups.values()))
    if not known:
        reason = Sentence(
            "This needs {needed} answers of one confidence. You have given {given}.",
            needed=MIN_ANSWERS,
            given=max(map(len, groups.values())),
        )
        return Estimate.missing(count, reason)
    high, middle, low = (
        sum(parts)
        for parts in zip(
            *(
                [_answer_marks(group, chances) for chances in _chances(group, group)]
                for group in known.values()
            ),
            strict=True,
        )
    )
    return Estimate(middle, low, high, sum(map(len, known.values())))


def _chances(asked: Sequence[Evidence], alike: Sequence[Evidence]) -> Iterable["Floats"]:
    """The probability of a right answer to each question: at its lower bound, its mean and its upper bound.

    It rests on the accuracy of the answers that are alike, moved by the difficulty of the question against
    theirs, where both are calibrated.
    """
    import numpy as np  # noqa: PLC0415

    from app.engine.statistics.guessing import accuracy  # noqa: PLC0415

    right, count = _right(alike), len(alike)
    found = accuracy(right, count, 0.0)
    known = [each.curve.difficulty for each in alike if each.curve is not None]
    usual = sum(known) / len(known) if len(known) >= MIN_ANSWERS else None
    shifts = np.array(
        [0.0 if each.curve is None or usual is None else usual - each.curve.difficulty for each in asked]
    )
    for share in (found.low, (right + 1) / (count + 2), found.high):
        logit = np.log(share / (1 - share)) + shifts
        yield 1 / (1 + np.exp(-logit))


def _blank_marks(blanks: Sequence[Evidence], chances: "Floats") -> float:
    return _regret(blanks, chances, answered=False).lost_by_blanks


def _answer_marks(group: Sequence[Evidence], chances: "Floats") -> float:
    return _regret(group, chances, answered=True).lost_by_answers


def _regret(questions: Sequence[Evidence], chances: "Floats", *, answered: bool) -> "Regret":
    import numpy as np  # noqa: PLC0415

    from app.engine.statistics.guessing import regret  # noqa: PLC0415

    right = np.array([each.right for each in questions])
    wrong = np.array([each.wrong for each in questions])
    return regret(chances, np.full(len(questions), answered), right, wrong)


def _strengths(answers: Sequence[Evidence]) -> dict[UUID, Strength]:
    """Each subject against the others, by reviewed questions whose difficulty is known."""
    counts = Counter(each.subject_id for each in answers)
    known = [each for each in answers if each.may_review and each.curve is not None]
    calibrated = Counter(each.subject_id for each in known)
    verdicts = _verdicts(known) if len(calibrated) > 1 else {}
    return {
        subject_id: _strength(verdicts.get(subject_id), calibrated[subject_id], len(calibrated))
        for subject_id in counts
    }


def _strength(verdict: str | None, n: int, subjects: int) -> Strength:
    if verdict is not None:
        return Strength(verdict, n)
    if n >= MIN_ANSWERS_IN_SUBJECT and subjects < 2:
        return Strength(n=n, reason=Sentence("This needs answers in another subject to compare with."))
    return Strength(
        n=n,
        reason=Sentence(
            "This needs {needed} questions of the subject whose difficulty is known. There are {given}.",
            needed=MIN_ANSWERS_IN_SUBJECT,
            given=n,
        ),
    )


def _verdicts(answers: Sequence[Evidence]) -> dict[UUID, str]:
    import numpy as np  # noqa: PLC0415

    from app.engine.statistics.irt.model import Items  # noqa: PLC0415
    from app.engine.statistics.strengths import strengths  # noqa: PLC0415

    subjects = list(dict.fromkeys(each.subject_id for each in answers))
    curves = [each.curve for each in answers if each.curve is not None]
    items = Items(
        np.array([curve.discrimination for curve in curves]),
        np.array([curve.difficulty for curve in curves]),
        np.array([curve.guessing for curve in curves]),
    )
    shares = np.array([_share(each) for each in answers])
    places = np.array([subjects.index(each.subject_id) for each in answers])
    found = strengths(shares, items, places)
    return {subjects[place]: strength.verdict.value for place, strength in found.items()}


def _share(answer: Evidence) -> float:
    """What the answer is worth: a blank as much as a blind guess."""
    if answer.outcome == _BLANK:
        return answer.guess
    return _HALF if answer.outcome == _PARTIAL else float(answer.outcome == _CORRECT)


def _judged(answers: Iterable[Evidence]) -> list[Evidence]:
    """Answers that were right or wrong."""
    return [each for each in answers if each.outcome in (_CORRECT, _INCORRECT)]


def _right(answers: Iterable[Evidence]) -> int:
    return sum(each.outcome == _CORRECT for each in answers)


def _break_even(answer: Evidence) -> float:
    return -answer.wrong / (answer.right - answer.wrong)
