"""The rules of marking: a paper's key and a candidate's answers in, exact marks out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from math import lcm
from uuid import UUID

from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule, dropped_rule, is_dropped
from app.engine.marks import RoundingPolicy
from app.engine.partial_rules import NO_PARTIAL_MARKS, PartialRule
from app.engine.question_types import AnswerKey, JsonObject, question_type
from app.sentences import Sentence

_NOTHING = Fraction(0)
# Storage has 60 digits for each part of a score. With this bound, no score of a paper needs 50.
_MAX_COMMON_DENOMINATOR = 10**12


class AllDropped(ValueError):
    """A key that drops every question leaves nothing to mark."""

    def __init__(self) -> None:
        super().__init__(Sentence("At least one question must remain. This key drops them all."))


class Outcome(StrEnum):
    """What became of one question of an attempt."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    PARTIAL = "partial"
    UNATTEMPTED = "unattempted"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Marks:
    """What a question earns, signed as written: an incorrect answer of a UPSC question has `-2/3`."""

    correct: Fraction
    incorrect: Fraction
    unattempted: Fraction
    partial: PartialRule = NO_PARTIAL_MARKS
    not_attempted: str | None = None
    """The option that means "not attempted". Alone, it earns nothing and costs nothing."""

    def __post_init__(self) -> None:
        if self.correct <= 0:
            raise ValueError("The marks for a correct answer must be above zero.")
        if self.incorrect > 0:
            raise ValueError('The marks for an incorrect answer are zero or negative, like "-2/3".')
        if self.unattempted > self.correct:
            raise ValueError("An unattempted question cannot earn more than a correct answer.")

    def is_attempt(self, answer: Answer | None) -> bool:
        """Return whether the answer is neither blank nor the option that means "not attempted"."""
        return bool(answer) and answer != (self.not_attempted,)


@dataclass(frozen=True)
class Dropped:
    """The key of a question that was withdrawn, with a rule of its own or that of the marking scheme."""

    rule: DroppedRule | None = None


Key = AnswerKey | Dropped


def key_of(type_name: str, stored: JsonObject) -> Key:
    """A key as it is stored, for marking. Raises UnreadableQuestion for an unknown type or key."""
    if is_dropped(stored):
        return Dropped(dropped_rule(stored))
    return question_type(type_name).answer_key(stored)


@dataclass(frozen=True)
class Item:
    """A question as the marker sees it."""

    question_id: UUID
    section_id: UUID
    key: Key
    marks: Marks

    @property
    def is_dropped(self) -> bool:
        return isinstance(self.key, Dropped)

    def dropped_by(self, scheme: DroppedRule) -> DroppedRule | None:
        """The rule by which it is dropped: its own, or else that of the scheme. None if it counts."""
        return (self.key.rule or scheme) if isinstance(self.key, Dropped) else None


@dataclass(frozen=True)
class SectionRule:
    """A section of the paper; with `choose` only so many of its questions count, the first answered ones.

    A score of the section below `minimum` does not qualify. `PaperKey.minimum_of` prorates it.
    """

    id: UUID
    choose: int | None = None
    minimum: Fraction | None = None


@dataclass(frozen=True)
class PaperKey:
    """All that marking a paper needs; the items stand in the paper's order, shuffled for nobody.

    The questions of a section with `choose` must carry equal marks: the section's maximum is then `choose`
    times these, whichever a candidate picks.
    Raises AllDropped, and ValueError for a key that contradicts itself.
    """

    items: tuple[Item, ...]
    sections: tuple[SectionRule, ...]
    dropped: DroppedRule
    """The rule of the marking scheme, for dropped questions whose key names none."""
    rounding: RoundingPolicy
    most_unmarked: Fraction | None = None
    """The largest share of the questions that may be left without any mark; more disqualifies."""

    def __post_init__(self) -> None:
        if len({item.question_id for item in self.items}) < len(self.items):
            raise ValueError("A question stands in a paper once.")
        if not {item.section_id for item in self.items} <= {section.id for section in self.sections}:
            raise ValueError("Every question belongs to a section of the paper.")
        if all(item.is_dropped for item in self.items):
            raise AllDropped
        _check_denominators(item.marks for item in self.items)
        for section in self.sections:
            _check_choice(section, self.items_of[section.id])

    @cached_property
    def items_of(self) -> Mapping[UUID, Sequence[Item]]:
        """The items of each section, in the paper's order."""
        return {
            section.id: [item for item in self.items if item.section_id == section.id]
            for section in self.sections
        }

    @cached_property
    def places_of(self) -> Mapping[UUID, Sequence[int]]:
        """The places of the items of each section, in the paper's order."""
        return {
            section.id: [place for place, item in enumerate(self.items) if item.section_id == section.id]
            for section in self.sections
        }

    @cached_property
    def max_score(self) -> Fraction:
        """The maximum of the paper as it was set, dropped questions included."""
        return sum((_max_marks(self.items_of[section.id], section) for section in self.sections), _NOTHING)

    @cached_property
    def reachable(self) -> Mapping[UUID, Fraction]:
        """The raw marks that each section can earn: less than was set where questions are prorated."""
        return {
            section.id: _max_marks(
                [item for item in self.items_of[section.id] if not self.is_prorated(item)], section
            )
            for section in self.sections
        }

    @cached_property
    def maximum_of(self) -> Mapping[UUID, Fraction]:
        """The maximum of each section after proration. They add up to `max_score`."""
        return {section_id: raw * self.factor for section_id, raw in self.reachable.items()}

    @cached_property
    def minimum_of(self) -> Mapping[UUID, Fraction]:
        """The minimum of each section that has one. Proration changes it in the ratio of the maximum."""
        return {
            section.id: section.minimum
            * self.maximum_of[section.id]
            / _max_marks(self.items_of[section.id], section)
            for section in self.sections
            if section.minimum is not None
        }

    def is_prorated(self, item: Item) -> bool:
        """Whether the question is left out, and the rest stretched to the paper's maximum."""
        return item.dropped_by(self.dropped) is DroppedRule.PRORATE

    @cached_property
    def dropped_rules(self) -> frozenset[DroppedRule | None]:
        """The rules by which questions are dropped, with None if some are not."""
        return frozenset(item.dropped_by(self.dropped) for item in self.items)

    @cached_property
    def distinct_marks(self) -> Sequence[Marks]:
        """The different marks of the questions."""
        return list(dict.fromkeys(item.marks for item in self.items))

    @cached_property
    def marks_in_floats(self) -> Sequence[tuple[float, float]]:
        """What a right and a wrong answer to each question earn, for estimates."""
        return [(float(item.marks.correct), float(item.marks.incorrect)) for item in self.items]

    @cached_property
    def factor(self) -> Fraction:
        """What raw marks are multiplied with: maximum / (maximum - dropped maximum), for the whole paper."""
        return self.max_score / sum(self.reachable.values(), _NOTHING)


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """What one answer earns, before anything that concerns the whole paper."""

    outcome: Outcome
    earned: Fraction


