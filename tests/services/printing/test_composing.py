"""Composing: what a document says."""

from typing import Any

import pytest

from app.services.printing import PrintLanguage, paper_document, solutions_document
from app.services.printing.documents import PassageItem, QuestionItem, SolutionItem
from app.services.printing.markdown import Paragraph, Span
from tests.services.printing.papers import document, keyed, question

CHOICE = {"accepted": [["b"]]}


def said(blocks: Any) -> list[str]:
    return [
        "".join(span.text for span in line.spans if isinstance(span, Span))
        for block in blocks
        if isinstance(block, Paragraph)
        for line in block.lines
    ]


class TestPaperSheet:
    def test_the_head(self) -> None:
        composed = paper_document(document(([question(1), question(2)], {})), "en")
        assert (composed.title, composed.subtitle, composed.footer) == (
            "Mock",
            "Question paper",
            "Mock · Version 3",
        )
        assert composed.facts == ("Time allowed: 2 hours", "Maximum marks: 4")
        assert composed.notes == [
            "This paper has 2 questions.",
            "Each question carries 2 marks. For each wrong answer 2/3 mark will be deducted.",
            "Choose one option for each question, unless the question says otherwise.",
            "Where the texts in several languages differ, the English text holds.",
        ]
        assert [(part.heading, part.note) for part in composed.parts] == [
            ("Section 1", "Questions 1 to 2 · 4 marks")
        ]

    def test_in_hindi_as_far_as_there_is_hindi(self) -> None:
        untranslated = question(2, text={"en": "Only English?"})
        composed = paper_document(document(([question(1), untranslated], {})), "hi")
        assert (composed.title, composed.subtitle) == ("मॉक", "प्रश्न-पत्र")
        assert composed.facts[0] == "निर्धारित समय : 2 घंटे"
        items = [item for item in composed.parts[0].items if isinstance(item, QuestionItem)]
        assert [said(item.blocks) for item in items] == [["प्रश्न 1?"], ["Only English?"]]

    def test_a_draft_says_so(self) -> None:
        assert paper_document(document(), "en", is_draft=True).footer == "Mock · Draft, not published"

    def test_sections_with_times_choice_and_marks_of_their_own(self) -> None:
        free = [question(number, marks="3", negative_marks="0") for number in (2, 3, 4)]
        composed = paper_document(
            document(
                ([question(1)], {"duration_seconds": 90}), (free, {"choose": 2, "duration_seconds": 5400})
            ),
            "en",
        )
        assert composed.facts[1] == "Maximum marks: 8"
        assert "Questions carry different marks" in composed.notes[1]
        assert [part.note.split(" · ") for part in composed.parts] == [
            [
                "Question 1",
                "2 marks",
                "1 minute 30 seconds",
                "Each question carries 2 marks. For each wrong answer 2/3 mark will be deducted.",
            ],
            [
                "Questions 2 to 4",
                "6 marks",
                "1 hour 30 minutes",
                "Answer any 2; the first 2 answered count",
                "Each question carries 3 marks. Nothing is deducted for a wrong answer.",
            ],
        ]

    @pytest.mark.parametrize(
        ("marks", "negative_marks", "carried", "deducted"),
        [
            (
                "5/2",
                "-5/6",
                "2.5 marks",
                "5/6 mark",
            ),
            (
                "0.25",
                "-1/4",
                "0.25 mark",
                "0.25 mark",
            ),
            (
                "10",
                "-1/8",
                "10 marks",
                "1/8 mark",
            ),
        ],
    )
    def test_marks_are_decimals_where_two_places_hold_them(
        self, marks: str, negative_marks: str, carried: str, deducted: str
    ) -> None:
        questions = [question(1, marks=marks, negative_marks=negative_marks)]
        note = paper_document(document((questions, {})), "en").notes[1]
        assert note == f"Each question carries {carried}. For each wrong answer {deducted} will be deducted."

    def test_marks_that_differ_within_a_section_stand_beside_questions(self) -> None:
        composed = paper_document(
            document(([question(1), question(2, marks="3", negative_marks="-1")], {})), "en"
        )
        items = [item for item in composed.parts[0].items if isinstance(item, QuestionItem)]
        assert [item.hint for item in items] == ["+2; −2/3", "+3; −1"]

    def test_unanswered_questions_that_cost_something_everywhere_are_an_instruction(self) -> None:
        questions = [question(number, unattempted_marks="-1/5") for number in (1, 2)]
        composed = paper_document(document((questions[:1], {}), (questions[1:], {})), "en")
        assert composed.notes[2] == "For each question without any answer 0.2 mark will be deducted."
        assert [part.note for part in composed.parts] == ["Question 1 · 2 marks", "Question 2 · 2 marks"]

    def test_sections_say_what_their_unanswered_questions_cost_or_earn(self) -> None:
        costing, earning = question(1, unattempted_marks="-1/3"), question(2, unattempted_marks="0.5")
        composed = paper_document(document(([costing], {}), ([earning], {}), ([question(3)], {})), "en")
        assert not any("without any answer" in note for note in composed.notes)
        assert [part.note.split(" · ")[2:] for part in composed.parts] == [
            ["For each question without any answer 1/3 mark will be deducted."],
            ["For each question without any answer 0.5 mark will be given."],
            [],
        ]

    @pytest.mark.parametrize(("language", "words"), [("en", "no answer"), ("hi", "बिना उत्तर")])
    def test_unanswered_questions_that_differ_within_a_section_say_so_themselves(
        self, language: PrintLanguage, words: str
    ) -> None:
        questions = [question(1), question(2, unattempted_marks="-1/5", marks="3")]
        composed = paper_document(document((questions, {})), language)
        items = [item for item in composed.parts[0].items if isinstance(item, QuestionItem)]
        assert [item.hint for item in items] == ["+2; −2/3", f"+3; −2/3, {words} −0.2"]

    def test_a_passage_stands_before_its_questions(self) -> None:
        passage = {"id": "p", "text": {"en": "Read me."}, "media": []}
        questions = [question(1), *(question(number, passage_id="p") for number in (2, 3)), question(4)]
        composed = paper_document(document((questions, {}), passages=[passage]), "en")
        kinds = [item.kind for item in composed.parts[0].items]
        assert kinds == ["question", "passage", "question", "question", "question"]
        [item] = [item for item in composed.parts[0].items if isinstance(item, PassageItem)]
        assert item.heading == "Read the following and answer questions 2 to 3."

    @pytest.mark.parametrize(
        ("names", "labels"),
        [("ab", ["(a)", "(b)"]), ("BA", ["(B)", "(A)"]), (("true", "false"), ["(a)", "(b)"])],
    )
    def test_options_are_marked_by_letters(self, names: Any, labels: list[str]) -> None:
        options = [{"id": name, "text": {"en": name}} for name in names]
        composed = paper_document(document(([question(1, options=options)], {})), "en")
        [item] = composed.parts[0].items
        assert isinstance(item, QuestionItem)
        assert [option.label for option in item.options] == labels

    def test_how_else_a_question_is_answered(self) -> None:
        several, number = question(1, type="multiple_choice"), question(2, type="numeric", options=[])
        items = paper_document(document(([several, number], {})), "en").parts[0].items
        assert [(item.hint, item.answer_line) for item in items if isinstance(item, QuestionItem)] == [
            ("one or more options", None),
            ("", "Answer:"),
        ]

    def test_an_empty_section_of_a_draft_is_left_out(self) -> None:
        assert len(paper_document(document(([], {}), ([question(1)], {})), "en").parts) == 1


