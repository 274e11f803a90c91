"""Tests as lists and screens show them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from app.core.errors import FieldError
from app.engine.marks import RoundingPolicy
from app.models import Test
from app.repositories.tests import BestScore, ListedTest, OwnAttempts
from app.schemas.common import LocalizedText, Named, Out
from app.schemas.marking import MarkingOut, printed_maximum
from app.schemas.tests import GapOut, Kind, TestDraftOut


class TestSectionOut(Out):
    """A section of a test. With `choose: n`, only the first n answered questions count."""

    __test__ = False

    id: UUID
    name: LocalizedText
    question_count: int
    duration_seconds: int | None
    choose: int | None


class OwnAttemptsOut(Out):
    """Your attempts at a test that are not void.

    `attempts` counts those at the test by itself, `in_progress_attempt_id` is the one that `start` would
    resume. `best_score` and `latest_attempt_id` include attempts in exams. A result that an exam withholds is
    not in `best_score`; it is null if no result is left. It is rounded by the policy of its paper.
    """

    attempts: int
    best_score: str | None
    best_score_exact: str | None
    latest_attempt_id: UUID | None
    in_progress_attempt_id: UUID | None

    @classmethod
    def of(cls, own: OwnAttempts) -> Self:
        """A viewer's attempts at a test."""
        return cls(
            attempts=own.count,
            best_score=_printed_best(own.best) if own.best else None,
            best_score_exact=str(own.best.score.exact) if own.best else None,
            latest_attempt_id=own.latest_id,
            in_progress_attempt_id=own.running_id,
        )


def _printed_best(best: BestScore) -> str:
    return best.score.printed(RoundingPolicy(best.rounding))


class TestOut(Out):
    """A test for candidates: its published paper, how it is marked, and your attempts.

    `participants` is the number of candidates that are ranked together now. `my_attempts` are the attempts
    that `attempts_allowed` limits. A test that was never published (staff only) has no sections.
    """

    __test__ = False

    id: UUID
    title: LocalizedText
    description: LocalizedText | None
    kind: Kind
    subject: Named | None
    subject_id: UUID | None
    sections: list[TestSectionOut]
    duration_seconds: int
    question_count: int
    max_marks: str
    marking: MarkingOut
    languages: list[str]
    review: Literal["after_submit", "after_release", "never"]
    access: Literal["free", "enrolled"]
    status: Literal["draft", "published", "archived"]
    participants: int
    my: OwnAttemptsOut
    attempts_allowed: int | None
    my_attempts: int
    available_from: datetime | None
    available_until: datetime | None
    paper_version: int | None

    @classmethod
    def of(cls, listed: ListedTest) -> Self:
        """The test with its published paper, or with its draft if it was never published (staff only)."""
        return cls(**_values(listed))


class StaffTestOut(TestOut):
    """A test for staff: the published paper, and the draft if it differs."""

    draft: TestDraftOut | None
    warnings: list[GapOut]
    """Keys to look at: equal questions with different keys, or one letter for all keys. For authors and
    evaluators; empty if the test cannot be published, or has questions under embargo: ask for the preview."""

    @classmethod
    def of_both(cls, listed: ListedTest, draft: Test | None, warnings: Sequence[FieldError]) -> Self:
        """The published test with its draft."""
        return cls(
            **_values(listed),
            draft=TestDraftOut.of(draft) if draft else None,
            warnings=[GapOut.of(each) for each in warnings],
        )


def _values(listed: ListedTest) -> Mapping[str, Any]:
    test, paper, subject = listed.test, listed.paper, listed.subject
    shown = paper or test
    return {
        "id": test.id,
        "title": shown.title,
        "description": shown.description,
        "kind": test.kind,
        "subject": Named.model_validate(subject) if subject else None,
        "subject_id": test.subject_id,
        "sections": [TestSectionOut(**section) for section in listed.sections],
        "duration_seconds": shown.duration_seconds,
        "question_count": paper.question_count if paper else 0,
        "max_marks": printed_maximum(paper.max_marks if paper else "0", shown.marking),
        "marking": MarkingOut.model_validate(shown.marking),
        "languages": shown.languages,
        "review": test.review,
        "access": test.access,
        "status": test.status,
        "participants": listed.participants,
        "my": OwnAttemptsOut.of(listed.own),
        "attempts_allowed": test.attempts_allowed,
        "my_attempts": listed.own.count,
        "available_from": test.available_from,
        "available_until": test.available_until,
        "paper_version": test.paper_version,
    }
