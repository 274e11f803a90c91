"""One subject of a candidate: chapters, difficulties, tags, times, trend, and what is missed repeatedly."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from statistics import median
from uuid import UUID

from app.engine.marks import RoundingPolicy
from app.models import Chapter, LocalizedText, Subject
from app.repositories.analytics.shown import ShownAttempt
from app.services import subjects, tests
from app.services.analytics import subject_answers
from app.services.analytics.estimates import Estimate, Strength
from app.services.analytics.subject_answers import BLANK, CORRECT, INCORRECT, PARTIAL, SubjectAnswer, grouped
from app.services.analytics.subject_estimates import (
    TrendVerdict,
    accuracy,
    chapter_verdicts,
    pace,
    trend_verdict,
)
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_ATTEMPTS = 100
"""The newest ones."""
MAX_POINTS, MAX_TAGS, MAX_MISSED_QUESTIONS = 20, 30, 50
MIN_MISSES = 2
DIFFICULTIES = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True)
class Tally:
    """Questions and what became of them, each as often as it was in an attempt."""

    seen: int
    correct: int
    incorrect: int
    partial: int
    unattempted: int
    accuracy: Estimate

    @property
    def answered(self) -> int:
        return self.correct + self.incorrect + self.partial


@dataclass(frozen=True, slots=True)
class SubjectMarks:
    """Marks before proration, and the time. `rounding` is that of the tests if they all have one."""

    gained: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)
    most: Fraction = Fraction(0)
    """What the questions can earn."""
    spent_ms: int = 0
    rounding: RoundingPolicy = RoundingPolicy.HALF_UP

    @property
    def percent(self) -> float | None:
        return float(100 * (self.gained - self.lost) / self.most) if self.most else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Official and practice attempts apart."""

    official: Tally
    practice: Tally


@dataclass(frozen=True, slots=True)
class ChapterFigures:
    """A chapter; None are the questions of no chapter."""

    chapter: Chapter | None
    figures: Figures
    strength: Strength


@dataclass(frozen=True, slots=True)
class Times:
    """The time for a question. All are medians in milliseconds, None where no time is known."""

    pace: Estimate
    own_ms: float | None
    others_ms: float | None
    """Of the same questions, among their participants."""
    right_ms: float | None
    wrong_ms: float | None
    blank_ms: float | None


@dataclass(frozen=True, slots=True)
class SubjectPoint:
    """The subject in one attempt."""

    attempt: ShownAttempt
    tally: Tally
    score_percent: float | None


@dataclass(frozen=True, slots=True)
class MissedQuestion:
    """A question that was answered wrongly more than once. The attempt is the last one with it."""

    question_id: UUID
    chapter_id: UUID | None
    missed: int
    seen: int
    last_missed_at: datetime
    right_since: bool
    """Whether it was right in the last attempt."""
    attempt_id: UUID
    test_id: UUID
    title: LocalizedText


@dataclass(frozen=True, slots=True)
class SubjectAnalysis:
    """What a candidate's results say of one subject.

    The totals are of all attempts. Everything that tells questions of the subject apart is of attempts that
    the candidate may review: a tag that one question has, or a chosen time, would tell its outcome.
    """

    subject: Subject
    attempts: int
    figures: Figures
    official_marks: SubjectMarks
    practice_marks: SubjectMarks
    chapters: Sequence[ChapterFigures]
    difficulties: Sequence[tuple[str | None, Figures]]
    tags: Sequence[tuple[str, Figures]]
    times: Times
    trend: Sequence[SubjectPoint]
    trend_verdict: TrendVerdict
    missed: Sequence[MissedQuestion]


async def subject_analysis(reads: Reading, user: Principal, subject_id: UUID) -> SubjectAnalysis:
    """The user's shown results in one subject. Raises NotFound for an unknown one."""
    subject = await subjects.find(reads, user, subject_id)
    shown = await reads.shown.attempts(tests.viewer(user))
    attempts = [each for each in shown if each.figures and subject_id in each.figures.subjects]
    attempts = attempts[:MAX_ATTEMPTS]
    answers = await subject_answers.gather(reads, subject_id, attempts)
    chapters = {chapter.id: chapter for chapter in await reads.subjects.every_chapter(user.institute_id)}
    return await asyncio.to_thread(_analysis, subject, chapters, attempts, answers)


def _analysis(
    subject: Subject,
    chapters: Mapping[UUID, Chapter],
    attempts: Sequence[ShownAttempt],
    answers: Sequence[SubjectAnswer],
) -> SubjectAnalysis:
    reviewed = [each for each in answers if each.may_review]
    by_difficulty = grouped(reviewed, lambda each: [each.difficulty])
    return SubjectAnalysis(
        subject=subject,
        attempts=len(attempts),
        figures=_figures(answers),
        official_marks=_marks(subject.id, [each for each in attempts if not each.practice]),
        practice_marks=_marks(subject.id, [each for each in attempts if each.practice]),
        chapters=_chapters(chapters, reviewed),
        difficulties=[
            (label, _figures(by_difficulty[label]))
            for label in (*DIFFICULTIES, None)
            if label in by_difficulty
        ],
        tags=_tags(reviewed),
        times=_times(reviewed),
        trend=_trend(subject.id, attempts, answers),
        trend_verdict=trend_verdict(reviewed),
        missed=_missed(attempts, reviewed),
    )


