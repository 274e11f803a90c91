"""Results as their candidate sees them: marks by policy, rank and percentile as they stand now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Any
from uuid import UUID

from app.core.errors import DomainError, NotFound, NotGradedYet
from app.engine.grading import scorecard_of
from app.engine.marks import RoundingPolicy, printed
from app.engine.qualifying import reaches_minimum
from app.engine.ranking import CohortPlace
from app.engine.scoring import Outcome, PaperKey, Scorecard, SectionScore, Tally
from app.models import Attempt, AttemptStatus, LocalizedText, Result
from app.repositories.attempts import NOT_SAVED, QuestionLog
from app.repositories.attempts.own_results import OwnResult
from app.repositories.embargo import CANDIDATE, ResultEmbargo
from app.services import audit, embargo, tests
from app.services.components import Components
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import Reading, reading
from app.services.users import Principal

Figures = dict[str, Any]
COUNTS = tuple(Outcome)
"""Each outcome is the name of its count."""
MIN_PARTICIPANTS = 20
"""With fewer participants, the share of right answers to a question says more of them than of it."""


@dataclass(frozen=True, slots=True)
class QuestionReview:
    """One question of a graded attempt, with what was right."""

    question_id: UUID
    number: int
    section_id: UUID
    answer: Any
    marked_for_review: bool
    confidence: str | None
    correct_percent: float | None
    """Of all participants. None for a dropped question, under embargo, and for few participants."""
    changes: int
    """See `engine.responses.count_changes`."""
    key: Mapping[str, Any]
    outcome: str
    marks: str
    time_spent_ms: int
    explanation: LocalizedText | None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Whose attempts are ranked together: those at an exam paper, or at these versions of a test's paper."""

    exam_paper_id: UUID | None
    paper_version: int
    """The version of this attempt."""
    paper_versions: Sequence[int]


@dataclass(frozen=True, slots=True)
class Revision:
    """What a revision of the key did to a result. Ranks are those of its publication; None without a rank."""

    number: int
    at: datetime
    reason: str
    score_before: str
    score_after: str
    rank_before: int | None
    rank_after: int | None


