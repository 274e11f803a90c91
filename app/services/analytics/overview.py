"""The overview: what a candidate's results say altogether, and what to look at next."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from app.engine.attempt_figures import SubjectSums
from app.engine.grading import LETTERS
from app.engine.marks import RoundingPolicy, printed
from app.engine.scoring import Outcome
from app.engine.streaks import day_of, streak_days
from app.models import Subject, SubjectAbility
from app.repositories.analytics.shown import ShownAttempt
from app.sentences import Sentence
from app.services import tests
from app.services.analytics import activity, situation
from app.services.analytics.cutoffs import CutoffChance
from app.services.analytics.estimates import (
    MIN_ANSWERS,
    ConfidenceCheck,
    Estimate,
    Guessing,
    Strength,
    accuracy_of,
)
from app.services.analytics.evidence import newest_official
from app.services.analytics.judging import estimate
from app.services.analytics.recommendations import Recommendation, advise
from app.services.analytics.situation import KnownSituation
from app.services.analytics.subject_gain import expected_gain
from app.services.analytics.trend import TrendPoint, trend
from app.services.components import Components
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_POINTS, MAX_NEXT = 20, 3
_JUDGED = [LETTERS[each] for each in (Outcome.CORRECT, Outcome.INCORRECT, Outcome.PARTIAL)]
_Z_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over attempts. Marks are after proration, as in results."""

    attempts: int = 0
    answered: int = 0
    correct: int = 0
    incorrect: int = 0
    marks_gained: Fraction = Fraction(0)
    marks_lost: Fraction = Fraction(0)
    study_ms: int = 0
    rounding: RoundingPolicy = RoundingPolicy.HALF_UP
    """That of the tests, if they all have one."""

    @property
    def accuracy(self) -> float | None:
        judged = self.correct + self.incorrect
        return self.correct / judged if judged else None

    def __add__(self, other: Self) -> Self:
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in (
                "attempts",
                "answered",
                "correct",
                "incorrect",
                "marks_gained",
                "marks_lost",
                "study_ms",
            )
        }
        policies = {each.rounding for each in (self, other) if each.attempts}
        return type(self)(**sums, rounding=policies.pop() if len(policies) == 1 else RoundingPolicy.HALF_UP)

    @classmethod
    def of(cls, attempts: Sequence[ShownAttempt]) -> Self:
        """The sums of these attempts."""
        outcomes = "".join(attempt.outcomes for attempt in attempts)
        marks = [_marks(attempt) for attempt in attempts]
        policies = {RoundingPolicy(attempt.marking["rounding"]) for attempt in attempts}
        return cls(
            attempts=len(attempts),
            answered=sum(map(outcomes.count, _JUDGED)),
            correct=outcomes.count(LETTERS[Outcome.CORRECT]),
            incorrect=outcomes.count(LETTERS[Outcome.INCORRECT]),
            marks_gained=sum((gained for gained, _ in marks), Fraction(0)),
            marks_lost=sum((lost for _, lost in marks), Fraction(0)),
            study_ms=sum(attempt.figures.total.spent_ms for attempt in attempts if attempt.figures),
            rounding=policies.pop() if len(policies) == 1 else RoundingPolicy.HALF_UP,
        )

    def print_marks(self, marks: Fraction) -> str:
        """Marks with two places."""
        return printed(marks, Fraction(1), self.rounding)


