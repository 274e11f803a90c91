"""Attempts at a test for its staff."""

from datetime import datetime
from typing import Self
from uuid import UUID

from app.engine.marks import RoundingPolicy
from app.repositories.analytics.candidates import CandidateAttempt
from app.schemas.analytics.progress import AttemptState, ExamOfAttemptOut, ExamPaperOfAttemptOut
from app.schemas.attempts import Answer, Confidence
from app.schemas.common import Out
from app.services.analytics.candidates import CandidateSheet
from app.services.attempts.response_sheets import ResponseSheet


class CandidateAttemptOut(Out):
    """A candidate's attempt at a test.

    `score` is null until the attempt is graded, and while an exam that is not released holds the test or a
    question of the paper. Until then its status is `submitted`. `name` is null if the account was deleted.
    """

    id: UUID
    user_id: UUID | None
    name: str | None
    roll_number: str | None
    exam: ExamOfAttemptOut | None
    exam_paper: ExamPaperOfAttemptOut | None
    paper_version: int
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
    def of(cls, listed: CandidateAttempt) -> Self:
        """An attempt of a list."""
        attempt, score, paper = listed.attempt, listed.score, listed.exam_paper
        policy = RoundingPolicy(listed.rounding)
        exam = None
        if listed.exam_id is not None and listed.exam_title is not None:
            exam = ExamOfAttemptOut(id=listed.exam_id, title=listed.exam_title)
        return cls(
            id=attempt.id,
            user_id=attempt.user_id,
            name=listed.name,
            roll_number=listed.roll_number,
            exam=exam,
            exam_paper=ExamPaperOfAttemptOut(id=paper.id, code=paper.code) if paper is not None else None,
            paper_version=listed.paper_version,
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


class SheetEntryOut(Out):
    """A question of a response sheet, with the answer that stands. It has no key and no marks."""

    question_id: UUID
    number: int
    section_id: UUID
    answer: Answer
    marked_for_review: bool
    confidence: Confidence | None
    changes: int
    time_spent_ms: int
    saved_at: datetime | None


class CandidateSheetOut(Out):
    """What a candidate answered in an attempt, in the order of the paper."""

    attempt: CandidateAttemptOut
    questions: list[SheetEntryOut]

    @classmethod
    def of(cls, found: CandidateSheet) -> Self:
        """The sheet of an attempt at a test."""
        return cls(attempt=CandidateAttemptOut.of(found.candidate), questions=entries_of(found.sheet))


def entries_of(sheet: ResponseSheet) -> list[SheetEntryOut]:
    """The questions of a response sheet."""
    return [SheetEntryOut.model_validate(entry) for entry in sheet.entries]
