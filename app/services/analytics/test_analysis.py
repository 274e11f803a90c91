"""The analysis of one attempt at a test: luck, participants, times, questions, changes and guesses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.core.errors import NotFound, NotGradedYet
from app.engine.attempt_figures import CONFIDENCE_LETTERS
from app.engine.grading import scorecard_of
from app.engine.marks import RoundingPolicy, printed
from app.engine.ranking import Distribution, Standing
from app.engine.scoring import Outcome, Scorecard
from app.engine.statistics.bands import rank_band
from app.models import Attempt, LocalizedText
from app.repositories.analytics.attempt_at_test import AttemptAtTest
from app.repositories.analytics.shown import KeptFigures, ShownAttempt
from app.sentences import Sentence
from app.services import tests
from app.services.analytics.cutoffs import CutoffChance
from app.services.analytics.estimates import ConfidenceCheck, Guessing
from app.services.analytics.judging import estimate
from app.services.analytics.trend import ScoreBand, as_band, marks_band, usable
from app.services.attempts.results import MIN_PARTICIPANTS, printed_tally
from app.services.components import Components
from app.services.tests.papers import CompiledKey, FrozenPaper
from app.services.unit_of_work import Reading
from app.services.users import Principal

MIN_PARTICIPANTS_OF_OPTION = 5
"""The share of an option that fewer participants chose is not shown."""
_CONFIDENCE = {letter: name for name, letter in CONFIDENCE_LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Participants:
    """The scores of the cohort. `distribution` and `top` are left out for few participants."""

    count: int
    distribution: Sequence[tuple[str, int]]
    """Scores as they are printed, the highest first, and how many participants have each."""
    top_mean: str | None
    """The mean of the best tenth."""
    top_count: int
    reason: Sentence | None


@dataclass(frozen=True, slots=True)
class QuestionAnalysis:
    """One question. What tells its key is None unless the review of the attempt is open."""

    question_id: UUID
    number: int
    section_id: UUID
    own_ms: int | None
    median_ms: int | None
    answered_order: int | None
    confidence: str | None
    outcome: str | None
    correct_percent: float | None
    option_percent: Mapping[str, float | None] | None


@dataclass(frozen=True, slots=True)
class SectionAnalysis:
    """A section with its printed figures and times."""

    id: UUID
    name: LocalizedText
    figures: Mapping[str, Any]
    own_ms: int | None
    median_ms: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes of answers gained or cost; None while the review is closed."""

    right_to_wrong: int
    wrong_to_right: int
    wrong_to_wrong: int
    net_marks: str


@dataclass(frozen=True, slots=True)
class TestAnalysis:
    """The analysis of an attempt."""

    __test__ = False

    attempt: Attempt
    figures: Mapping[str, Any]
    pending: bool
    standing: Standing | None
    score_band: ScoreBand | None
    rank_band: tuple[int, int] | None
    participants: Participants
    sections: Sequence[SectionAnalysis]
    questions: Sequence[QuestionAnalysis]
    changes: Changes | None
    confidence: Sequence[ConfidenceCheck]
    guessing: Guessing
    cutoffs: Sequence[CutoffChance]


@dataclass(frozen=True, slots=True)
class _GradedAttempt:
    """The attempt with its paper, its key and its marks."""

    found: AttemptAtTest
    shown: ShownAttempt
    paper: FrozenPaper
    key: CompiledKey
    card: Scorecard


async def analyze(
    reads: Reading, parts: Components, user: Principal, test_id: UUID, attempt_id: UUID | None
) -> TestAnalysis:
    """The analysis of an attempt, by default the latest.

    It exists exactly if the result of the attempt does. Raises NotFound, or NotGradedYet.
    """
    found = await reads.attempts_at_tests.find(tests.viewer(user), test_id, attempt_id)
    shown = _shown(found)
    paper = await parts.papers.get(reads, shown.paper_id)
    key = await parts.papers.key(reads, shown.key_id)
    card = scorecard_of(key.rules, shown.outcomes, found.marks, found.marks_denominator)
    graded = _GradedAttempt(found, shown, paper, key, card)
    scores = await reads.attempts.distribution(shown.cohort_id)
    standing = scores.standing(shown.score.exact) if shown.counted and shown.may_compare else None
    may_compare_questions = shown.may_review and shown.may_compare
    shares = await reads.attempt_reviews.correct_shares(shown.cohort_id) if may_compare_questions else {}
    estimates = await estimate(reads, parts, [shown], user.category)
    band = marks_band(shown, usable(shown.scale))
    return TestAnalysis(
        attempt=found.attempt,
        figures=printed_tally(card, key.rules.rounding),
        pending=shown.figures is None,
        standing=standing,
        score_band=band,
        rank_band=_rank_band(band, scores) if band and standing else None,
        participants=_participants(graded, scores),
        sections=_sections(graded),
        questions=_questions(graded, shares),
        changes=_changes(graded, shown.figures) if shown.figures and shown.may_review else None,
        confidence=estimates.judgement.confidence,
        guessing=estimates.judgement.guessing,
        cutoffs=estimates.cutoffs,
    )