@dataclass(frozen=True, slots=True)
class SubjectOverview:
    """One subject of the overview."""

    subject: Subject
    sums: SubjectSums
    accuracy: Estimate
    ability: Estimate
    strength: Strength
    expected_gain: Estimate


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview shows."""

    all: Totals
    official: Totals
    practice: Totals
    tests_taken: int
    pending: int
    """Attempts whose figures are not computed yet: they count in no time, subject or marks."""
    streak_days: int
    trend: Sequence[TrendPoint]
    subjects: Sequence[SubjectOverview]
    confidence: Sequence[ConfidenceCheck]
    guessing: Guessing
    cutoffs: Sequence[CutoffChance]
    next: Sequence[Recommendation]


async def overview(reads: Reading, parts: Components, user: Principal, now: datetime) -> Overview:
    """The overview of the attempts whose results are shown to the user."""
    zone = ZoneInfo(user.timezone)
    attempts = await reads.shown.attempts(tests.viewer(user))
    estimates = await estimate(reads, parts, newest_official(attempts), user.category)
    judgement = estimates.judgement
    known = await situation.gather(reads, user, now)
    official = Totals.of([attempt for attempt in attempts if not attempt.practice])
    practice = Totals.of([attempt for attempt in attempts if attempt.practice])
    return Overview(
        all=official + practice,
        official=official,
        practice=practice,
        tests_taken=len({attempt.test_id for attempt in attempts}),
        pending=sum(attempt.figures is None for attempt in attempts),
        streak_days=streak_days(await activity.moments(reads, user, now, zone), now, zone),
        trend=await _trend(reads, attempts[:MAX_POINTS]),
        subjects=await asyncio.to_thread(_subjects, known, attempts, judgement.strengths),
        confidence=judgement.confidence,
        guessing=judgement.guessing,
        cutoffs=estimates.cutoffs,
        next=(await advise(reads, user, known, day_of(now, zone)))[:MAX_NEXT],
    )


def _marks(attempt: ShownAttempt) -> tuple[Fraction, Fraction]:
    """Marks gained and lost, both after proration."""
    if attempt.figures is None:
        return Fraction(0), Fraction(0)
    total, factor = attempt.figures.total, attempt.score.factor / attempt.figures.denominator
    return total.gained * factor, total.lost * factor


async def _trend(reads: Reading, newest: Sequence[ShownAttempt]) -> Sequence[TrendPoint]:
    """The trend of the newest attempts. A percentile is withheld as the rank of a result is."""
    ranked = [attempt.id for attempt in newest if attempt.counted and attempt.may_compare]
    return trend(list(reversed(newest)), await reads.shown.standings(ranked))


def _subjects(
    known: KnownSituation,
    attempts: Sequence[ShownAttempt],
    strengths: Mapping[UUID, Strength],
) -> Sequence[SubjectOverview]:
    """The subjects of the attempts, in the order of the syllabus."""
    sums: dict[UUID, SubjectSums] = {}
    for attempt in attempts:
        for subject_id, of_attempt in attempt.figures.subjects.items() if attempt.figures else ():
            sums[subject_id] = sums.get(subject_id, SubjectSums()) + of_attempt
    return [
        SubjectOverview(
            subject=subject,
            sums=sums[subject.id],
            accuracy=_accuracy(sums[subject.id]),
            ability=_ability(known.abilities.get(subject.id)),
            strength=strengths.get(subject.id, Strength()),
            expected_gain=expected_gain(subject.id, sums[subject.id], attempts),
        )
        for subject in sorted(known.subjects, key=lambda subject: (subject.position, subject.id))
        if subject.id in sums
    ]


def _accuracy(sums: SubjectSums) -> Estimate:
    """The share of right answers among those that were right or wrong."""
    count = sums.correct + sums.incorrect
    return accuracy_of(
        sums.correct, count, missing=Sentence("You have answered no question of this subject.")
    )


def _ability(row: SubjectAbility | None) -> Estimate:
    if row is None or row.answers < MIN_ANSWERS:
        given = row.answers if row else 0
        reason = Sentence(
            "This needs {needed} questions of the subject in official attempts, and is estimated at night."
            " There are {given}.",
            needed=MIN_ANSWERS,
            given=given,
        )
        return Estimate.missing(given, reason)
    half = _Z_90 * row.standard_error
    return Estimate(row.estimate, row.estimate - half, row.estimate + half, row.answers)
