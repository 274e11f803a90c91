"""Random papers of all question types, and random answers to them."""

from collections.abc import Mapping
from fractions import Fraction
from uuid import UUID

from hypothesis import strategies as st

from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule
from app.engine.marks import RoundingPolicy
from app.engine.partial_rules import PARTIAL_RULES
from app.engine.question_types.choice import Accepted
from app.engine.question_types.matching import MatchingKey
from app.engine.question_types.numeric import NumericKey, RangesKey
from app.engine.question_types.text import TextKey
from app.engine.scoring import Dropped, Item, Marks, PaperKey, SectionRule

Sheets = list[dict[UUID, Answer | None]]

option_sets = st.frozensets(st.sampled_from("abcd"), min_size=1)
numbers = st.fractions(min_value=-2, max_value=2, max_denominator=4)
ranges = st.tuples(numbers, numbers).map(lambda ends: (min(ends), max(ends)))
keys = st.one_of(
    st.builds(Accepted, st.frozensets(option_sets, min_size=1, max_size=3)),
    st.builds(RangesKey, st.frozensets(ranges, min_size=1, max_size=3)),
    st.builds(TextKey, st.frozensets(st.sampled_from(["x", "y z"]), min_size=1)),
    st.dictionaries(st.sampled_from("12"), option_sets, min_size=1).map(
        lambda pairs: MatchingKey(frozenset(pairs.items()))
    ),
    st.builds(NumericKey, numbers, st.sampled_from([Fraction(0), Fraction(1, 2)])),
    st.builds(Dropped, st.none() | st.sampled_from(DroppedRule)),
)
pairs = st.dictionaries(st.sampled_from("12"), st.sampled_from("abcd"))
given_answers: st.SearchStrategy[Answer | None] = st.one_of(
    st.none(),
    st.lists(st.sampled_from("abcd"), max_size=4).map(tuple),
    numbers.map(str),
    st.sampled_from(["", "?", "0.25", "X", " y  Z"]),
    pairs.map(lambda given: tuple(sorted(given.items()))),
)
schemes = st.builds(
    Marks,
    st.sampled_from([Fraction(1), Fraction(2), Fraction(5, 2)]),
    st.sampled_from([Fraction(0), Fraction(-2, 3), Fraction(-5, 6)]),
    st.sampled_from([Fraction(0), Fraction(-1, 4), Fraction(1, 4)]),
    st.sampled_from(list(PARTIAL_RULES.values())),
    st.sampled_from([None, "d"]),
)


@st.composite
def papers(draw: st.DrawFn) -> PaperKey:
    sections: list[SectionRule] = []
    items: list[Item] = []
    for number in range(draw(st.integers(1, 3))):
        section_id = UUID(int=1000 + number)
        drawn = draw(st.lists(keys, min_size=1, max_size=6))
        choose = draw(st.none() | st.integers(1, len(drawn)))
        scheme = draw(schemes)
        minimum = draw(st.none() | st.integers(0, 4).map(Fraction))
        sections.append(SectionRule(section_id, choose, minimum))
        for key in drawn:
            marks = scheme if choose else draw(schemes)
            items.append(Item(UUID(int=len(items)), section_id, key, marks))
    if all(item.is_dropped for item in items):
        items[0] = Item(
            items[0].question_id, items[0].section_id, Accepted(frozenset([frozenset("a")])), items[0].marks
        )
    order = draw(st.permutations(items))
    dropped = draw(st.sampled_from(DroppedRule))
    most_unmarked = draw(st.sampled_from([None, Fraction(1, 10), Fraction(1, 2)]))
    return PaperKey(tuple(order), tuple(sections), dropped, RoundingPolicy.HALF_UP, most_unmarked)


@st.composite
def sat_papers(draw: st.DrawFn, most: int = 6) -> tuple[PaperKey, Sheets]:
    """A paper, and answer sheets to it, at most so many."""
    key = draw(papers())
    answers = {item.question_id: given_answers for item in key.items}
    return key, draw(st.lists(st.fixed_dictionaries(answers), max_size=most))


def by_place(key: PaperKey, answers: Mapping[UUID, Answer | None]) -> list[Answer | None]:
    """A sheet's answers in the order of the paper."""
    return [answers[item.question_id] for item in key.items]
