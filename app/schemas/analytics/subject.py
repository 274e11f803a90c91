"""One subject of a candidate."""

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from app.engine.marks import printed
from app.schemas.analytics.estimates import EstimateOut, localized
from app.schemas.analytics.progress import TestOfAttemptOut
from app.schemas.analytics.series import rounded
from app.schemas.common import LocalizedText, Named, Out
from app.services.analytics.subject_analysis import (
    ChapterFigures,
    Figures,
    MissedQuestion,
    SubjectAnalysis,
    SubjectMarks,
    SubjectPoint,
    Tally,
    Times,
)

Verdict = Literal["strength", "weakness", "not_proven"]


class TallyOut(Out):
    """Questions, each as often as it was in an attempt, without dropped ones.

    Of a section that asks for some of its questions only those with an answer that counts are here.
    `accuracy` is correct / (correct + incorrect), with its 90 % interval. `n` is correct + incorrect.
    """

    seen: int
    answered: int
    correct: int
    incorrect: int
    partial: int
    unattempted: int
    accuracy: EstimateOut

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """The counts of a service."""
        return cls(
            seen=tally.seen,
            answered=tally.answered,
            correct=tally.correct,
            incorrect=tally.incorrect,
            partial=tally.partial,
            unattempted=tally.unattempted,
            accuracy=EstimateOut.of(tally.accuracy),
        )


class ApartOut(Out):
    """Official and practice attempts, apart."""

    official: TallyOut
    practice: TallyOut

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """The figures of a service."""
        return cls(official=TallyOut.of(figures.official), practice=TallyOut.of(figures.practice))


class SubjectChapterOut(ApartOut):
    """A chapter, without the chapters below it; `chapter` is null for questions of no chapter.

    `verdict` compares the chapter with your other chapters of the subject, by your first answers to questions
    whose difficulty is known. Of the strengths and weaknesses that are named, about one in ten is chance. `n`
    counts these questions. Where there are too few, `reason` says what is missing.
    """

    chapter: Named | None
    verdict: Verdict
    n: int
    reason: LocalizedText | None

    @classmethod
    def chapter_of(cls, found: ChapterFigures) -> Self:
        """The figures of a chapter."""
        apart = ApartOut.of(found.figures)
        return cls(
            chapter=Named.model_validate(found.chapter) if found.chapter else None,
            official=apart.official,
            practice=apart.practice,
            verdict=found.strength.verdict,
            n=found.strength.n,
            reason=localized(found.strength.reason),
        )


class DifficultyOut(ApartOut):
    """Questions with one label of difficulty, which their author gave; null without a label."""

    difficulty: Literal["easy", "medium", "hard"] | None

    @classmethod
    def difficulty_of(cls, difficulty: str | None, figures: Figures) -> Self:
        """The figures of a label."""
        return cls.model_validate({"difficulty": difficulty, **dict(ApartOut.of(figures))})


class TagOut(ApartOut):
    """Questions with one tag."""

    tag: str

    @classmethod
    def tag_of(cls, tag: str, figures: Figures) -> Self:
        """The figures of a tag."""
        return cls.model_validate({"tag": tag, **dict(ApartOut.of(figures))})


class TimesOut(Out):
    """The time for a question, official and practice attempts together, in milliseconds.

    `pace` is your time divided by the median of the participants, question by question, typically: 1.2 means
    a fifth more time than they took. The other figures are medians: your own, of the others for the same
    questions, and your own by outcome. They are null where no time is known.
    """

    pace: EstimateOut
    own_ms: float | None
    others_ms: float | None
    right_ms: float | None
    wrong_ms: float | None
    blank_ms: float | None

    @classmethod
    def of(cls, times: Times) -> Self:
        """The times of a service."""
        return cls(
            pace=EstimateOut.of(times.pace),
            own_ms=times.own_ms,
            others_ms=times.others_ms,
            right_ms=times.right_ms,
            wrong_ms=times.wrong_ms,
            blank_ms=times.blank_ms,
        )