@dataclass(frozen=True, slots=True)
class ResultView:
    """A graded attempt. `questions` is None in a summary, and where the review policy shows none."""

    attempt: Attempt
    figures: Figures
    sections: Sequence[Figures]
    rank: int | None
    participants: int
    cohort: Cohort
    percentile: float | None
    questions: Sequence[QuestionReview] | None
    qualification: str
    revisions: Sequence[Revision]
    """What revisions of the key did to this result, the first one first."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A graded attempt with the key that it was marked by."""

    attempt: Attempt
    stored: Result
    key: CompiledKey
    card: Scorecard


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a result is shown with: the embargo, the place among others, and what revisions did to it."""

    known: ResultEmbargo
    place: CohortPlace
    versions: Sequence[int]
    revisions: Sequence[Revision]


async def result(
    reads: Reading, parts: Components, user: Principal, test_id: UUID, attempt_id: UUID | None
) -> ResultView:
    """The result of an attempt, in an exam or outside, by default the latest.

    While an exam holds the test there is none, but for who made the test. Where an exam holds a question of
    the paper, the result waits for its release as if nobody had graded it. Raises NotFound, or NotGradedYet.
    """
    found = await reads.own_results.find(tests.viewer(user), test_id, attempt_id)
    [outcome] = await _outcomes(reads, parts, [found])
    if isinstance(outcome, DomainError):
        raise outcome
    if user.is_staff and outcome.questions is not None:
        held = await audit.held_among(reads, [question.question_id for question in outcome.questions])
        audit.record_key_read(reads, user, held, where="result")
    return outcome


async def result_together(parts: Components, candidate: Principal, test_id: UUID) -> ResultView:
    """The result of a candidate's latest attempt, read together with those of others at this test.

    Raises NotFound, or NotGradedYet.
    """
    work = partial(_results, parts, test_id)
    outcome = await parts.result_batches.outcome((result_together, test_id), candidate.id, work)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


async def _results(
    parts: Components, test_id: UUID, user_ids: Sequence[UUID]
) -> Sequence[ResultView | DomainError]:
    async with reading(parts.engine) as reads:
        found = await reads.own_results.of_candidates(list(dict.fromkeys(user_ids)), test_id)
        outcomes = dict(zip(found, await _outcomes(reads, parts, list(found.values())), strict=True))
    return [outcomes.get(user_id) or NotFound("attempt") for user_id in user_ids]


async def _outcomes(
    reads: Reading, parts: Components, found: Sequence[OwnResult]
) -> list[ResultView | DomainError]:
    """What each candidate gets: the result, or the error that stands for it. One statement reads all logs."""
    reviewed = [own for own in found if _refusal(own) is None and own.known.may_review]
    logs = await reads.attempt_reviews.question_logs([own.attempt.id for own in reviewed]) if reviewed else {}
    compared = {own.stored.cohort_id for own in reviewed if own.stored and not own.known.withholds_rank}
    shares = {cohort_id: await _correct_percents(reads, cohort_id) for cohort_id in compared}
    return [await _outcome(reads, parts, own, logs.get(own.attempt.id, {}), shares) for own in found]


async def _outcome(
    reads: Reading,
    parts: Components,
    own: OwnResult,
    logs: Mapping[UUID, QuestionLog],
    shares: Mapping[UUID, Mapping[UUID, float]],
) -> ResultView | DomainError:
    if (refusal := _refusal(own)) is not None:
        return refusal
    attempt, stored, known = own.attempt, own.stored, own.known
    assert stored is not None  # noqa: S101 -- otherwise it is refused
    graded = await card_of(reads, parts, attempt, stored)
    revisions = await revisions_of(reads, [attempt.id]) if own.is_revised else {}
    versions = own.versions if attempt.exam_paper_id is None else []
    seen = Comparison(known, own.place, versions, revisions.get(attempt.id, []))
    summary = await _summary(reads, parts, graded, seen)
    if not known.may_review:
        return summary
    of_cohort = {} if known.withholds_rank else shares[stored.cohort_id]
    return replace(summary, questions=_review(graded, logs, of_cohort))


def _refusal(own: OwnResult) -> DomainError | None:
    """What a result that is withheld or not graded looks like to its candidate."""
    if own.known.hides_attempt:
        return NotFound("attempt")
    is_graded = own.stored is not None and own.attempt.status == AttemptStatus.GRADED
    return None if is_graded and not _is_withheld(own.known) else NotGradedYet()


async def submitted_result(reads: Reading, parts: Components, attempt: Attempt) -> ResultView | None:
    """The summary of an attempt that has just been submitted, or was before; None where it is withheld."""
    stored = await reads.attempts.result(attempt.id)
    if stored is None:
        return None
    revisions = await revisions_of(reads, [attempt.id])
    return (await submitted_results(reads, parts, [(attempt, stored)], revisions)).get(attempt.id)


async def submitted_results(
    reads: Reading,
    parts: Components,
    submitted: Sequence[tuple[Attempt, Result]],
    revisions: Mapping[UUID, Sequence[Revision]],
) -> Mapping[UUID, ResultView]:
    """The summaries of attempts, by attempt, as `result` gives them to their candidates, without questions.

    Those that are withheld are left out, and so are those of candidates who are or were staff: `result` knows
    what each of them may see.
    """
    shown = [each for each in submitted if each[0].status == AttemptStatus.GRADED and not each[1].was_staff]
    known = {
        (test_id, paper_id): await reads.embargo.of_result(CANDIDATE, test_id, paper_id)
        for test_id, paper_id in {(attempt.test_id, attempt.paper_id) for attempt, _ in shown}
    }
    shown = [each for each in shown if not _is_withheld(known[each[0].test_id, each[0].paper_id])]
    places = await reads.attempts.places([stored for _, stored in shown]) if shown else []
    # Those of one cohort have the same versions, so they are read once.
    cohorts = {stored.cohort_id: (attempt, stored) for attempt, stored in shown}
    versions = {cohort_id: await _versions(reads, *some) for cohort_id, some in cohorts.items()}
    summaries = {}
    for (attempt, stored), place in zip(shown, places, strict=True):
        embargo_of_result = known[attempt.test_id, attempt.paper_id]
        revised = revisions.get(attempt.id, [])
        seen = Comparison(embargo_of_result, place, versions[stored.cohort_id], revised)
        graded = await card_of(reads, parts, attempt, stored)
        summaries[attempt.id] = await _summary(reads, parts, graded, seen)
    return summaries


def _is_withheld(known: ResultEmbargo) -> bool:
    return known.hides_attempt or known.withholds_result


async def card_of(reads: Reading, parts: Components, attempt: Attempt, stored: Result) -> Graded:
    """A result with its key and scorecard. The caller has asked the embargo."""
    key = await parts.papers.key(reads, stored.key_id)
    card = scorecard_of(key.rules, stored.outcomes, stored.marks, stored.marks_denominator)
    return Graded(attempt, stored, key, card)


async def _summary(reads: Reading, parts: Components, whole: Graded, seen: Comparison) -> ResultView:
    """A result without its questions."""
    attempt, graded, key, card = whole.attempt, whole.stored, whole.key, whole.card
    paper = await parts.papers.get(reads, attempt.paper_id)
    # A rank tells of the others' scores too, and they may have sat a version that has a held question.
    # So do shares of right answers.
    standing = seen.place.standing if graded.counted and not seen.known.withholds_rank else None
    policy = key.rules.rounding
    return ResultView(
        attempt=attempt,
        figures=printed_tally(card, policy),
        sections=[
            {"id": section.id, "name": section.name}
            | printed_tally(score, policy)
            | _minimum(key.rules, score)
            for section, score in zip(paper.sections, card.sections, strict=True)
        ],
        rank=standing.rank if standing else None,
        participants=seen.place.participants,
        cohort=Cohort(attempt.exam_paper_id, paper.version, seen.versions or [paper.version]),
        percentile=standing.percentile if standing else None,
        questions=None,
        qualification=graded.qualification,
        revisions=_without_ranks(seen.revisions) if seen.known.withholds_rank else seen.revisions,
    )


async def revisions_of(reads: Reading, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Revision]]:
    """What revisions did to the results of attempts, by attempt. Those without revisions are left out."""
    found: dict[UUID, list[Revision]] = {}
    for revision, revised in await reads.key_revisions.of_attempts(attempt_ids):
        if revision.completed_at is not None:
            shown = Revision(
                number=revision.number,
                at=revision.completed_at,
                reason=revision.reason,
                score_before=revised.score_before,
                score_after=revised.score_after,
                rank_before=revised.rank_before,
                rank_after=revised.rank_after,
            )
            found.setdefault(revised.attempt_id, []).append(shown)
    return found


def _without_ranks(revisions: Sequence[Revision]) -> list[Revision]:
    return [replace(revision, rank_before=None, rank_after=None) for revision in revisions]


async def reviewed_key(
    reads: Reading, parts: Components, user: Principal, attempt: Attempt
) -> CompiledKey | None:
    """The key that the review of a graded attempt shows to its candidate; None while it shows none."""
    known = await reads.embargo.of_result(embargo.reader(user), attempt.test_id, attempt.paper_id)
    if _is_withheld(known):
        return None
    graded = await reads.attempts.result(attempt.id)
    if graded is None or attempt.status != AttemptStatus.GRADED:
        return None
    if not known.may_review:
        return None
    return await parts.papers.key(reads, graded.key_id)


async def _versions(reads: Reading, attempt: Attempt, graded: Result) -> Sequence[int]:
    """The paper versions of a test that are ranked together. An exam paper has one; none is named here."""
    if attempt.exam_paper_id is not None:
        return []
    return await reads.keys.versions_in(attempt.test_id, graded.cohort_id)


def _minimum(key: PaperKey, score: SectionScore) -> Figures:
    """A section's minimum by this key, and whether its score reaches it; None where it has none."""
    minimum = key.minimum_of.get(score.section_id)
    if minimum is None:
        return {"minimum_marks": None, "minimum_reached": None}
    return {
        "minimum_marks": printed(minimum, Fraction(1), key.rounding),
        "minimum_reached": reaches_minimum(key, score.section_id, score.raw),
    }


