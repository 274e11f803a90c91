"""Typed words: which spellings are the same, and what is no answer."""

import pytest

from app.engine.question_types import question_type, shown_key

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
            pytest.param("New\u200b Delhi\ufeff", True, id="a space without a width and a byte order mark"),
            pytest.param("\u200eNew Delhi\u2069", True, id="direction marks"),
            pytest.param("New Del\u00adhi", True, id="a soft hyphen"),
            pytest.param("New\u200bDelhi", False, id="no space but one without a width"),
            pytest.param("Cafe\u200b\u0301", True, id="an accent behind a space without a width"),
            pytest.param("\u0938\u094d\u200d\u0925\u093e\u0928", True, id="a joiner"),
            pytest.param("\u0938\u094d\u200c\u0925\u093e\u0928", True, id="a non-joiner"),
            pytest.param("\u0938\u0925\u093e\u0928", False, id="without the virama"),
            pytest.param("\u202eihleD weN", False, id="letters in another order"),
            pytest.param(("New Delhi",), False, id="an answer of another shape"),
        ],
    )
    def test_cases(self, answer: str | tuple[str, ...], is_right: bool) -> None:
        spellings = ["New Delhi", "Caf\u00e9", "Straße", "\u0958\u0932\u092e", "स्थान"]
        for key in ({"accepted": spellings}, {"texts": spellings}):
            assert TEXT.answer_key(key).compare(answer).is_right is is_right

    @pytest.mark.parametrize(
        ("answer", "is_right"),
        [("NaCl", True), (" NaCl ", True), ("nacl", False), ("NACL", False), ("Cafe\u0301", True)],
    )
    def test_the_case_of_letters_counts_where_the_key_says_so(self, answer: str, is_right: bool) -> None:
        key = TEXT.answer_key({"accepted": ["NaCl", "Caf\u00e9"], "case_sensitive": True})
        assert key.compare(answer).is_right is is_right


class TestAnswerProblem:
    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            ("", "empty"),
            ("   ", "empty"),
            (" \u200b\ufeff", "empty"),
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
        "key",
        [
            {"accepted": "Delhi"},
            {"accepted": [["Delhi"]]},
            {"accepted": [1]},
            {"accepted": ["a"] * 21},
            {"accepted": ["a"], "texts": ["a"]},
            {"accepted": ["a"], "case_sensitive": "no"},
            {"case_sensitive": True},
            {"texts": []},
        ],
    )
    def test_a_key_of_another_shape_is_refused_as_a_whole(self, key: dict[str, object]) -> None:
        assert [problem.field for problem in TEXT.key_problems(key, [])] == ["key"]

    def test_a_spelling_that_nobody_can_type_is_named(self) -> None:
        assert [each.field for each in TEXT.key_problems({"accepted": ["a", " "]}, [])] == ["key.accepted.1"]

    def test_invisible_characters_of_a_key_are_no_part_of_it(self) -> None:
        key = TEXT.answer_key({"texts": ["Delhi\u200b", "\u0938\u094d\u200d\u0925\u093e\u0928"]})
        for answer in ("Delhi", "delhi\ufeff", "\u0938\u094d\u0925\u093e\u0928"):
            assert key.compare(answer).is_right
        assert TEXT.normalized_key({"accepted": ["Delhi", "Delhi\u200b"]}) == {"texts": ["Delhi"]}

    def test_a_stored_spelling_that_nobody_sees_is_never_right(self) -> None:
        """It was accepted before. The other spellings must still be readable."""
        fields = [each.field for each in TEXT.key_problems({"accepted": ["a", "\u200b"]}, [])]
        assert fields == ["key.accepted.1"]
        assert TEXT.answer_key({"texts": ["a", "\u200b"]}).compare("a").is_right
        for texts in (["a", "\u200b"], ["\u200b"]):
            assert not TEXT.answer_key({"texts": texts}).compare("\u200b").is_right

    def test_spellings_that_compare_equal_are_one(self) -> None:
        spellings = ["New  Delhi", "new delhi"]
        for key in ({"accepted": spellings}, {"texts": spellings, "case_sensitive": False}):
            assert TEXT.normalized_key(key) == {"texts": ["New Delhi"]}
        exact = TEXT.normalized_key({"accepted": spellings, "case_sensitive": True})
        assert exact == {"texts": ["New Delhi", "new delhi"], "case_sensitive": True}

    def test_a_stored_key_is_shown_as_it_is_sent(self) -> None:
        for sent in (
            {"accepted": ["a"], "case_sensitive": False},
            {"accepted": ["a"], "case_sensitive": True},
        ):
            assert shown_key(TEXT.normalized_key(sent)) == sent

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
        assert TEXT.key_from_cell(cell) == {"accepted": texts}

    @pytest.mark.parametrize(
        ("cell", "texts"),
        [("case_sensitive: NaCl | KCl", ["NaCl", "KCl"]), ("Case_Sensitive:NaCl", ["NaCl"])],
    )
    def test_cells_in_which_case_counts(self, cell: str, texts: list[str]) -> None:
        assert TEXT.key_from_cell(cell) == {"accepted": texts, "case_sensitive": True}
