"""Progress: a person's own sittings, and how far they have come in the syllabus.

Only what is graded and not void counts, practice included: it is study. A test that an exam holds back is
left out entirely until the exam is released (docs/decisions/0021).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from app.engine.streaks import streak_days
from app.models import Chapter, Subject
from app.repositories.analytics.progress import (
    AttemptFilter,
    ListedAttempt,
    Place,
    QuestionCounts,
    TestCounts,
)
from app.repositories.base import Page, PageRequest
from app.services import subjects, tests
from app.services.analytics import activity
from app.services.unit_of_work import Reading
from app.services.users import Principal

Figure = TypeVar("Figure", int, QuestionCounts)


@dataclass(frozen=True, slots=True)
class ChapterProgress:
    """One chapter without those below it; None are the questions of no chapter.

    The counts are of attempts that the person may review: a chapter of one question would tell its outcome.
    """

    chapter: Chapter | None
    questions: QuestionCounts
    time_spent_ms: int


@dataclass(frozen=True, slots=True)
class SubjectProgress:
    """One subject, its chapters told apart where that was asked for."""

    subject: Subject
    tests: TestCounts
    questions: QuestionCounts
    time_spent_ms: int
    chapters: Sequence[ChapterProgress] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything that a person has done."""

    attempts: int
    practice_attempts: int
    tests: TestCounts
    questions: QuestionCounts
    time_spent_ms: int
    last_activity_at: datetime | None
    streak_days: int
    subjects: Sequence[SubjectProgress]


async def attempts(
    reads: Reading, user: Principal, wanted: AttemptFilter, request: PageRequest
) -> Page[ListedAttempt]:
    """A person's own attempts, newest first."""
    return await reads.progress.attempts(tests.viewer(user), wanted, request)


async def overall(reads: Reading, user: Principal, now: datetime) -> Progress:
    """How far a person has come, in all and by subject, in syllabus order."""
    viewer = tests.viewer(user)
    sittings = await reads.progress.sittings(viewer)
    test_counts = await reads.progress.tests(viewer, now)
    questions = _by_subject(await reads.progress.outcomes(viewer), QuestionCounts())
    time_spent = _by_subject(await reads.progress.time_spent(viewer), 0)
    syllabus = await reads.subjects.every(user.institute_id)
    zone = ZoneInfo(user.timezone)
    moments = await activity.moments(reads, user, now, zone)
    return Progress(
        attempts=len(sittings),
        practice_attempts=sum(sitting.practice for sitting in sittings),
        tests=sum(test_counts.values(), TestCounts()),
        questions=sum(questions.values(), QuestionCounts()),
        time_spent_ms=sum(time_spent.values()),
        last_activity_at=max(moments, default=None),
        streak_days=streak_days(moments, now, zone),
        subjects=[
            SubjectProgress(
                subject=subject,
                tests=test_counts.get(subject.id, TestCounts()),
                questions=questions.get(subject.id, QuestionCounts()),
                time_spent_ms=time_spent.get(subject.id, 0),
            )
            for subject in sorted(syllabus, key=lambda subject: (subject.position, subject.id))
        ],
    )


async def of_subject(reads: Reading, user: Principal, subject_id: UUID, now: datetime) -> SubjectProgress:
    """How far a person has come in one subject, by chapter in syllabus order."""
    subject = await subjects.find(reads, user, subject_id)
    viewer = tests.viewer(user)
    test_counts = await reads.progress.tests(viewer, now)
    coverage = await reads.progress.coverage(viewer, subject_id, now)
    reviewed = await reads.progress.coverage(viewer, subject_id, now, only_reviewed=True)
    time_spent = await reads.progress.time_spent(viewer, subject_id)
    chapters = [
        chapter
        for chapter in await reads.subjects.every_chapter(user.institute_id)
        if chapter.subject_id == subject_id
    ]
    places: list[Chapter | None] = [*sorted(chapters, key=lambda chapter: (chapter.position, chapter.id))]
    if (subject_id, None) in coverage:
        places.append(None)
    return SubjectProgress(
        subject=subject,
        tests=test_counts.get(subject_id, TestCounts()),
        questions=sum(coverage.values(), QuestionCounts()),
        time_spent_ms=sum(time_spent.values()),
        chapters=[_of_chapter(subject_id, chapter, reviewed, time_spent) for chapter in places],
    )


def _by_subject(by_place: Mapping[Place, Figure], nothing: Figure) -> dict[UUID, Figure]:
    sums: dict[UUID, Figure] = {}
    for (subject_id, _), figure in by_place.items():
        sums[subject_id] = sums.get(subject_id, nothing) + figure
    return sums


def _of_chapter(
    subject_id: UUID,
    chapter: Chapter | None,
    coverage: Mapping[Place, QuestionCounts],
    time_spent: Mapping[Place, int],
) -> ChapterProgress:
    place = subject_id, chapter.id if chapter else None
    return ChapterProgress(chapter, coverage.get(place, QuestionCounts()), time_spent.get(place, 0))