def _shown(found: AttemptAtTest) -> ShownAttempt:
    """The attempt, if its result may be seen. Otherwise raise what the result looks like."""
    if found.is_hidden:
        raise NotFound("attempt")
    if found.is_withheld or found.shown is None:
        raise NotGradedYet
    return found.shown


def _rank_band(band: ScoreBand, scores: Distribution[Fraction]) -> tuple[int, int]:
    return rank_band(as_band(band), [float(score) for score in reversed(scores.scores)], scores.counts[::-1])


def _participants(graded: _GradedAttempt, scores: Distribution[Fraction]) -> Participants:
    count = scores.participants
    if count < MIN_PARTICIPANTS or not graded.shown.may_compare:
        return Participants(count, [], None, 0, _why_no_distribution(count))
    best = -(-count // 10)
    distribution, top_mean = _printed_scores(scores, best, graded.key.rules.factor, graded.key.rules.rounding)
    return Participants(count, distribution, top_mean, best, None)


def _why_no_distribution(count: int) -> Sentence:
    if count < MIN_PARTICIPANTS:
        return Sentence(
            "The distribution is shown from {needed} participants on. There are {given}.",
            needed=MIN_PARTICIPANTS,
            given=count,
        )
    return Sentence("The distribution is not shown at the moment.")


@lru_cache(maxsize=64)
def _printed_scores(
    scores: Distribution[Fraction], best: int, factor: Fraction, rounding: RoundingPolicy
) -> tuple[Sequence[tuple[str, int]], str]:
    """The scores after proration with their counts, and the mean of so many best, printed from raw marks.

    Kept, because it is the same for all participants of a cohort.
    """
    total, left = Fraction(0), best
    for score, count in zip(scores.scores, scores.counts, strict=True):
        taken = min(left, count)
        total, left = total + taken * score, left - taken
    texts = [printed(score / factor, factor, rounding) for score in scores.scores]
    return list(zip(texts, scores.counts, strict=True)), printed(total / best / factor, factor, rounding)


def _sections(graded: _GradedAttempt) -> list[SectionAnalysis]:
    place_of = {question_id: place for place, question_id in enumerate(graded.paper.questions)}
    medians = graded.found.statistics.median_ms if graded.found.statistics else None
    sections = []
    for section, score in zip(graded.paper.sections, graded.card.sections, strict=True):
        places = [place_of[question_id] for question_id in section.question_ids]
        figures = printed_tally(score, graded.key.rules.rounding)
        own, median = _sum_of(graded.found.spent_ms, places), _sum_of(medians, places)
        sections.append(SectionAnalysis(section.id, section.name, figures, own, median))
    return sections


def _sum_of(times: Sequence[int | None] | None, places: Sequence[int]) -> int | None:
    """The sum of the times at these places, if all of them are known."""
    known = [time for place in places if (time := times[place]) is not None] if times is not None else []
    return sum(known) if len(known) == len(places) else None


def _questions(graded: _GradedAttempt, shares: Mapping[UUID, tuple[int, int]]) -> list[QuestionAnalysis]:
    found, shown = graded.found, graded.shown
    section_of = {
        question_id: section.id for section in graded.paper.sections for question_id in section.question_ids
    }
    medians = found.statistics.median_ms if found.statistics else None
    questions = []
    for place, item in enumerate(graded.card.items):
        order = found.answered_order[place] if found.answered_order else 0
        letter = shown.figures.confidence[place] if shown.figures else ""
        is_dropped = item.outcome is Outcome.DROPPED
        questions.append(
            QuestionAnalysis(
                question_id=item.question_id,
                number=place + 1,
                section_id=section_of[item.question_id],
                own_ms=found.spent_ms[place] if found.spent_ms else None,
                median_ms=medians[place] if medians else None,
                answered_order=order or None,
                confidence=_CONFIDENCE.get(letter),
                outcome=item.outcome.value if shown.may_review else None,
                correct_percent=None if is_dropped else _correct_percent(shares.get(item.question_id)),
                option_percent=None if is_dropped else _option_percent(graded, place),
            )
        )
    return questions


def _correct_percent(share: tuple[int, int] | None) -> float | None:
    if share is None or share[1] < MIN_PARTICIPANTS:
        return None
    return 100 * share[0] / share[1]


def _option_percent(graded: _GradedAttempt, place: int) -> Mapping[str, float | None] | None:
    """The share of the participants who chose each option. It tells the key, as `correct_percent` does."""
    statistics = graded.found.statistics
    if statistics is None or not (graded.shown.may_review and graded.shown.may_compare):
        return None
    counts = statistics.option_counts[place]
    options = list(graded.paper.questions.values())[place].options
    total = sum(counts)
    if not options or total < MIN_PARTICIPANTS:
        return None
    return {
        option: None if 0 < chosen < MIN_PARTICIPANTS_OF_OPTION else round(100 * chosen / total, 2)
        for option, chosen in zip(options, counts, strict=False)
    }


def _changes(graded: _GradedAttempt, figures: KeptFigures) -> Changes:
    rules = graded.key.rules
    net = Fraction(figures.net_marks, figures.denominator)
    return Changes(
        right_to_wrong=figures.right_to_wrong,
        wrong_to_right=figures.wrong_to_right,
        wrong_to_wrong=figures.wrong_to_wrong,
        net_marks=printed(net, rules.factor, rules.rounding),
    )
