"""A user's own attempts and progress."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from app.engine.marks import RoundingPolicy
from app.repositories.analytics.progress import ListedAttempt
from app.schemas.common import LocalizedText, Out
from app.schemas.tests import Kind
from app.services.analytics.progress import ChapterProgress, Progress, SubjectProgress

AttemptState = Literal["in_progress", "paused", "submitted", "graded", "void"]


class TestOfAttemptOut(Out):
    """The test of an attempt, with the title of the attempt's paper."""

    __test__ = False

    id: UUID
    title: LocalizedText
    kind: Kind


class ExamOfAttemptOut(Out):
    """The exam of an attempt."""

    id: UUID
    title: LocalizedText


class ExamPaperOfAttemptOut(Out):
    """The exam paper of an attempt."""

    id: UUID
    code: str


class MyAttemptOut(Out):
    """One of your attempts.

    `score` and `max_score` are rounded by the test's rounding policy. All three are null until the attempt is
    graded and its exam is released. Until then its status is `submitted`. `answered` and `marked_for_review`
    count questions.
    """

    id: UUID
    test: TestOfAttemptOut
    exam: ExamOfAttemptOut | None
    exam_paper: ExamPaperOfAttemptOut | None
    exam_paper_id: UUID | None
    number: int
    practice: bool
    status: AttemptState
    started_at: datetime
    submitted_at: datetime | None
    deadline_at: datetime
    answered: int
    marked_for_review: int
    score: str | None
    score_exact: str | None
    max_score: str | None

    @classmethod
    def of(cls, listed: ListedAttempt) -> Self:
        """An attempt of a list."""
        attempt, score = listed.attempt, listed.score
        policy = RoundingPolicy(listed.rounding)
        return cls(
            id=attempt.id,
            test=TestOfAttemptOut(id=attempt.test_id, title=listed.title, kind=listed.kind),
            exam=_exam_of(listed),
            exam_paper=_exam_paper_of(listed),
            exam_paper_id=attempt.exam_paper_id,
            number=attempt.number,
            practice=attempt.practice,
            status=listed.status,
            started_at=attempt.started_at,
            submitted_at=attempt.submitted_at,
            deadline_at=attempt.deadline_at,
            answered=listed.counts.answered,
            marked_for_review=listed.counts.marked_for_review,
            score=score.printed(policy) if score else None,
            score_exact=str(score.exact) if score else None,
            max_score=score.printed_maximum(policy) if score else None,
        )


def _exam_of(listed: ListedAttempt) -> ExamOfAttemptOut | None:
    if listed.exam_id is None or listed.exam_title is None:
        return None
    return ExamOfAttemptOut(id=listed.exam_id, title=listed.exam_title)


def _exam_paper_of(listed: ListedAttempt) -> ExamPaperOfAttemptOut | None:
    if listed.attempt.exam_paper_id is None or listed.exam_paper_code is None:
        return None
    return ExamPaperOfAttemptOut(id=listed.attempt.exam_paper_id, code=listed.exam_paper_code)


class QuestionCountsOut(Out):
    """Questions, each counted once, by its latest marked answer.

    A later attempt that leaves the question blank does not change the outcome: only questions that were never
    answered and marked are `unattempted` or `dropped`. `attempted` is correct + incorrect + partial; `seen`
    also includes unattempted and dropped. `accuracy` is correct / (correct + incorrect), or null if both are
    0.
    """

    seen: int
    attempted: int
    correct: int
    incorrect: int
    partial: int
    unattempted: int
    dropped: int
    accuracy: float | None


class CoverageOut(QuestionCountsOut):
    """Counts of questions with a total.

    `total` counts the questions of all papers that you may take now, and the questions that you have seen.
    """

    total: int


class ProgressFiguresOut(Out):
    """Tests, questions and time.

    `tests_taken` counts tests with at least one graded attempt, `tests_available` tests that you may take
    now. A test can be counted in both. `time_spent_ms` is the sum over all your graded attempts.
    """

    tests_taken: int
    tests_available: int
    questions: QuestionCountsOut
    time_spent_ms: int


class SubjectFiguresOut(ProgressFiguresOut):
    """Figures of a subject: its tests, and its questions in all tests."""

    subject_id: UUID
    name: LocalizedText

    @classmethod
    def of(cls, progress: SubjectProgress) -> Self:
        """The figures of a subject."""
        return cls(
            subject_id=progress.subject.id,
            name=progress.subject.name,
            tests_taken=progress.tests.taken,
            tests_available=progress.tests.available,
            questions=QuestionCountsOut.model_validate(progress.questions),
            time_spent_ms=progress.time_spent_ms,
        )


class ProgressOut(ProgressFiguresOut):
    """Your progress.

    `attempts` counts graded attempts; `practice_attempts` is how many of them are practice.
    """

    attempts: int
    practice_attempts: int
    last_activity_at: datetime | None
    streak_days: int
    subjects: list[SubjectFiguresOut]

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """A user's progress."""
        return cls(
            attempts=progress.attempts,
            practice_attempts=progress.practice_attempts,
            tests_taken=progress.tests.taken,
            tests_available=progress.tests.available,
            questions=QuestionCountsOut.model_validate(progress.questions),
            time_spent_ms=progress.time_spent_ms,
            last_activity_at=progress.last_activity_at,
            streak_days=progress.streak_days,
            subjects=[SubjectFiguresOut.of(subject) for subject in progress.subjects],
        )


class ChapterProgressOut(Out):
    """A chapter without the chapters below it. The last item may have no id: questions without a chapter.

    `questions` counts what you have seen in tests that you may review.
    """

    chapter_id: UUID | None
    parent_id: UUID | None
    name: LocalizedText | None
    questions: CoverageOut
    time_spent_ms: int

    @classmethod
    def of(cls, progress: ChapterProgress) -> Self:
        """The figures of a chapter."""
        chapter = progress.chapter
        return cls(
            chapter_id=chapter.id if chapter else None,
            parent_id=chapter.parent_id if chapter else None,
            name=chapter.name if chapter else None,
            questions=CoverageOut.model_validate(progress.questions),
            time_spent_ms=progress.time_spent_ms,
        )


class SubjectProgressOut(SubjectFiguresOut):
    """A subject's figures by chapter."""

    questions: CoverageOut
    chapters: list[ChapterProgressOut]

    @classmethod
    def of(cls, progress: SubjectProgress) -> Self:
        """A subject with its chapters."""
        figures = SubjectFiguresOut.of(progress).model_dump(exclude={"questions"})
        return cls(
            **figures,
            questions=CoverageOut.model_validate(progress.questions),
            chapters=[ChapterProgressOut.of(chapter) for chapter in progress.chapters],
        )