def _marks(subject_id: UUID, attempts: Sequence[ShownAttempt]) -> SubjectMarks:
    """The figures of each attempt have a denominator of their own."""
    known = [
        (each.figures.subjects[subject_id], each.figures.denominator) for each in attempts if each.figures
    ]
    policies = {each.marking["rounding"] for each in attempts}
    return SubjectMarks(
        gained=sum((Fraction(sums.gained, parts) for sums, parts in known), Fraction(0)),
        lost=sum((Fraction(sums.lost, parts) for sums, parts in known), Fraction(0)),
        most=sum((Fraction(sums.most, parts) for sums, parts in known), Fraction(0)),
        spent_ms=sum(sums.spent_ms for sums, _ in known),
        rounding=RoundingPolicy(policies.pop()) if len(policies) == 1 else RoundingPolicy.HALF_UP,
    )


def _figures(answers: Sequence[SubjectAnswer]) -> Figures:
    return Figures(
        official=_tally([each for each in answers if not each.practice]),
        practice=_tally([each for each in answers if each.practice]),
    )


def _tally(answers: Sequence[SubjectAnswer]) -> Tally:
    counts = Counter(each.outcome for each in answers)
    return Tally(
        seen=len(answers),
        correct=counts[CORRECT],
        incorrect=counts[INCORRECT],
        partial=counts[PARTIAL],
        unattempted=counts[BLANK],
        accuracy=accuracy(answers),
    )


def _chapters(chapters: Mapping[UUID, Chapter], answers: Sequence[SubjectAnswer]) -> list[ChapterFigures]:
    """In the order of the syllabus, the questions of no chapter last."""
    groups = grouped(answers, lambda each: [each.chapter_id])
    verdicts = chapter_verdicts(answers)

    def place(chapter_id: UUID | None) -> tuple[bool, int, str]:
        chapter = chapters.get(chapter_id) if chapter_id else None
        return chapter is None, chapter.position if chapter else 0, str(chapter_id)

    return [
        ChapterFigures(
            chapters.get(chapter_id) if chapter_id else None,
            _figures(groups[chapter_id]),
            verdicts[chapter_id],
        )
        for chapter_id in sorted(groups, key=place)
    ]


def _tags(answers: Sequence[SubjectAnswer]) -> list[tuple[str, Figures]]:
    """The tags with the most questions."""
    groups = grouped(answers, lambda each: each.tags)
    chosen = sorted(groups, key=lambda tag: (-len(groups[tag]), tag))[:MAX_TAGS]
    return [(tag, _figures(groups[tag])) for tag in chosen]


def _times(answers: Sequence[SubjectAnswer]) -> Times:
    timed = [each for each in answers if each.own_ms]

    def typical(outcome: str) -> float | None:
        return _median([each.own_ms for each in timed if each.outcome == outcome])

    return Times(
        pace=pace(answers),
        own_ms=_median([each.own_ms for each in timed]),
        others_ms=_median([each.median_ms for each in timed]),
        right_ms=typical(CORRECT),
        wrong_ms=typical(INCORRECT),
        blank_ms=typical(BLANK),
    )


def _median(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def _trend(
    subject_id: UUID, attempts: Sequence[ShownAttempt], answers: Sequence[SubjectAnswer]
) -> list[SubjectPoint]:
    """The newest attempts, the oldest of them first."""
    groups = grouped(answers, lambda each: [each.attempt_id])
    return [
        SubjectPoint(each, _tally(groups.get(each.id, [])), _marks(subject_id, [each]).percent)
        for each in reversed(attempts[:MAX_POINTS])
    ]


def _missed(attempts: Sequence[ShownAttempt], answers: Sequence[SubjectAnswer]) -> list[MissedQuestion]:
    """What was missed last comes first."""
    by_id = {each.id: each for each in attempts}
    found = []
    for seen in grouped(answers, lambda each: [each.question_id]).values():
        misses = [each for each in seen if each.outcome == INCORRECT]
        if len(misses) >= MIN_MISSES:
            last, attempt = seen[-1], by_id[seen[-1].attempt_id]
            found.append(
                MissedQuestion(
                    question_id=last.question_id,
                    chapter_id=last.chapter_id,
                    missed=len(misses),
                    seen=len(seen),
                    last_missed_at=misses[-1].at,
                    right_since=last.outcome == CORRECT,
                    attempt_id=attempt.id,
                    test_id=attempt.test_id,
                    title=attempt.title,
                )
            )
    return sorted(found, key=lambda each: each.last_missed_at, reverse=True)[:MAX_MISSED_QUESTIONS]
