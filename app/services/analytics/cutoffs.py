"""How likely a candidate clears UPSC's published cut-offs, by the papers on UPSC's scale that they took.

What is said: if the candidate took another paper like the latest of these, and answered about as many
questions, this is the probability of reaching the cut-off of a year. It is a statement about these
papers, not about UPSC's next one, which may be harder.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from app.engine.dropped_keys import DroppedRule
from app.engine.grading import LETTERS
from app.engine.published_cutoffs import QUESTIONS, RIGHT, WRONG, cutoff_of, lowest_reaching, years
from app.engine.scoring import Marks, Outcome, PaperKey
from app.sentences import Sentence

if TYPE_CHECKING:
    from app.engine.statistics.clearing import Chance

MIN_ANSWERS = 30
MAX_PAPERS = 10
"""The latest ones count. Older ones say less of the candidate of today."""
_THIRDS = 3
_MARKED = {LETTERS[Outcome.CORRECT]: True, LETTERS[Outcome.INCORRECT]: False}


class ItemCurve(NamedTuple):
    """The calibrated parameters of a question (docs/decisions/0065)."""

    discrimination: float
    difficulty: float
    guessing: float = 0.0


@dataclass(frozen=True, slots=True)
class TakenPaper:
    """A graded attempt: the key that it was marked by, and the outcome letters of its result."""

    key: PaperKey
    outcomes: str

    @property
    def answers(self) -> list[tuple[UUID, bool]]:
        """The questions that were answered and marked, and whether they were right."""
        pairs = zip(self.key.items, self.outcomes, strict=True)
        return [(item.question_id, _MARKED[letter]) for item, letter in pairs if letter in _MARKED]


@dataclass(frozen=True, slots=True)
class CutoffChance:
    """The probability of clearing the cut-off of one year. Where it is None, `reason` says why."""

    year: int
    category: str
    n: int
    """How many answers it rests on."""
    marks: str | None = None
    source: str | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    reason: Sentence | None = None


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the candidate answered, and the paper that is asked about."""

    answers: Sequence[tuple[UUID, bool]]
    again: Sequence[tuple[UUID, bool]]
    curves: Mapping[UUID, ItemCurve] = field(default_factory=dict)


async def cutoff_chances(
    category: str, papers: Sequence[TakenPaper], curves: Mapping[UUID, ItemCurve] | None = None
) -> Sequence[CutoffChance]:
    """The chance of each year's cut-off of a category, newest year first.

    `papers` are attempts of one candidate that are shown to them, the latest last; others than papers on
    UPSC's scale are left out. `curves` are the calibrated questions, as far as there are any.
    """
    on_scale = [paper for paper in papers if is_on_upsc_scale(paper.key)][-MAX_PAPERS:]
    evidence = _Evidence(
        answers=[answer for paper in on_scale for answer in paper.answers],
        again=on_scale[-1].answers if on_scale else (),
        curves=curves or {},
    )
    missing = _missing(on_scale, evidence)
    if missing is not None:
        return [_unknown(year, category, len(evidence.answers), missing) for year in years()]
    dropped = sum(item.is_dropped for item in on_scale[-1].key.items)
    return await asyncio.to_thread(_chances, category, evidence, dropped)


def is_on_upsc_scale(key: PaperKey) -> bool:
    """Whether a paper is marked as General Studies Paper I is."""
    return (
        len(key.items) == QUESTIONS
        and key.dropped is DroppedRule.PRORATE
        and key.dropped_rules <= {None, DroppedRule.PRORATE}
        and all(section.choose is None for section in key.sections)
        and all(map(_has_upsc_marks, key.distinct_marks))
    )


def _has_upsc_marks(marks: Marks) -> bool:
    return marks.correct == RIGHT and marks.incorrect == WRONG and not marks.unattempted


def _missing(papers: Sequence[TakenPaper], evidence: _Evidence) -> Sentence | None:
    if not papers:
        return Sentence(
            "There is a probability only for papers that are marked as General Studies Paper I is:"
            " 100 questions, 2 marks for a right answer and -2/3 for a wrong one."
        )
    if len(evidence.answers) < MIN_ANSWERS:
        return Sentence(
            "This needs {needed} answers to such papers. You have given {given}.",
            needed=MIN_ANSWERS,
            given=len(evidence.answers),
        )
    return None


def _unknown(year: int, category: str, n: int, reason: Sentence) -> CutoffChance:
    published = cutoff_of(year, category)
    if published is None:
        return CutoffChance(year, category, n, reason=_unpublished(year))
    return CutoffChance(year, category, n, str(published.marks), published.source, reason=reason)


def _unpublished(year: int) -> Sentence:
    return Sentence("There was no cut-off of this category in {year}.", year=year)


def _chances(category: str, evidence: _Evidence, dropped: int) -> Sequence[CutoffChance]:
    """All years at once, in a thread. `dropped` counts questions of the paper that is asked about."""
    # numpy is not loaded when the application starts.
    from app.engine.statistics.clearing import Answered, Marking, chances_of_clearing, items_of  # noqa: PLC0415

    published = [found for year in years() if (found := cutoff_of(year, category)) is not None]
    known = Answered.of(
        _parameters(evidence.answers, evidence.curves), [is_right for _, is_right in evidence.answers]
    )
    paper = items_of(_parameters(evidence.again, evidence.curves))
    totals = [lowest_reaching(each.marks, dropped) for each in published]
    marking = Marking(QUESTIONS - dropped, int(RIGHT * _THIRDS), int(WRONG * _THIRDS))
    chances = chances_of_clearing(known, paper, marking, totals)
    by_year = {each.year: chance for each, chance in zip(published, chances, strict=True)}
    return [_chance(year, category, len(evidence.answers), by_year.get(year)) for year in years()]


def _chance(year: int, category: str, n: int, chance: "Chance | None") -> CutoffChance:
    published = cutoff_of(year, category)
    if published is None or chance is None:
        return CutoffChance(year, category, n, reason=_unpublished(year))
    return CutoffChance(
        year,
        category,
        n,
        str(published.marks),
        published.source,
        chance.probability,
        chance.low,
        chance.high,
    )


def _parameters(
    answers: Sequence[tuple[UUID, bool]], curves: Mapping[UUID, ItemCurve]
) -> list[tuple[float, float, float]]:
    """Of each answered question. One without parameters is as difficult as the others are on average."""
    known = [curves[question_id].difficulty for question_id, _ in answers if question_id in curves]
    usual = ItemCurve(1.0, sum(known) / len(known) if known else 0.0)
    found = [curves.get(question_id, usual) for question_id, _ in answers]
    return [(curve.discrimination, curve.difficulty, curve.guessing) for curve in found]
