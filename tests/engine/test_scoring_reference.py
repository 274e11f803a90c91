"""The score of any attempt at any paper equals a slow reference, written straight from the rules."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule
from app.engine.plain_grading import score_paper
from app.engine.question_types.choice import Accepted
from app.engine.question_types.matching import MatchingKey
from app.engine.question_types.numeric import NumericKey, RangesKey
from app.engine.question_types.text import TextKey
from app.engine.scoring import Dropped, Item, Outcome, PaperKey
from tests.engine.papers import given_answers, papers


@st.composite
def sat_papers(draw: st.DrawFn) -> tuple[PaperKey, dict[UUID, Answer | None]]:
    key = draw(papers())
    return key, {item.question_id: draw(given_answers) for item in key.items}


def slow_marks(item: Item, answer: Answer | None) -> Fraction:
    """What a live question that counts earns, read off the rules one by one."""
    if answer is None or answer in ((), ""):
        return item.marks.unattempted
    if answer == ("d",) and item.marks.not_attempted == "d":
        return Fraction(0)
    if isinstance(item.key, NumericKey):
        low, high = item.key.value - item.key.tolerance, item.key.value + item.key.tolerance
        return slow_number_marks(item, answer, [(low, high)])
    if isinstance(item.key, RangesKey):
        return slow_number_marks(item, answer, sorted(item.key.ranges))
    if isinstance(item.key, TextKey):
        same = {"x": ["x", "X"], "y z": ["y z", " y  Z"]}
        is_right = any(answer in same[spelling] for spelling in item.key.spellings)
        return item.marks.correct if is_right else item.marks.incorrect
    if isinstance(item.key, MatchingKey):
        return slow_matching_marks(item, item.key, answer)
    assert isinstance(item.key, Accepted)
    return slow_choice_marks(item, item.key, answer)


def slow_choice_marks(item: Item, key: Accepted, answer: Answer) -> Fraction:
    best = item.marks.incorrect
    for right in key.options:
        if isinstance(answer, tuple) and set(answer) == right:
            return item.marks.correct
        if item.marks.partial.name == "proportional" and isinstance(answer, tuple):
            hits = [option for option in right if option in answer]
            misses = [option for option in answer if option not in right]
            if hits and not misses:
                best = max(best, item.marks.correct * len(hits) / len(right))
        if item.marks.partial.name == "jee_advanced" and isinstance(answer, tuple) and set(answer) < right:
            best = max(best, item.marks.correct * {1: 1, 2: 2, 3: 3}[len(set(answer))] / 4)
    return best


def slow_number_marks(item: Item, answer: Answer, ranges: list[tuple[Fraction, Fraction]]) -> Fraction:
    try:
        number = Fraction(answer) if isinstance(answer, str) else None
    except ValueError:
        number = None
    is_right = number is not None and any(low <= number <= high for low, high in ranges)
    return item.marks.correct if is_right else item.marks.incorrect


def slow_matching_marks(item: Item, key: MatchingKey, answer: Answer) -> Fraction:
    given = dict(pair for pair in answer if isinstance(pair, tuple)) if isinstance(answer, tuple) else {}
    if not given:
        return item.marks.incorrect
    right = len([left for left, accepted in key.accepted if given.get(left) in accepted])
    wrong, total = len(given) - right, len(key.accepted)
    if (right, wrong) == (total, 0):
        return item.marks.correct
    rule, marks = item.marks.partial.name, item.marks.correct
    if right and (rule == "per_pair" or (rule == "proportional" and wrong == 0)):
        return marks * right / total
    if right and rule == "jee_advanced" and wrong == 0:
        return marks * right / 4
    return item.marks.incorrect


def is_to_all(key: Dropped, rule: DroppedRule) -> bool:
    return (key.rule or rule) == "full_marks_to_all"


def slow_section(
    items: list[Item], choose: int | None, rule: DroppedRule, answers: Mapping[UUID, Answer | None]
) -> tuple[Fraction, Fraction, Fraction]:
    """Raw marks, the maximum as set, and the maximum without what is prorated."""
    places = len(items) if choose is None else choose
    blanks = []
    to_all = [item for item in items if isinstance(item.key, Dropped) and is_to_all(item.key, rule)]
    raw = sum([item.marks.correct for item in to_all][:places], Fraction(0))
    free, declined = places - len(to_all), 0
    for item in items:
        answer = answers[item.question_id]
        is_blank = answer is None or len(answer) == 0
        is_declined = answer == ("d",) and item.marks.not_attempted == "d"
        if isinstance(item.key, Dropped):
            own = item.key.rule or rule
            if own in ("prorate", "full_marks_to_all"):
                continue
            if not (is_blank or is_declined):
                raw += item.marks.correct if free > 0 else 0
                free -= 1
            elif is_declined:
                declined += 1
            else:
                blanks.append(Fraction(0))
        elif is_declined:
            declined += 1
        elif is_blank:
            blanks.append(slow_marks(item, None))
        else:
            raw += slow_marks(item, answer) if free > 0 else 0
            free -= 1
    raw += sum(blanks[: max(free - declined, 0)])
    maximum = sum([item.marks.correct for item in items][:places], Fraction(0))
    live = [
        item.marks.correct
        for item in items
        if not (isinstance(item.key, Dropped) and (item.key.rule or rule) == "prorate")
    ]
    return raw, maximum, sum(live[:places], Fraction(0))


def slow_score(key: PaperKey, answers: Mapping[UUID, Answer | None]) -> tuple[Fraction, Fraction]:
    """Score and maximum of a paper."""
    parts = [
        slow_section(
            [item for item in key.items if item.section_id == rule.id], rule.choose, key.dropped, answers
        )
        for rule in key.sections
    ]
    raw, maximum, reachable = (sum(column, Fraction(0)) for column in zip(*parts, strict=True))
    return raw * maximum / reachable, maximum


class TestAnyAnswerSheet:
    @given(sat_papers())
    def test_equals_the_slow_reference(self, sat: tuple[PaperKey, dict[UUID, Answer | None]]) -> None:
        key, answers = sat
        card = score_paper(answers, key)
        assert (card.score, card.max_score) == slow_score(key, answers)

    @given(sat_papers())
    def test_everything_adds_up(self, sat: tuple[PaperKey, dict[UUID, Answer | None]]) -> None:
        key, answers = sat
        card = score_paper(answers, key)
        counts = Counter(item.outcome for item in card.items)
        assert counts == {outcome: getattr(card, outcome) for outcome in Outcome if counts[outcome]}
        assert sum(counts.values()) == len(key.items)
        assert sum(item.marks for item in card.items) == card.raw == card.marks_gained - card.marks_lost
        assert sum(section.score for section in card.sections) == card.score
        assert sum(section.max_score for section in card.sections) == card.max_score
        assert card.score <= card.max_score

    @given(sat_papers())
    def test_a_blank_is_the_same_as_no_answer(self, sat: tuple[PaperKey, dict[UUID, Answer | None]]) -> None:
        key, answers = sat
        given_only = {question_id: answer for question_id, answer in answers.items() if answer}
        assert score_paper(given_only, key) == score_paper(answers, key)
