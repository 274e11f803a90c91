"""Random papers of all question types, and random answers to them."""

from fractions import Fraction
from uuid import UUID

from hypothesis import strategies as st

from app.engine.marks import RoundingPolicy
from app.engine.partial_rules import PARTIAL_RULES
from app.engine.question_types.choice import Accepted
from app.engine.question_types.numeric import NumericKey
from app.engine.scoring import Dropped, DroppedRule, Item, Marks, PaperKey, SectionRule

option_sets = st.frozensets(st.sampled_from("abcd"), min_size=1)
numbers = st.fractions(min_value=-2, max_value=2, max_denominator=4)
keys = st.one_of(
    st.builds(Accepted, st.frozensets(option_sets, min_size=1, max_size=3)),
    st.builds(NumericKey, numbers, st.sampled_from([Fraction(0), Fraction(1, 2)])),
    st.just(Dropped()),
)
given_answers = st.one_of(
    st.none(),
    st.lists(st.sampled_from("abcd"), max_size=4).map(tuple),
    numbers.map(str),
    st.sampled_from(["", "?", "0.25"]),
)
schemes = st.builds(
    Marks,
    st.sampled_from([Fraction(1), Fraction(2), Fraction(5, 2)]),
    st.sampled_from([Fraction(0), Fraction(-2, 3), Fraction(-5, 6)]),
    st.sampled_from([Fraction(0), Fraction(-1, 4), Fraction(1, 4)]),
    st.sampled_from(list(PARTIAL_RULES.values())),
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
        sections.append(SectionRule(section_id, choose))
        for key in drawn:
            marks = scheme if choose else draw(schemes)
            items.append(Item(UUID(int=len(items)), section_id, key, marks))
    if all(item.is_dropped for item in items):
        items[0] = Item(
            items[0].question_id, items[0].section_id, Accepted(frozenset([frozenset("a")])), items[0].marks
        )
    order = draw(st.permutations(items))
    return PaperKey(tuple(order), tuple(sections), draw(st.sampled_from(DroppedRule)), RoundingPolicy.HALF_UP)
