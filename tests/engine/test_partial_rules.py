"""What each partial rule gives for an answer that is right in part, as a table of cases."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.partial_rules import PARTIAL_RULES, Parts, partial_rule


class TestJeeAdvanced:
    """The official scheme, line by line, of a question that carries +4 and -2."""

    @pytest.mark.parametrize(
        ("correct", "right", "wrong", "marks"),
        [
            pytest.param(4, 3, 0, 3, id="all four correct, three chosen"),
            pytest.param(4, 2, 0, 2, id="four correct, two chosen"),
            pytest.param(3, 2, 0, 2, id="three correct, two chosen"),
            pytest.param(4, 1, 0, 1, id="four correct, one chosen"),
            pytest.param(3, 1, 0, 1, id="three correct, one chosen"),
            pytest.param(2, 1, 0, 1, id="two correct, one chosen"),
            pytest.param(3, 2, 1, 0, id="two right and one wrong"),
            pytest.param(2, 2, 1, 0, id="all and one wrong"),
            pytest.param(1, 0, 1, 0, id="one correct, another chosen"),
            pytest.param(5, 4, 0, 3, id="four of five: no more than three quarters"),
        ],
    )
    def test_cases(self, correct: int, right: int, wrong: int, marks: int) -> None:
        share = partial_rule("jee_advanced").share([Parts(right, wrong, correct)])
        assert 4 * share == marks

    def test_the_best_of_several_accepted_answers_counts(self) -> None:
        accepted = [Parts(right=1, wrong=1, total=2), Parts(right=2, wrong=0, total=3)]
        assert partial_rule("jee_advanced").share(accepted) == Fraction(2, 4)


class TestPerPair:
    @pytest.mark.parametrize(
        ("parts", "share"),
        [
            pytest.param(Parts(2, 2, 4, are_independent=True), "1/2", id="two of four, two wrong"),
            pytest.param(Parts(3, 0, 4, are_independent=True), "3/4", id="three, and one left out"),
            pytest.param(Parts(0, 4, 4, are_independent=True), "0", id="none"),
            pytest.param(Parts(2, 0, 4), "0", id="options of a choice"),
        ],
    )
    def test_cases(self, parts: Parts, share: str) -> None:
        assert partial_rule("per_pair").share([parts]) == Fraction(share)


@st.composite
def answers(draw: st.DrawFn) -> Parts:
    """An answer that is not right as a whole."""
    total = draw(st.integers(1, 20))
    right = draw(st.integers(0, total))
    wrong = draw(st.integers(0 if right < total else 1, 20))
    return Parts(right, wrong, total, are_independent=draw(st.booleans()) and right < total)


class TestEveryRule:
    @given(st.lists(answers(), max_size=3))
    def test_a_part_earns_less_than_the_whole(self, parts: list[Parts]) -> None:
        for rule in PARTIAL_RULES.values():
            assert 0 <= rule.share(parts) < 1

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(ValueError, match='no partial rule "half"'):
            partial_rule("half")