@dataclass(frozen=True)
class ItemScore:
    """One question's outcome and raw marks.

    `unattempted` is also the outcome of an answer beyond the number that its section asks for.
    """

    question_id: UUID
    outcome: Outcome
    marks: Fraction


@dataclass(frozen=True)
class Tally:
    """Marks and counts of a section or a paper, exact.

    Marks gained and lost are raw like `raw`, and neither is negative: `raw = marks_gained - marks_lost`.
    """

    factor: Fraction
    max_score: Fraction
    marks_gained: Fraction
    marks_lost: Fraction
    correct: int
    incorrect: int
    partial: int
    unattempted: int
    dropped: int

    @property
    def raw(self) -> Fraction:
        return self.marks_gained - self.marks_lost

    @property
    def score(self) -> Fraction:
        return self.raw * self.factor


@dataclass(frozen=True)
class SectionScore(Tally):
    """A section's part: the scores of the sections add up to the paper's, and so do their maxima."""

    section_id: UUID


@dataclass(frozen=True)
class Scorecard(Tally):
    """A marked paper; sections and items stand in the paper's order."""

    sections: tuple[SectionScore, ...]
    items: tuple[ItemScore, ...]


def mark_answer(
    key: Key, answer: Answer | None, marks: Marks, dropped: DroppedRule = DroppedRule.PRORATE
) -> AnswerMark:
    """Mark one question that counts, by the marks of its scheme. Equal arguments always earn the same.

    `dropped` is the rule of the scheme, for a dropped question whose key names none. Wrong options, a number
    that cannot be read and an answer of another shape are incorrect alike.
    """
    if isinstance(key, Dropped):
        earns = _earns_when_dropped(answer, marks, key.rule or dropped)
        return AnswerMark(Outcome.DROPPED, marks.correct if earns else _NOTHING)
    if not answer:
        return AnswerMark(Outcome.UNATTEMPTED, marks.unattempted)
    if not marks.is_attempt(answer):
        return AnswerMark(Outcome.UNATTEMPTED, _NOTHING)
    compared = key.compare(answer)
    if compared.is_right:
        return AnswerMark(Outcome.CORRECT, marks.correct)
    share = marks.partial.share(compared.parts) if compared.parts else _NOTHING
    if share == 0:
        return AnswerMark(Outcome.INCORRECT, marks.incorrect)
    return AnswerMark(Outcome.PARTIAL, marks.correct * share)


def _check_denominators(marks: Iterable[Marks]) -> None:
    parts = (part for each in marks for part in (each.correct, each.incorrect, each.unattempted))
    if lcm(*(part.denominator for part in parts)) > _MAX_COMMON_DENOMINATOR:
        raise ValueError("The fractions of the paper's marks have too large a common denominator.")


def _check_choice(section: SectionRule, items: Sequence[Item]) -> None:
    if section.choose is None:
        return
    if not 1 <= section.choose <= len(items):
        raise ValueError("A section cannot ask for more questions than it has, nor for none.")
    if len({item.marks.correct for item in items}) > 1:
        raise ValueError("Questions to choose from must carry equal marks.")


def _max_marks(items: Sequence[Item], section: SectionRule) -> Fraction:
    return sum((item.marks.correct for item in items[: section.choose]), _NOTHING)


def counted_places(
    items: Sequence[Item], choose: int | None, answers: Sequence[Answer | None], dropped: DroppedRule
) -> list[int]:
    """Which of a section's questions count: all, or the first `choose` answered ones, then the others.

    Dropped questions with full marks for all come first, so that all get them. Of those that were not
    attempted, the ones that say so come before blanks, which may cost marks.
    """
    if choose is None:
        return list(range(len(items)))

    def turn(place: int) -> int:
        item, answer = items[place], answers[place]
        if item.dropped_by(dropped) is DroppedRule.FULL_MARKS_TO_ALL:
            return 0
        if item.marks.is_attempt(answer):
            return 1
        return 2 if answer else 3

    eligible = [
        place for place, item in enumerate(items) if item.dropped_by(dropped) is not DroppedRule.PRORATE
    ]
    return sorted(eligible, key=turn)[:choose]


def _earns_when_dropped(answer: Answer | None, marks: Marks, dropped: DroppedRule) -> bool:
    if dropped is DroppedRule.MARKS_TO_ATTEMPTED:
        return marks.is_attempt(answer)
    return dropped is DroppedRule.FULL_MARKS_TO_ALL