class SubjectPointOut(TallyOut):
    """The subject in one attempt."""

    attempt_id: UUID
    test: TestOfAttemptOut
    at: datetime
    practice: bool
    score_percent: Annotated[
        float | None, Field(description="Its marks, in percent of what its questions can earn")
    ]

    @classmethod
    def point_of(cls, point: SubjectPoint) -> Self:
        """A point of the trend."""
        attempt = point.attempt
        return cls(
            **dict(TallyOut.of(point.tally)),
            attempt_id=attempt.id,
            test=TestOfAttemptOut(id=attempt.test_id, title=attempt.title, kind=attempt.kind),
            at=attempt.submitted_at,
            practice=attempt.practice,
            score_percent=rounded(point.score_percent),
        )


class SubjectTrendOut(Out):
    """The subject in your newest 20 attempts, the oldest of them first.

    `verdict` compares the ability that the later half of all official attempts shows with that of the earlier
    half. It allows for the difficulty of the questions. `within_noise` is no improvement and no setback.
    `n` counts the questions behind it. Where it is null, `reason` says what is missing.
    """

    items: list[SubjectPointOut]
    verdict: Literal["up", "down", "within_noise"] | None
    n: int
    reason: LocalizedText | None


class TestOfMissedOut(Out):
    """The test of an attempt."""

    __test__ = False

    id: UUID
    title: LocalizedText


class MissedQuestionOut(Out):
    """A question that you answered wrongly more than once.

    `missed` and `seen` count attempts. `right_since` says whether it was right in the last of them, which is
    `attempt_id`: its results have the key.
    """

    question_id: UUID
    chapter_id: UUID | None
    missed: int
    seen: int
    last_missed_at: datetime
    right_since: bool
    attempt_id: UUID
    test: TestOfMissedOut

    @classmethod
    def of(cls, missed: MissedQuestion) -> Self:
        """A question of a service."""
        return cls(
            question_id=missed.question_id,
            chapter_id=missed.chapter_id,
            missed=missed.missed,
            seen=missed.seen,
            last_missed_at=missed.last_missed_at,
            right_since=missed.right_since,
            attempt_id=missed.attempt_id,
            test=TestOfMissedOut(id=missed.test_id, title=missed.title),
        )


class SubjectTotalOut(TallyOut):
    """The whole subject. Marks are before proration; `minutes` is null if no time is known.

    `score_percent` has the marks in percent of what the questions can earn.
    """

    marks_gained: str
    marks_lost: Annotated[str, Field(description="Lost to wrong answers. Not negative")]
    score_percent: float | None
    minutes: float | None

    @classmethod
    def total_of(cls, tally: Tally, marks: SubjectMarks) -> Self:
        """The sums of a service."""
        return cls(
            **dict(TallyOut.of(tally)),
            marks_gained=printed(marks.gained, Fraction(1), marks.rounding),
            marks_lost=printed(marks.lost, Fraction(1), marks.rounding),
            score_percent=rounded(marks.percent),
            minutes=rounded(marks.spent_ms / 60_000, 1) if marks.spent_ms else None,
        )


class SubjectAnalyticsOut(Out):
    """What your results say of one subject: the newest 100 that you may see and that have a question of it.

    `tags` has the 30 tags with the most questions. `missed` has up to 50 questions of attempts that you may
    review, those that you missed last first.
    """

    subject: Named
    attempts: int
    official: SubjectTotalOut
    practice: SubjectTotalOut
    chapters: list[SubjectChapterOut]
    difficulties: list[DifficultyOut]
    tags: list[TagOut]
    times: TimesOut
    trend: SubjectTrendOut
    missed: list[MissedQuestionOut]

    @classmethod
    def of(cls, found: SubjectAnalysis) -> Self:
        """The analysis of a service."""
        return cls(
            subject=Named.model_validate(found.subject),
            attempts=found.attempts,
            official=SubjectTotalOut.total_of(found.figures.official, found.official_marks),
            practice=SubjectTotalOut.total_of(found.figures.practice, found.practice_marks),
            chapters=[SubjectChapterOut.chapter_of(each) for each in found.chapters],
            difficulties=[DifficultyOut.difficulty_of(*each) for each in found.difficulties],
            tags=[TagOut.tag_of(*each) for each in found.tags],
            times=TimesOut.of(found.times),
            trend=SubjectTrendOut(
                items=[SubjectPointOut.point_of(point) for point in found.trend],
                verdict=found.trend_verdict.verdict,
                n=found.trend_verdict.n,
                reason=localized(found.trend_verdict.reason),
            ),
            missed=[MissedQuestionOut.of(each) for each in found.missed],
        )
