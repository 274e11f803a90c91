"""Sheets as people make them: titles, names of columns, forms of keys, rows that are no questions."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from app.services.questions.columns import checked_mapping
from app.services.questions.header_names import column_called
from app.services.questions.reading import QuestionSheet, QuestionSheetOptions, read_questions
from tests.builders.workbooks import workbook

Worksheet = Any

AS_MADE = (
    ("GS TEST 4 (English + Hindi)",),
    (),
    ("Q.No", "Question", "प्रश्न", "Option A", "विकल्प A", "Option B", "विकल्प B", "Correct Answer", "Topic"),
)
RIVER = (1, "Which is a river?", "नदी कौन-सी है?", "Nile", "नील", "Alps", "आल्प्स", "(a)", "Water")


def read(*rows: Sequence[Any], mapping: Mapping[str, str] | None = None, **options: Any) -> QuestionSheet:
    how = QuestionSheetOptions(mapping=checked_mapping(mapping or {}))
    return read_questions(workbook(*rows, **options), how)


def told(sheet: QuestionSheet) -> list[str]:
    return [f"{error.cell}: {error.message}" for error in sheet.errors]


class TestHeader:
    def test_it_is_found_below_titles_and_empty_rows(self) -> None:
        sheet = read(*AS_MADE, RIVER)
        (question,) = sheet.rows
        assert sheet.errors == []
        assert (question.row, question.number, question.chapter) == (4, 1, "Water")
        assert question.content.text == {"en": "Which is a river?", "hi": "नदी कौन-सी है?"}
        assert question.content.options[1]["text"] == {"en": "Alps", "hi": "आल्प्स"}
        assert question.content.key == {"accepted": [["a"]]}
        (warning,) = sheet.warnings
        assert (warning.cell, "not read" in warning.message) == ("Sheet1!1", True)

    def test_a_column_that_is_hidden_below_a_title_is_an_error(self) -> None:
        def hide(sheet: Worksheet) -> None:
            sheet.column_dimensions["H"].hidden = True

        assert told(read(*AS_MADE, RIVER, change=hide)) == [
            "Sheet1!H3: this column is hidden; show it, or delete it"
        ]

    @pytest.mark.parametrize(
        ("header", "column"),
        [
            ("Q.No.", "number"),
            ("Sl.", "number"),
            ("S. No", "number"),
            ("क्र. सं.", "number"),
            ("Question (English)", "question"),
            ("Question in Hindi", "question_hi"),
            ("प्रश्न", "question_hi"),
            ("प्रश्न (English)", "question"),
            ("Option A", "option_a"),
            ("OPTION-2", "option_b"),
            ("(c)", "option_c"),
            ("Opt. D (Hindi)", "option_d_hi"),
            ("विकल्प क", "option_a_hi"),
            ("विकल्प २", "option_b_hi"),
            ("ग", "option_c_hi"),
            ("Correct Answer", "key"),
            ("Ans.", "key"),
            ("उत्तर", "key"),
            ("Topic", "chapter"),
            ("व्याख्या", "explanation_hi"),
            ("Explanation (Tamil)", "explanation_ta"),
            ("Difficulty Level", "difficulty"),
            ("1", None),
            ("Marks scored", None),
            ("Key (Hindi)", None),
            ("Hindi English", None),
            ("option g", None),
        ],
    )
    def test_a_name_that_people_use(self, header: str, column: str | None) -> None:
        assert column_called(header) == column

    def test_a_hint_proposes_nothing_that_is_there_and_no_option(self) -> None:
        sheet = read(("question", "option_a", "option_b", "key", "option9", "Keys"), ("Q", "x", "y", "a"))
        assert not any("did you mean" in error.message for error in sheet.errors)

    def test_two_names_of_one_column_are_both_named(self) -> None:
        sheet = read(("question", "option_a", "option_b", "key", "Ans"), ("Q", "x", "y", "a", "b"))
        (error,) = told(sheet)
        assert error.startswith('Sheet1!E1: this column is there twice: "key" is the column key too')


class TestMapping:
    def test_it_names_a_column_and_leaves_one_out(self) -> None:
        rows = (("question", "option_a", "option_b", "Right one", "Remarks"), ("Q", "x", "y", "b", "ok"))
        sheet = read(*rows, mapping={" right ONE": "key", "Remarks": "ignore"})
        assert sheet.rows[0].content.key == {"accepted": [["b"]]}
        assert [(w.cell, w.field) for w in sheet.warnings] == [("Sheet1!E1", "Remarks")]
        assert [error.field for error in read(*rows).errors] == ["Right one", "Remarks"]

    def test_it_is_stronger_than_a_name(self) -> None:
        rows = (("question", "option_a", "option_b", "Ans", "Topic"), ("Q", "x", "y", "b", "t"))
        assert read(*rows, mapping={"Topic": "tags"}).rows[0].content.tags == ["t"]


class TestKeys:
    OPTIONS = ("Nile", "12", "2", "Ganga")

    def key(self, cell: object) -> Any:
        sheet = read(
            ("question", "option_a", "option_b", "option_c", "option_d", "key"), ("Q", *self.OPTIONS, cell)
        )
        return sheet.rows[0].content.key["accepted"] if sheet.rows else sheet.errors[0].message

    @pytest.mark.parametrize(
        ("cell", "letter"),
        [
            ("B", "b"),
            ("b)", "b"),
            ("(b)", "b"),
            ("[B]", "b"),
            ("Option B", "b"),
            ("option-b", "b"),
            ("b.", "b"),
            (1, "a"),
            ("4", "d"),
            ("(1)", "a"),
            ("ख", "b"),
            ("विकल्प घ", "d"),
            ("२", "b"),
            ("12", "b"),
            ("ganga", "d"),
            ("Nile ", "a"),
        ],
    )
    def test_forms_that_people_use(self, cell: object, letter: str) -> None:
        assert self.key(cell) == [[letter]]

    @pytest.mark.parametrize(
        ("cell", "words"),
        [
            ("2", '"2" is the text of option c and the place of option b'),
            ("A,C", 'Write "ac" if they are right together only, "a|c" if each'),
            ("A or C", 'Write "ac"'),
            ("(A) & (C)", 'Write "ac"'),
            ("X", 'Write "dropped"'),
            ("*", 'Write "dropped"'),
            ("Bonus", 'Write "dropped"'),
            ("ALL", 'Write "dropped"'),
            ("cancelled", 'Write "dropped"'),
            ("6", "no option of this question"),
        ],
    )
    def test_what_is_asked(self, cell: str, words: str) -> None:
        assert words in self.key(cell)


class TestOtherRows:
    @pytest.mark.parametrize(
        ("row", "words"),
        [
            (AS_MADE[2], "repeats the header"),
            (("Total", None, None, None, None, None, None, 40), "totals"),
            (("कुल प्रश्न", 40), "totals"),
            (("* Source: NCERT",), "note"),
            (("Q", "Question", "Option A", "Option B", "Ans"), "second table"),
        ],
    )
    def test_they_say_what_they_are(self, row: Sequence[Any], words: str) -> None:
        sheet = read(*AS_MADE, RIVER, row)
        (error,) = sheet.errors
        assert (error.cell, error.field) == ("Sheet1!5", "file")
        assert words in error.message


class TestTexts:
    @pytest.mark.parametrize(
        ("position", "text", "words"),
        [
            (0, "\u200b", "visible character"),
            (1, "\u2060", "visible character"),
            (0, "Right to left \u202ecba", "reverse the direction"),
            (0, "Control \x07", "control characters"),
            (0, "Z" + "\u0301" * 9, "more than 8 marks"),
            (2, "x", "reads like option a"),
            (2, "x\u200d", "reads like option a"),
        ],
    )
    def test_what_cannot_be_seen_is_refused(self, position: int, text: str, words: str) -> None:
        cells = ["Q", "x", "y", "a"]
        cells[position] = text
        file = "question,option_a,option_b,key\n" + ",".join(cells)
        sheet = read_questions(file.encode(), QuestionSheetOptions())
        assert [error.cell for error in sheet.errors] == [f"{'ABC'[position]}2"]
        assert words in sheet.errors[0].message

    @pytest.mark.parametrize("texts", [("Tt", "tt"), ("x²", "x2"), ("1/2", "½")])
    def test_options_that_differ_in_one_sign_are_two(self, texts: Sequence[str]) -> None:
        sheet = read_questions(
            f"question,option_a,option_b,key\nQ,{','.join(texts)},a".encode(), QuestionSheetOptions()
        )
        assert sheet.errors == []


def warned(text: str) -> list[tuple[str | None, str]]:
    sheet = read_questions(text.encode(), QuestionSheetOptions())
    assert sheet.errors == []
    return [(warning.cell, warning.message) for warning in sheet.warnings]


class TestWarnings:
    HEADER = "number,question,question_hi,option_a,option_b,key\n"

    @pytest.mark.parametrize(
        ("row", "cell", "words"),
        [
            ("1,Q?,,(a) x,y,a", "D2", 'begins with its letter "a"'),
            ("1,Q?,,x,b. y,a", "E2", 'begins with its letter "b"'),
            ("7,7. Which?,,x,y,a", "B2", "begins with its number"),
            ("1,Which <b>one</b>?,,x,y,a", "B2", "<b> is HTML"),
            ("1,Q?,,x&nbsp;z,y,a", "D2", "&nbsp; is shown"),
            ("1,Q?,,1.91431E+18,y,a", "D2", "has shortened"),
            ("1,Q?,Hkkjr dk lafo/kku,x,y,a", "C1", "no letter in this column is in Devanagari"),
        ],
    )
    def test_a_text_to_look_at(self, row: str, cell: str, words: str) -> None:
        ((at, message),) = warned(self.HEADER + row)
        assert at == cell
        assert words in message

    @pytest.mark.parametrize(
        "row",
        [
            '1,"1. First\n2. Second\nWhich is right?",,1 only,2 only,a',
            "2,1. What is this?,,x,y,a",
            "1,Q?,नदी?,WHO,ISRO,a",
            "1,If a < b and c > d,,A&B,x,a",
            "1,Q?,,Andaman,y,a",
        ],
    )
    def test_a_text_that_is_right(self, row: str) -> None:
        assert warned(self.HEADER + row) == []

    def test_one_cause_in_many_rows_is_one_warning(self) -> None:
        rows = "\n".join(
            f"{number},Q{number}?,,(a) x{number},y,{'ab'[number % 2]}" for number in range(1, 10)
        )
        ((cell, message),) = warned(self.HEADER + rows)
        assert (cell, message.endswith("(also in rows 3, 4, 5, 6 and 4 more)")) == ("D2", True)

    def test_keys_that_are_all_equal(self) -> None:
        rows = [f"{number},Q{number}?,,x,y,a" for number in range(1, 13)]
        assert warned(self.HEADER + "\n".join(rows[:11])) == []
        ((cell, message),) = warned(self.HEADER + "\n".join(rows))
        assert (cell, message.startswith("all 12 keys are a")) == ("F1", True)

    def test_one_question_with_two_keys(self) -> None:
        ((cell, message),) = warned(self.HEADER + "1,Q?,,x,y,a\n2,q?,,y,x,a")
        assert cell == "F3"
        assert 'row 2 has the same text and options, but its key is "x" and not "y"' in message


class TestMends:
    DATED = (
        1,
        "When?",
        "कब?",
        date(1950, 1, 26),
        "26 जनवरी 1950",
        "15 August 1947",
        "15 अगस्त 1947",
        1,
        "Modern",
    )
    SHARE = (2, "How much?", "कितना?", 0.05, "5%", 0.1, "10%", "ख", "Growth")

    def test_a_sheet_imports_after_the_mends_that_it_asks_for(self) -> None:
        def shape(sheet: Worksheet) -> None:
            for cell in ("D6", "F6"):
                sheet[cell].number_format = "0%"

        rows = [*AS_MADE, RIVER, self.DATED, self.SHARE]
        (error,) = told(read(*rows, change=shape))
        assert error.startswith("Sheet1!D5: the spreadsheet has made this a date or time (1950-01-26)")
        rows[4] = (*self.DATED[:3], "26 January 1950", *self.DATED[4:])
        sheet = read(*rows, change=shape)
        assert (sheet.errors, len(sheet.rows)) == ([], 3)
        assert [option["text"]["en"] for option in sheet.rows[2].content.options] == ["5%", "10%"]


class TestLegacyFonts:
    SHEET = (
        "question,question_hi,option_a,option_a_hi,option_b,option_b_hi,key\n"
        "When?,Hkkjr dk lafo/kku,1949,26 uoEcj 1949,1950,GDP tuojh,a\n"
        'Who?,jk"Vªifr,One,,Two,,b\n'
    ).encode()

    def test_columns_are_converted_and_shown(self) -> None:
        sheet = read_questions(self.SHEET, QuestionSheetOptions(legacy_font="krutidev"))
        assert [row.content.text["hi"] for row in sheet.rows] == ["भारत का संविधान", "राष्ट्रपति"]
        assert sheet.rows[0].content.text["en"] == "When?"
        english, *_ = [each for each in sheet.warnings if "seem to be English" in each.message]
        assert (english.cell, '"GDP" (F2)' in english.message) == ("F2", True)
        first, *_, doubtful, _ = [each for each in sheet.warnings if each is not english]
        assert first.message.startswith("this column is converted to Unicode: ")
        assert '"Hkkjr dk lafo/kku" becomes "भारत का संविधान"; ' in first.message
        assert (doubtful.cell, "another font" in doubtful.message) == ("F2", True)

    def test_a_column_in_unicode_stays(self) -> None:
        sheet = read_questions(
            "question_hi,option_a_hi,option_b_hi,key\nभारत IAS,अ,ब,a\n".encode(),
            QuestionSheetOptions(legacy_font="krutidev"),
        )
        assert sheet.rows[0].content.text["hi"] == "भारत IAS"
