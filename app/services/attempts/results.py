"""Results as their candidate sees them: marks by policy, rank and percentile as they stand now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.core.errors import NotFound, NotGradedYet
from app.engine import ranking
from app.engine.marks import RoundingPolicy, printed
from app.models import Attempt, AttemptStatus, LocalizedText, Result
from app.services import audit, embargo
from app.services.attempts.grading import COUNTS
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading
from app.services.users import Principal

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class QuestionReview:
    """One question of a graded attempt, with what was right."""

    question_id: UUID
    number: int
    answer: Any
    key: Mapping[str, Any]
    outcome: str
    marks: str
    time_spent_ms: int
    explanation: LocalizedText | None


@dataclass(frozen=True, slots=True)
class ResultView:
    """A graded attempt. `questions` is None where the review policy shows none."""

    attempt: Attempt
    figures: Figures
    sections: Sequence[Figures]
    rank: int | None
    participants: int
    percentile: float | None
    questions: Sequence[QuestionReview] | None


async def result(
    reads: Reading, parts: Components, user: Principal, test_id: UUID, attempt_id: UUID | None
) -> ResultView:
    """The result of an attempt, made by itself or in an exam, by default the latest.

    While an exam holds the test there is none, but for who made the test. Where an exam holds a question of
    the paper, the result waits for its release as if nobody had graded it. Raises NotFound, or NotGradedYet.
    """
    attempt = await reads.attempts.own(user.id, test_id, attempt_id)
    await _check_may_know(reads, user, attempt)
    graded = await reads.attempts.result(attempt.id)
    if graded is None or attempt.status != AttemptStatus.GRADED:
        raise NotGradedYet
    paper = await parts.papers.get(reads, attempt.paper_id)
    histogram = await reads.attempts.histogram(graded.cohort_id)
    score = Fraction(graded.score_numerator, graded.score_denominator)
    # A rank tells of the others' scores too, and they may have sat a version that has a held question.
    ranked = graded.counted and not await reads.embargo.withholds_rank(embargo.reader(user), test_id)
    standing = ranking.standing(histogram, score) if ranked else None
    policy = paper.key.rounding
    return ResultView(
        attempt=attempt,
        figures=_figures(graded.scorecard, policy),
        sections=[
            {"id": section.id, "name": section.name} | _figures(stored, policy)
            for section, stored in zip(paper.sections, graded.scorecard["sections"], strict=True)
        ],
        rank=standing.rank if standing else None,
        participants=sum(histogram.values()),
        percentile=standing.percentile if standing else None,
        questions=await _review(reads, user, graded, paper) if await _may_review(reads, test_id) else None,
    )


def _figures(stored: Mapping[str, Any], policy: RoundingPolicy) -> Figures:
    """Scores and counts of a paper or a section, printed by its rounding policy."""
    gained, lost = Fraction(stored["marks_gained"]), Fraction(stored["marks_lost"])
    factor, max_score = Fraction(stored["factor"]), Fraction(stored["max_score"])
    attempted = stored["correct"] + stored["incorrect"]
    return {name: stored[name] for name in COUNTS} | {
        "score": printed(gained - lost, factor, policy),
        "score_exact": str((gained - lost) * factor),
        "max_score": printed(max_score, Fraction(1), policy),
        "accuracy": stored["correct"] / attempted if attempted else None,
        "marks_gained": printed(gained, factor, policy),
        "marks_lost": printed(lost, factor, policy),
    }


async def _check_may_know(reads: Reading, user: Principal, attempt: Attempt) -> None:
    """Raise what a result that is withheld looks like."""
    reader = embargo.reader(user)
    if user.is_staff:
        is_hidden = await reads.embargo.hides_test(reader, attempt.test_id)
    else:
        # A test that only shares questions keeps its attempts in sight: their results come later.
        is_hidden = await reads.embargo.is_placed(attempt.test_id)
    if is_hidden:
        raise NotFound("attempt")
    if await reads.embargo.withholds_paper(reader, attempt.paper_id):
        raise NotGradedYet


async def _may_review(reads: Reading, test_id: UUID) -> bool:
    """`after_release` waits for the release of an exam; a test that no exam holds is free to review."""
    review = await reads.tests.review_policy(test_id)
    return review == "after_submit" or (
        review == "after_release" and not await reads.embargo.is_placed(test_id)
    )


async def _review(
    reads: Reading, user: Principal, graded: Result, paper: FrozenPaper
) -> list[QuestionReview]:
    """Each question with its key. Staff who see keys that an exam holds are in the audit log."""
    if user.is_staff:
        held = await audit.held_among(reads, [UUID(question_id) for question_id in paper.answer_key])
        audit.record_key_read(reads, user, held, where="result")
    answers = {event.question_id: event.answer for event in await reads.attempts.standing(graded.attempt_id)}
    time_spent = await reads.attempts.time_spent(graded.attempt_id)
    reviews = []
    for number, item in enumerate(graded.scorecard["items"], start=1):
        question_id = UUID(item["question_id"])
        right = paper.answer_key[item["question_id"]]
        reviews.append(
            QuestionReview(
                question_id=question_id,
                number=number,
                answer=answers.get(question_id),
                key=right["key"],
                outcome=item["outcome"],
                marks=printed(Fraction(item["marks"]), Fraction(1), paper.key.rounding),
                time_spent_ms=time_spent.get(question_id, 0),
                explanation=right["explanation"],
            )
        )
    return reviews
