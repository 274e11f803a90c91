"""One subject of a candidate: by chapter, difficulty and tag; times; the trend; questions missed repeatedly."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from uuid import UUID

from app.engine.attempt_figures import SubjectSums
from app.models import Chapter, LocalizedText, Subject
from app.repositories.analytics.shown import ShownAttempt
from app.services import subjects, tests
from app.services.analytics import subject_answers
from app.services.analytics.estimates import Estimate, Strength
from app.services.analytics.performance import percent_of
from app.services.analytics.subject_answers import BLANK, CORRECT, INCORRECT, PARTIAL, SubjectAnswer
from app.services.analytics.subject_estimates import (
    TrendVerdict,
    accuracy,
    chapter_verdicts,
    grouped,
    pace,
    trend_verdict,
)
from app.services.unit_of_work import Reading
from app.services.users import Principal

MOST_ATTEMPTS = 100
"""The newest ones."""
MOST_POINTS, MOST_TAGS, MOST_MISSED = 20, 30, 50
FEWEST_MISSES = 2
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
    """What a candidate's results say of one subject."""

    subject: Subject
    attempts: int
    figures: Figures
    marks: Mapping[bool, SubjectSums]
    """The sums of practice attempts (True) and of official ones (False)."""
    score_percent: Mapping[bool, float | None]
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
    attempts = attempts[:MOST_ATTEMPTS]
    answers = await subject_answers.gather(reads, subject_id, attempts)
    chapters = {chapter.id: chapter for chapter in await reads.subjects.every_chapter(user.institute_id)}
    return await asyncio.to_thread(_analysis, subject, chapters, attempts, answers)


def _analysis(
    subject: Subject,
    chapters: Mapping[UUID, Chapter],
    attempts: Sequence[ShownAttempt],
    answers: Sequence[SubjectAnswer],
) -> SubjectAnalysis:
    sums = {
        practice: sum(
            (_sums(each, subject.id) for each in attempts if each.practice is practice), SubjectSums()
        )
        for practice in (False, True)
    }
    by_difficulty = grouped(answers, ([each.difficulty] for each in answers))
    return SubjectAnalysis(
        subject=subject,
        attempts=len(attempts),
        figures=_figures(answers),
        marks=sums,
        score_percent={practice: percent_of(each) for practice, each in sums.items()},
        chapters=_chapters(chapters, answers),
        difficulties=[
            (label, _figures(by_difficulty[label]))
            for label in (*DIFFICULTIES, None)
            if label in by_difficulty
        ],
        tags=_tags(answers),
        times=_times(answers),
        trend=_trend(subject.id, attempts, answers),
        trend_verdict=trend_verdict(answers),
        missed=_missed(attempts, answers),
    )


def _sums(attempt: ShownAttempt, subject_id: UUID) -> SubjectSums:
    return attempt.figures.subjects[subject_id] if attempt.figures else SubjectSums()


def _figures(answers: Sequence[SubjectAnswer]) -> Figures:
    return Figures(
        official=_tally([each for each in answers if not each.practice]),
        practice=_tally([each for each in answers if each.practice]),
    )


def _tally(answers: Sequence[SubjectAnswer]) -> Tally:
    counts = {
        letter: sum(each.outcome == letter for each in answers)
        for letter in (CORRECT, INCORRECT, PARTIAL, BLANK)
    }
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
    groups = grouped(answers, ([each.chapter_id] for each in answers))
    verdicts = chapter_verdicts(answers)

    def place(chapter_id: Hashable) -> tuple[bool, int, str]:
        chapter = chapters.get(chapter_id) if isinstance(chapter_id, UUID) else None
        return chapter is None, chapter.position if chapter else 0, str(chapter_id)

    return [
        ChapterFigures(
            chapters.get(chapter_id) if isinstance(chapter_id, UUID) else None,
            _figures(groups[chapter_id]),
            verdicts[chapter_id],  # type: ignore[index] -- ids of chapters, or None
        )
        for chapter_id in sorted(groups, key=place)
    ]


def _tags(answers: Sequence[SubjectAnswer]) -> list[tuple[str, Figures]]:
    """The tags with the most questions."""
    groups = grouped(answers, (each.tags for each in answers))
    chosen = sorted(groups, key=lambda tag: (-len(groups[tag]), str(tag)))[:MOST_TAGS]
    return [(str(tag), _figures(groups[tag])) for tag in chosen]


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
    groups = grouped(answers, ([each.attempt_id] for each in answers))
    return [
        SubjectPoint(each, _tally(groups.get(each.id, [])), percent_of(_sums(each, subject_id)))
        for each in reversed(attempts[:MOST_POINTS])
    ]


def _missed(attempts: Sequence[ShownAttempt], answers: Sequence[SubjectAnswer]) -> list[MissedQuestion]:
    """Of attempts whose review is open. What was missed last comes first."""
    by_id = {each.id: each for each in attempts}
    reviewed = [each for each in answers if each.may_review]
    found = []
    for seen in grouped(reviewed, ([each.question_id] for each in reviewed)).values():
        misses = [each for each in seen if each.outcome == INCORRECT]
        if len(misses) >= FEWEST_MISSES:
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
    return sorted(found, key=lambda each: each.last_missed_at, reverse=True)[:MOST_MISSED]
