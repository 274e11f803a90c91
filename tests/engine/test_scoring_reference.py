"""The score of any answer sheet to any paper equals a slow reference, written straight from the rules."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.answers import Answer
from app.engine.question_types.choice import Accepted
from app.engine.question_types.numeric import NumericKey
from app.engine.scoring import DroppedRule, Item, Outcome, PaperKey, score_paper
from tests.engine.papers import given_answers, papers


@st.composite
def sat_papers(draw: st.DrawFn) -> tuple[PaperKey, dict[UUID, Answer | None]]:
    key = draw(papers())
    return key, {item.question_id: draw(given_answers) for item in key.items}


def slow_marks(item: Item, answer: Answer | None) -> Fraction:
    """What a live question that counts earns, read off the rules one by one."""
    if answer is None or answer in ((), ""):
        return item.marks.unattempted
    if isinstance(item.key, NumericKey):
        if isinstance(answer, tuple) or answer == "?":
            return item.marks.incorrect
        low, high = item.key.value - item.key.tolerance, item.key.value + item.key.tolerance
        return item.marks.correct if low <= Fraction(answer) <= high else item.marks.incorrect
    assert isinstance(item.key, Accepted)
    best = item.marks.incorrect
    for right in item.key.options:
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


def slow_section(
    items: list[Item], choose: int | None, rule: DroppedRule, answers: Mapping[UUID, Answer | None]
) -> tuple[Fraction, Fraction, Fraction]:
    """Raw marks, the maximum as set, and the maximum without what is prorated."""
    places = len(items) if choose is None else choose
    raw = Fraction(0)
    blanks = []
    free = places
    for item in items:
        answer = answers[item.question_id]
        is_blank = answer is None or len(answer) == 0
        if item.is_dropped:
            if rule == "prorate":
                continue
            if rule == "full_marks_to_all" or not is_blank:
                raw += item.marks.correct if free > 0 else 0
                free -= 1
            else:
                blanks.append(Fraction(0))
        elif is_blank:
            blanks.append(slow_marks(item, None))
        else:
            raw += slow_marks(item, answer) if free > 0 else 0
            free -= 1
    raw += sum(blanks[: max(free, 0)])
    maximum = sum([item.marks.correct for item in items][:places], Fraction(0))
    live = [item.marks.correct for item in items if not (item.is_dropped and rule == "prorate")]
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
    @settings(max_examples=300)
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
