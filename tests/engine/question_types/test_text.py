"""Typed words: which spellings are the same, and what is no answer."""

import pytest

from app.engine.question_types import question_type

TEXT = question_type("text")


class TestCompare:
    @pytest.mark.parametrize(
        ("answer", "is_right"),
        [
            pytest.param("New Delhi", True, id="as in the key"),
            pytest.param("new delhi", True, id="another case"),
            pytest.param(" New \t Delhi\u00a0", True, id="other white space"),
            pytest.param("NewDelhi", False, id="no space"),
            pytest.param("New Delhi.", False, id="a full stop"),
            pytest.param("Delhi", False, id="a part"),
            pytest.param("Cafe\u0301", True, id="a decomposed accent"),
            pytest.param("CAF\u00c9", True, id="a composed one in upper case"),
            pytest.param("cafe", False, id="no accent"),
            pytest.param("STRASSE", True, id="a case-folded sharp s"),
            pytest.param("\u0915\u093c\u0932\u092e", True, id="a nukta apart"),
            pytest.param("\u0958\u0932\u092e", True, id="a nukta within"),
            pytest.param("\u0915\u0932\u092e", False, id="without the nukta"),
            pytest.param(("New Delhi",), False, id="an answer of another shape"),
        ],
    )
    def test_cases(self, answer: str | tuple[str, ...], is_right: bool) -> None:
        key = TEXT.answer_key({"texts": ["New Delhi", "Caf\u00e9", "Straße", "\u0958\u0932\u092e"]})
        assert key.compare(answer).is_right is is_right


class TestAnswerProblem:
    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            ("", "empty"),
            ("   ", "empty"),
            ("a\nb", "control"),
            ("a\x00", "control"),
            ("\ud800", "control"),
            ("x" * 201, "200"),
            (["a"], "string"),
            (7, "string"),
        ],
    )
    def test_cases(self, answer: object, sentence: str) -> None:
        problem = TEXT.answer_problem(answer, [])
        assert problem is not None
        assert sentence in problem

    def test_two_hundred_characters_fit(self) -> None:
        assert TEXT.answer_problem("क" * 200, []) is None


class TestKeys:
    @pytest.mark.parametrize(
        "key", [{"texts": []}, {"texts": "Delhi"}, {"texts": [1]}, {"texts": ["a"] * 21}]
    )
    def test_a_key_of_another_shape_is_refused_as_a_whole(self, key: dict[str, object]) -> None:
        assert [problem.field for problem in TEXT.key_problems(key, [])] == ["key"]

    def test_a_spelling_that_nobody_can_type_is_named(self) -> None:
        assert [each.field for each in TEXT.key_problems({"texts": ["a", " "]}, [])] == ["key.texts.1"]

    def test_spellings_that_compare_equal_are_one(self) -> None:
        assert TEXT.normalized_key({"texts": ["New  Delhi", "new delhi"]}) == {"texts": ["New Delhi"]}

    @pytest.mark.parametrize(
        ("cell", "texts"),
        [
            ("Delhi", ["Delhi"]),
            ("New Delhi | Delhi", ["New Delhi", "Delhi"]),
            (r"a\|b|c", ["a|b", "c"]),
            ("|Delhi||", ["Delhi"]),
            (r"\dropped", ["dropped"]),
            (r"\dropped: prorate", ["dropped: prorate"]),
            ("|", []),
        ],
    )
    def test_cells(self, cell: str, texts: list[str]) -> None:
        assert TEXT.key_from_cell(cell) == {"texts": texts}