def printed_tally(tally: Tally, policy: RoundingPolicy) -> Figures:
    """Scores and counts of a paper or a section, printed by its rounding policy."""
    attempted = tally.correct + tally.incorrect
    return {name: getattr(tally, name) for name in COUNTS} | {
        "score": printed(tally.raw, tally.factor, policy),
        "score_exact": str(tally.score),
        "max_score": printed(tally.max_score, Fraction(1), policy),
        "accuracy": tally.correct / attempted if attempted else None,
        "marks_gained": printed(tally.marks_gained, tally.factor, policy),
        "marks_lost": printed(tally.marks_lost, tally.factor, policy),
    }


async def _correct_percents(reads: Reading, cohort_id: UUID) -> Mapping[UUID, float]:
    """The share of participants who answered each question correctly, where there are enough of them."""
    shares = await reads.attempt_reviews.correct_shares(cohort_id)
    return {
        question_id: 100 * correct / participants
        for question_id, (correct, participants) in shares.items()
        if participants >= MIN_PARTICIPANTS
    }


def _review(
    graded: Graded, logs: Mapping[UUID, QuestionLog], shares: Mapping[UUID, float]
) -> list[QuestionReview]:
    """Each question with its key."""
    key, card, stored = graded.key, graded.card, graded.stored
    policy, denominator = key.rules.rounding, stored.marks_denominator
    marks = {part: printed(Fraction(part, denominator), Fraction(1), policy) for part in set(stored.marks)}
    reviews = []
    for number, (item, rule, answer, part) in enumerate(
        zip(card.items, key.rules.items, stored.answers, stored.marks, strict=True), start=1
    ):
        right = key.answer_key[str(item.question_id)]
        log = logs.get(item.question_id, NOT_SAVED)
        reviews.append(
            QuestionReview(
                question_id=item.question_id,
                number=number,
                section_id=rule.section_id,
                answer=answer,
                marked_for_review=log.marked_for_review,
                confidence=log.confidence,
                correct_percent=shares.get(item.question_id) if item.outcome is not Outcome.DROPPED else None,
                changes=log.changes,
                key=right["key"],
                outcome=item.outcome,
                marks=marks[part],
                time_spent_ms=log.time_spent_ms,
                explanation=right["explanation"],
            )
        )
    return reviews
