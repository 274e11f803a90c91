"""Grading the attempts at one paper: each distinct answer is marked once, and marks are whole numbers.

The result equals that of `plain_grading.score_paper`, which is the rule. What differs is the cost: an answer
to a question is looked up, and marks are added in parts of the paper's common denominator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from app.engine.answers import Answer
from app.engine.qualifying import Qualification, qualification
from app.engine.scoring import (
    ItemScore,
    Outcome,
    PaperKey,
    Scorecard,
    SectionScore,
    Tally,
    counted_places,
    mark_answer,
)

LETTERS = {
    Outcome.CORRECT: "c",
    Outcome.INCORRECT: "i",
    Outcome.PARTIAL: "p",
    Outcome.UNATTEMPTED: "u",
    Outcome.DROPPED: "d",
}
"""How a result stores the outcome of a question."""

_OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}
_MAX_REMEMBERED_ANSWERS = 1_000
"""Answers to one question: of choices there are few, typed numbers and words have no end."""

_Marked = tuple[str, int]
"""The letter of an outcome, and the marks in parts of the common denominator."""


@dataclass(frozen=True, slots=True)
class GradedAttempt:
    """The marked answers of an attempt, with an entry for each question in the order of the paper.

    `marks` are in parts of `1 / denominator`, which is the smallest common one. Their sum is `raw`.
    """

    outcomes: str
    marks: Sequence[int]
    denominator: int
    raw: Fraction
    score: Fraction
    qualification: Qualification


class Grader:
    """Marks attempts by one key, and remembers what it has marked. For one thread at a time."""

    def __init__(self, key: PaperKey) -> None:
        self._key = key
        self._denominator = 1
        self._remembered: list[dict[Answer | None, _Marked]] = [{} for _ in key.items]
        self._has_rules = key.most_unmarked is not None or bool(key.minimum_of)
        self._choices = [
            (section.choose, key.places_of[section.id])
            for section in key.sections
            if section.choose is not None
        ]

    def grade(self, answers: Sequence[Answer | None]) -> GradedAttempt:
        """Mark the answers of one attempt. They stand in the order of the paper; None is blank."""
        try:
            marked = self._look_up(answers)
        except KeyError:
            self._mark_new(answers)
            marked = self._look_up(answers)
        for choose, places in self._choices:
            for place in self._not_counted(choose, places, answers):
                dropped = self._key.items[place].is_dropped
                marked[place] = (LETTERS[Outcome.DROPPED if dropped else Outcome.UNATTEMPTED], 0)
        return self._graded(marked, answers)

    def _look_up(self, answers: Sequence[Answer | None]) -> list[_Marked]:
        return [known[answer] for known, answer in zip(self._remembered, answers, strict=True)]

    def _mark_new(self, answers: Sequence[Answer | None]) -> None:
        for item, known, answer in zip(self._key.items, self._remembered, answers, strict=True):
            if answer not in known:
                if len(known) >= _MAX_REMEMBERED_ANSWERS:
                    known.clear()
                mark = mark_answer(item.key, answer, item.marks, self._key.dropped)
                known[answer] = (LETTERS[mark.outcome], self._whole(mark.earned))

    def _whole(self, marks: Fraction) -> int:
        """Marks in parts of the common denominator, which grows if it has to."""
        grown = lcm(self._denominator, marks.denominator)
        if grown > self._denominator:
            times = grown // self._denominator
            for known in self._remembered:
                known.update({answer: (letter, part * times) for answer, (letter, part) in known.items()})
            self._denominator = grown
        return marks.numerator * (grown // marks.denominator)

    def _not_counted(self, choose: int, places: Sequence[int], answers: Sequence[Answer | None]) -> list[int]:
        """Which questions of a section with `choose` do not count."""
        items = [self._key.items[place] for place in places]
        given = [answers[place] for place in places]
        counted = {places[place] for place in counted_places(items, choose, given, self._key.dropped)}
        return [place for place in places if place not in counted]

    def _graded(self, marked: Sequence[_Marked], answers: Sequence[Answer | None]) -> GradedAttempt:
        parts = [part for _, part in marked]
        shared = gcd(self._denominator, *parts)
        raw = Fraction(sum(parts), self._denominator)
        return GradedAttempt(
            outcomes="".join([letter for letter, _ in marked]),
            marks=parts if shared == 1 else [part // shared for part in parts],
            denominator=self._denominator // shared,
            raw=raw,
            score=raw * self._key.factor,
            qualification=self._qualification(parts, answers),
        )

    def _qualification(self, parts: Sequence[int], answers: Sequence[Answer | None]) -> Qualification:
        if not self._has_rules:
            return Qualification.QUALIFIED
        raw_of = {section.id: Fraction(0) for section in self._key.sections}
        for item, part in zip(self._key.items, parts, strict=True):
            raw_of[item.section_id] += Fraction(part, self._denominator)
        given = {item.question_id: answer for item, answer in zip(self._key.items, answers, strict=True)}
        return qualification(self._key, given, raw_of)


def scorecard_of(key: PaperKey, outcomes: str, marks: Sequence[int], denominator: int) -> Scorecard:
    """The scorecard of an attempt that was marked by this key."""
    earned = {part: Fraction(part, denominator) for part in set(marks)}
    items = tuple(
        [
            ItemScore(item.question_id, _OUTCOMES[letter], earned[part])
            for item, letter, part in zip(key.items, outcomes, marks, strict=True)
        ]
    )
    sections = []
    for section in key.sections:
        places = key.places_of[section.id]
        letters, parts = "".join([outcomes[place] for place in places]), [marks[place] for place in places]
        tally = _tally(letters, parts, denominator, key.factor, key.maximum_of[section.id])
        sections.append(SectionScore(**vars(tally), section_id=section.id))
    whole = _tally(outcomes, marks, denominator, key.factor, key.max_score)
    return Scorecard(**vars(whole), sections=tuple(sections), items=items)


def _tally(
    outcomes: str, marks: Sequence[int], denominator: int, factor: Fraction, max_score: Fraction
) -> Tally:
    """The sums of some questions. Whole numbers are added in a fraction of the time."""
    return Tally(
        factor=factor,
        max_score=max_score,
        marks_gained=Fraction(sum([part for part in marks if part > 0]), denominator),
        marks_lost=Fraction(-sum([part for part in marks if part < 0]), denominator),
        **{outcome.value: outcomes.count(letter) for letter, outcome in _OUTCOMES.items()},
    )
