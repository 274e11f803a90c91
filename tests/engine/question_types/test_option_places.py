"""Which options keep their places: phrases of papers in English and Hindi, and what only looks like one."""

from typing import Any

import pytest

from app.engine.question_types.option_places import KeptOptions, Reason, kept_options

STATEMENTS = "Consider the statements:\n1. First.\n2. Second."
LETTERED = "Consider:\nStatement A: first.\nStatement B: second."
ASSERTION = "Assertion (A): first.\nReason (R): second."


def kept(texts: list[str], stem: str = "Which one?", language: str = "en") -> KeptOptions:
    options = [
        {"id": letter, "text": {language: text}} for letter, text in zip("abcdef", texts, strict=False)
    ]
    return kept_options({language: stem}, options)


class TestStaysLast:
    @pytest.mark.parametrize(
        "text",
        [
            "None of the above",
            "none of the above.",
            "None of these",
            "**None of the above**",
            "None of the statements given above is correct",
            "None of the given options",
            "Neither of the above",
            "All of the above",
            "All the above",
            "All of these",
            "Any one of the above",
            "More than one of the above",
            "None",
            "No error",
            "No improvement required",
            "उपर्युक्त में से कोई नहीं",
            "उपर्युक्‍त में से कोई नहीं",
            "उपरोक्त में से कोई भी नहीं",
            "इनमें से कोई नहीं",
            "उपर्युक्त में से एक से अधिक",
            "उपर्युक्त सभी",
            "उपरोक्त सभी",
            "ये सभी",
            "इनमें से सभी",
            "ऊपर दिए गए कथनों में से कोई नहीं",
            "कोई नहीं",
            "कोई त्रुटि नहीं",
        ],
    )
    def test_phrases(self, text: str) -> None:
        assert kept(["One", "Two", "Three", text], language="hi") == KeptOptions(("d",), (Reason.STAYS_LAST,))

    def test_what_stands_above_stays_above(self) -> None:
        assert kept(["One", "Two", "Both of the above", "Four"]).ids == ("c", "d")
        assert kept(["One", "Two", "All of the above", "None of the above"]).ids == ("c", "d")

    def test_a_phrase_in_one_of_two_languages_is_enough(self) -> None:
        last = {"en": "Nothing", "hi": "इनमें से कोई नहीं"}
        options = [{"id": "a", "text": {"en": "One"}}, {"id": "b", "text": last}]
        assert kept_options({"en": "Which?"}, options).ids == ("b",)

    @pytest.mark.parametrize(
        "text",
        [
            "All citizens of the above age",
            "Nonetheless",
            "The above-mentioned Act",
            "None or all, depending on how the law is read by the court",
            "ये दोनों देश पड़ोसी हैं",
            "सभी नागरिक",
        ],
    )
    def test_other_texts(self, text: str) -> None:
        assert kept(["One", "Two", "Three", text], language="hi") == KeptOptions()

    def test_a_single_word_means_the_others_only_at_the_end(self) -> None:
        assert kept(["None", "One", "Two", "Three"]) == KeptOptions()


class TestRefersToOptions:
    @pytest.mark.parametrize(
        "text",
        [
            "Both (a) and (b)",
            "(a) and (b) only",
            "(a), (b) and (c)",
            "Both A and B",
            "Neither (a) nor (b)",
            "Only (a)",
            "Option (b)",
            "Both option 1 and option 2",
            "(a) but not (b)",
            "Either (a) or (b), depending on the temperature",
            "(a) और (b) दोनों",
            "केवल (क) और (ख)",
            "(अ) तथा (ब) दोनों",
            "न तो (a) और न ही (b)",
        ],
    )
    def test_phrases(self, text: str) -> None:
        found = kept(["One", "Two", "Three", text], language="hi")
        assert found == KeptOptions(("a", "b", "c", "d"), (Reason.REFERS_TO_OPTIONS,))

    @pytest.mark.parametrize(
        ("stem", "texts"),
        [
            (STATEMENTS, ["1 only", "2 only", "Both 1 and 2", "Neither 1 nor 2"]),
            (STATEMENTS, ["केवल 1", "केवल 2", "1 और 2 दोनों", "न तो 1 और न ही 2"]),
            (LETTERED, ["A only", "B only", "Both A and B", "Neither A nor B"]),
            (ASSERTION, ["Both (A) and (R) are true", "(A) is true but (R) is false", "A only", "R only"]),
            ("Which blood group?", ["A", "B", "AB", "O"]),
            ("Which vitamin?", ["Vitamin A", "Vitamin B", "Vitamins A and D", "Vitamin D"]),
            ("Which provision?", ["Article 19(1)(a)", "Clauses (a) and (b)", "Section 9 (c)", "Article 32"]),
            ("The roots are", ["1 and 2", "2 and 3", "3 and 4", "4 and 1"]),
            ("Which one?", ["Option A", "Option B", "Option C", "Option D"]),
            ("How many pairs?", ["Only one", "Only two", "Only three", "All four"]),
        ],
    )
    def test_statements_and_other_letters_are_no_options(self, stem: str, texts: list[str]) -> None:
        assert kept(texts, stem, "hi") == KeptOptions()


class TestMarked:
    def test_an_option_that_the_author_has_fixed_keeps_its_place(self) -> None:
        options = [
            {"id": letter, "text": {"en": letter * 3}, "fixed": letter == "b"} for letter in ("a", "b", "c")
        ]
        assert kept_options({"en": "Which?"}, options) == KeptOptions(("b",), (Reason.MARKED,))

    def test_both_reasons_are_told(self) -> None:
        options: list[dict[str, Any]] = [
            {"id": "a", "text": {"en": "First"}, "fixed": True},
            {"id": "b", "text": {"en": "Second"}},
            {"id": "c", "text": {"en": "None of these"}},
        ]
        found = kept_options({"en": "Which?"}, options)
        assert found == KeptOptions(("a", "c"), (Reason.MARKED, Reason.STAYS_LAST))
