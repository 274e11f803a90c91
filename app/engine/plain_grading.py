"""The plain rule of marking an attempt, with a fraction for each question: what `grading.py` must equal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from uuid import UUID

from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule
from app.engine.scoring import (
    AnswerMark,
    Item,
    ItemScore,
    Outcome,
    PaperKey,
    Scorecard,
    SectionScore,
    Tally,
    counted_places,
    mark_answer,
)

_NOTHING = Fraction(0)


def score_paper(answers: Mapping[UUID, Answer | None], key: PaperKey) -> Scorecard:
    """Mark the answers of an attempt exactly.

    `answers` maps question ids to what stands; missing, None or empty is blank, other ids are ignored.
    The score is `raw * factor`; under `prorate` the factor is maximum / (maximum - dropped maximum), as UPSC
    does.

    In a section with `choose` the first so many answers in the paper's order count. Questions marked "not
    attempted", and then blanks, fill the rest.
    A dropped question that earns marks takes a place there, the first if it earns them for all; one that is
    prorated takes none.
    """
    counted: set[UUID] = set()
    for section in key.sections:
        counted |= _counted(key.items_of[section.id], section.choose, answers, key.dropped)
    return _add_up(
        [
            _score_item(item, answers.get(item.question_id), item.question_id in counted, key.dropped)
            for item in key.items
        ],
        key,
    )


def _add_up(scores: Sequence[ItemScore], key: PaperKey) -> Scorecard:
    """The scorecard of marked questions, which stand in the order of the paper."""
    score_of = {score.question_id: score for score in scores}
    sections = []
    for section in key.sections:
        marked = [score_of[item.question_id] for item in key.items_of[section.id]]
        tally = _tally(marked, key.factor, key.maximum_of[section.id])
        sections.append(SectionScore(**vars(tally), section_id=section.id))
    whole = _tally(scores, key.factor, key.max_score)
    return Scorecard(**vars(whole), sections=tuple(sections), items=tuple(scores))


def _counted(
    items: Sequence[Item], choose: int | None, answers: Mapping[UUID, Answer | None], dropped: DroppedRule
) -> frozenset[UUID]:
    """The questions of a section that count."""
    given = [answers.get(item.question_id) for item in items]
    return frozenset(items[place].question_id for place in counted_places(items, choose, given, dropped))


def _score_item(item: Item, answer: Answer | None, counted: bool, dropped: DroppedRule) -> ItemScore:
    if counted:
        mark = mark_answer(item.key, answer, item.marks, dropped)
    else:
        mark = AnswerMark(Outcome.DROPPED if item.is_dropped else Outcome.UNATTEMPTED, _NOTHING)
    return ItemScore(item.question_id, mark.outcome, mark.earned)


def _tally(scores: Sequence[ItemScore], factor: Fraction, max_score: Fraction) -> Tally:
    outcomes = Counter(score.outcome for score in scores)
    return Tally(
        factor=factor,
        max_score=max_score,
        marks_gained=_sum(score.marks for score in scores if score.marks.numerator > 0),
        marks_lost=-_sum(score.marks for score in scores if score.marks.numerator < 0),
        correct=outcomes[Outcome.CORRECT],
        incorrect=outcomes[Outcome.INCORRECT],
        partial=outcomes[Outcome.PARTIAL],
        unattempted=outcomes[Outcome.UNATTEMPTED],
        dropped=outcomes[Outcome.DROPPED],
    )


def _sum(marks: Iterable[Fraction]) -> Fraction:
    """The exact sum: whole numbers by denominator first, since a paper's marks share few of them."""
    numerators: Counter[int] = Counter()
    for mark in marks:
        numerators[mark.denominator] += mark.numerator
    return sum((Fraction(n, denominator) for denominator, n in numerators.items()), _NOTHING)
