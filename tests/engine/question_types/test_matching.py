"""Pairs of two lists: what is right, what earns a part, and what is no answer."""

from fractions import Fraction
from typing import Any

import pytest

from app.engine.answers import Answer, answer_of, json_of
from app.engine.partial_rules import partial_rule
from app.engine.question_types import question_type
from app.engine.scoring import Marks, mark_answer

MATCHING = question_type("matching")
KEY = MATCHING.answer_key({"pairs": {"1": ["b"], "2": ["a", "d"], "3": ["c"], "4": ["a"]}})
IDS = ["1", "2", "3", "4", "a", "b", "c", "d"]


class TestMarks:
    @pytest.mark.parametrize(
        ("answer", "none", "proportional", "per_pair", "jee_advanced"),
        [
            pytest.param({"1": "b", "2": "d", "3": "c", "4": "a"}, "4", "4", "4", "4", id="all"),
            pytest.param({"1": "b", "2": "a", "3": "c", "4": "a"}, "4", "4", "4", "4", id="either for 2"),
            pytest.param({"1": "b", "2": "a", "3": "c", "4": "d"}, "-1", "-1", "3", "-1", id="one wrong"),
            pytest.param({"1": "b", "2": "a", "3": "c"}, "-1", "3", "3", "3", id="one left out"),
            pytest.param({"1": "b"}, "-1", "1", "1", "1", id="one right alone"),
            pytest.param({"1": "a", "2": "b"}, "-1", "-1", "-1", "-1", id="none right"),
            pytest.param({}, "0", "0", "0", "0", id="blank"),
            pytest.param(["b", "a", "c", "a"], "-1", "-1", "-1", "-1", id="options, not pairs"),
            pytest.param("1-b", "-1", "-1", "-1", "-1", id="a text"),
        ],
    )
    def test_cases(self, answer: Any, none: str, proportional: str, per_pair: str, jee_advanced: str) -> None:
        expected = {
            "none": none,
            "proportional": proportional,
            "per_pair": per_pair,
            "jee_advanced": jee_advanced,
        }
        for rule, marks in expected.items():
            scheme = Marks(Fraction(4), Fraction(-1), Fraction(0), partial_rule(rule))
            assert mark_answer(KEY, answer_of(answer), scheme).earned == Fraction(marks), rule

    def test_the_order_of_pairs_does_not_count(self) -> None:
        one, other = ({"1": "b", "2": "a"}, {"2": "a", "1": "b"})
        assert answer_of(one) == answer_of(other)
        assert json_of(answer_of(one)) == one


class TestAnswerProblem:
    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            ({}, "empty"),
            ({"5": "a"}, "no item 5 in the first list"),
            ({"a": "1"}, "no item a in the first list"),
            ({"1": "e"}, "no item e in the second list"),
            ({"1": "2"}, "no item 2 in the second list"),
            ({"1": ["b"]}, "second list"),
            ({str(n): "a" for n in range(21)}, "object"),
            (["1", "b"], "object"),
        ],
    )
    def test_cases(self, answer: Any, sentence: str) -> None:
        problem = MATCHING.answer_problem(answer, IDS)
        assert problem is not None
        assert sentence in problem


class TestContent:
    @pytest.mark.parametrize(
        ("ids", "field"),
        [
            ("12a", "options"),
            ("1ab", "options"),
            ("abcd", "options"),
            ("", "options"),
            ("11ab2", "options.1.id"),
        ],
    )
    def test_two_lists_are_needed(self, ids: str, field: str) -> None:
        options = [{"id": each, "text": {"en": each}} for each in ids]
        assert [problem.field for problem in MATCHING.option_problems(options)] == [field]

    @pytest.mark.parametrize(
        ("pairs", "field"),
        [
            ({"1": ["a"]}, "key.pairs"),
            ({"1": ["a"], "2": ["a"], "3": ["a"]}, "key.pairs.3"),
            ({"1": ["a"], "2": ["x"]}, "key.pairs.2"),
            ({"1": ["a"], "2": []}, "key"),
            ({"1": "a", "2": "b"}, "key"),
            ({}, "key"),
        ],
    )
    def test_the_key_matches_each_left_item(self, pairs: dict[str, Any], field: str) -> None:
        options = [{"id": each, "text": {"en": each}} for each in "12ab"]
        assert [problem.field for problem in MATCHING.key_problems({"pairs": pairs}, options)] == [field]

    def test_only_the_right_items_are_shuffled(self) -> None:
        assert list(MATCHING.shuffled(IDS)) == ["a", "b", "c", "d"]


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "answer"),
        [
            ("1-b 2-a", (("1", "b"), ("2", "a"))),
            ("2a,1B", (("1", "b"), ("2", "a"))),
            ("1 - b; 2 : a", (("1", "b"), ("2", "a"))),
            ("1=b|2=a", (("1", "b"), ("2", "a"))),
        ],
    )
    def test_an_answer(self, cell: str, answer: Answer) -> None:
        assert MATCHING.answer_reader(IDS)(cell) == answer

    @pytest.mark.parametrize("cell", ["b a", "1-b 1-a", "1-e", "12", ",", "1-"])
    def test_no_answer(self, cell: str) -> None:
        with pytest.raises(ValueError, match=r"list|pairs|empty"):
            MATCHING.answer_reader(IDS)(cell)

    @pytest.mark.parametrize("cell", ["b", "1", "1b", "1-a 1-b", "-a"])
    def test_no_key(self, cell: str) -> None:
        with pytest.raises(ValueError, match="is not a key"):
            MATCHING.key_from_cell(cell)