class TestSolutionsSheet:
    @pytest.mark.parametrize(
        ("kind", "key", "answer"),
        [
            ("single_choice", {"accepted": [["b"]]}, "(b)"),
            ("single_choice", {"accepted": [["a"], ["b"]]}, "(a) or (b)"),
            ("multiple_choice", {"accepted": [["a", "b"]]}, "(a) and (b)"),
            ("single_choice", {"dropped": True}, "dropped"),
            ("numeric", {"value": "3.14", "tolerance": "0.01"}, "3.14 ± 0.01"),
            ("numeric", {"value": "3.14", "tolerance": "0"}, "3.14"),
            ("numeric", {"value": "3.14", "tolerance": "0.00001"}, "3.14 ± 0.00001"),
        ],
    )
    def test_answers(self, kind: str, key: dict[str, Any], answer: str) -> None:
        composed = solutions_document(document(([question(1) | {"type": kind}], {})), keyed(key), "en")
        [item] = composed.parts[0].items
        assert isinstance(item, SolutionItem)
        assert (item.number, item.answer, said(item.blocks)) == (1, answer, ["Because 1."])
        assert composed.answers == [(1, answer)]

    @pytest.mark.parametrize(
        ("language", "sentence"), [("en", "There is no explanation."), ("hi", "व्याख्या उपलब्ध नहीं है।")]
    )
    def test_without_explanation(self, language: PrintLanguage, sentence: str) -> None:
        key = {"q1": {"key": CHOICE, "explanation": None}}
        [item] = solutions_document(document(([question(1)], {})), key, language).parts[0].items
        assert said(item.blocks) == [sentence]
