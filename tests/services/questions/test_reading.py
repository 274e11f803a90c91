"""Sheets of questions: the questions that are read, and the errors of the others."""

import io
from typing import Any

import pytest

from app.services.questions import EmptyKey, columns, template
from app.services.questions.reading import QuestionSheet, QuestionSheetOptions, read_questions
from app.services.questions.rows import RowPassage, SheetRow
from app.sheets import files
from app.sheets.errors import SheetTooLarge, UnreadableSheet
from app.sheets.limits import MAX_COLUMNS, MAX_ROWS
from app.sheets.writers import SheetFormat
from app.sheets.xlsx_container import is_xlsx
from tests.builders.workbooks import HEADER, workbook
from tests.thorough import count

PLAIN = "question,option_a,option_b,option_c,key\nWhich is a river?,Nile,Sahara,Alps,a\n"
EXPLANATIONS: dict[str, Any] = {"explanation": "Because.", "explanation_pt-br": "Porque."}


def read(
    text: str | bytes, *, empty_key: EmptyKey = EmptyKey.ERROR, needs_subject: bool = False
) -> QuestionSheet:
    file = text.encode() if isinstance(text, str) else text
    return read_questions(file, QuestionSheetOptions(empty_key, needs_subject))


def only(sheet: QuestionSheet) -> SheetRow:
    assert sheet.errors == []
    assert len(sheet.rows) == 1
    return sheet.rows[0]


def row(key: str = "a", *, otherwise: EmptyKey = EmptyKey.ERROR, **cells: Any) -> QuestionSheet:
    """One row with four options and these further cells."""
    columns = {
        "question": "Which is it?",
        "option_a": "P",
        "option_b": "Q",
        "option_c": "R",
        "option_d": "S",
        "key": key,
        **cells,
    }
    quoted = (f'"{cell}"' for cell in columns.values())
    return read(f"{','.join(columns)}\n{','.join(quoted)}\n", empty_key=otherwise)


def complaints(sheet: QuestionSheet) -> list[tuple[int, str]]:
    assert all(error.message for error in sheet.errors)
    return [(error.row, error.field) for error in sheet.errors]


class TestReadSheet:
    def test_a_plain_sheet(self) -> None:
        question = only(read(PLAIN))
        assert question.row == 2
        assert question.content.type == "single_choice"
        assert question.content.text == {"en": "Which is a river?"}
        assert [option["id"] for option in question.content.options] == ["a", "b", "c"]
        assert question.content.options[1] == {"id": "b", "text": {"en": "Sahara"}}
        assert question.content.key == {"accepted": [["a"]]}
        assert question.status is None

    def test_every_column(self) -> None:
        question = only(
            row(
                number="7",
                external_id="X-7",
                type="Single choice",
                subject="Polity",
                chapter="Parliament",
                passage_id="P1",
                passage="A text.",
                passage_hi="एक पाठ।",
                question_hi="यह कौन सा है?",
                option_a_hi="प",
                **EXPLANATIONS,
                difficulty="HARD",
                tags="pyq; pyq, polity",
                source="Mock 1",
                status="retired",
                image="",
            )
        )
        assert (question.number, question.external_id, question.source) == (7, "X-7", "Mock 1")
        assert (question.subject, question.chapter) == ("Polity", "Parliament")
        assert question.passage == RowPassage("P1", {"en": "A text.", "hi": "एक पाठ।"})
        assert question.status == "retired"
        assert question.content.text == {"en": "Which is it?", "hi": "यह कौन सा है?"}
        assert question.content.options[0]["text"] == {"en": "P", "hi": "प"}
        assert question.content.explanation == {"en": "Because.", "pt-BR": "Porque."}
        assert (question.content.difficulty, question.content.tags) == ("hard", ["pyq", "polity"])

    def test_order_case_spaces_byte_order_mark_and_line_ends_do_not_matter(self) -> None:
        shuffled = (
            "\ufeff KEY ,Option_C,option_b, OPTION_A,Question\r\nA,Alps,Sahara, Nile ,Which is a river?\r\n"
        )
        assert only(read(shuffled)).content == only(read(PLAIN)).content

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_encodings_of_spreadsheets(self, encoding: str) -> None:
        assert only(read(PLAIN.encode(encoding))).content == only(read(PLAIN)).content

    def test_a_title_above_semicolons(self) -> None:
        assert only(read("GS TEST 4\n\n" + PLAIN.replace(",", ";"))).row == 4

    def test_line_ends_within_a_cell_are_kept_as_one_kind(self) -> None:
        sheet = read('question,option_a,option_b,key\r\n"One\r\ntwo",x,y,a\r\n')
        assert only(sheet).content.text == {"en": "One\ntwo"}

    def test_rows_count_as_in_a_spreadsheet(self) -> None:
        sheet = read('question,option_a,option_b,key\n"Three\nlines\nhere",x,y,a\n\n,,,\nWrong,x,y,e\n')
        assert [question.row for question in sheet.rows] == [2]
        assert complaints(sheet) == [(5, "key")]

    def test_short_rows_are_filled_up(self) -> None:
        assert only(read("question,option_a,option_b,key,tags,source\nWhich?,x,y,b\n")).source is None

    @pytest.mark.parametrize(
        ("key", "type_", "accepted"),
        [
            ("b", "single_choice", [["b"]]),
            (" B ", "single_choice", [["b"]]),
            ("b|d", "single_choice", [["b"], ["d"]]),
            ("D | B", "single_choice", [["b"], ["d"]]),
            ("bd", "multiple_choice", [["b", "d"]]),
            ("DB", "multiple_choice", [["b", "d"]]),
            ("ab|c", "multiple_choice", [["a", "b"], ["c"]]),
        ],
    )
    def test_keys_of_choices(self, key: str, type_: str, accepted: list[list[str]]) -> None:
        content = only(row(key)).content
        assert (content.type, content.key) == (type_, {"accepted": accepted})

    def test_a_key_of_one_option_may_belong_to_a_multiple_choice(self) -> None:
        assert only(row("b", type="multiple_choice")).content.type == "multiple_choice"

    @pytest.mark.parametrize(
        ("type_", "key", "stored"),
        [
            ("true_false", "TRUE", {"accepted": [["true"]]}),
            ("numeric", "3.14", {"value": "3.14", "tolerance": "0"}),
            ("numeric", "3.14 ± 0.01", {"value": "3.14", "tolerance": "0.01"}),
            ("descriptive", "", {"accepted": []}),
        ],
    )
    def test_keys_of_other_types(self, type_: str, key: str, stored: dict[str, Any]) -> None:
        sheet = read(f"question,type,key,option_a\nWhat?,{type_},{key},\n")
        assert only(sheet).content.key == stored

    @pytest.mark.parametrize("key", ["e", "z", "b,d", "b|", "7", "be", "b/d", "b or d", "none", "X", "bonus"])
    def test_a_key_that_names_no_option(self, key: str) -> None:
        sheet = row(key)
        assert sheet.rows == []
        assert (2, "key") in complaints(sheet)

    @pytest.mark.parametrize("key", ["none", "B-", "all of these"])
    def test_a_word_is_no_key(self, key: str) -> None:
        (error,) = row(key).errors
        assert error.message == f'"{key}" is not a key. Write "b", "bd" for exactly both, "b|d" for either.'

    @pytest.mark.parametrize("key", ["3.14 +- 0.01", "3.14+/-0.01", "3.14 ± 0.01"])
    def test_a_tolerance_can_be_typed(self, key: str) -> None:
        options: dict[str, Any] = dict.fromkeys(("option_a", "option_b", "option_c", "option_d"), "")
        (question,) = row(key, type="numeric", **options).rows
        assert question.content.key == {"value": "3.14", "tolerance": "0.01"}

    def test_a_column_of_another_name_is_told_which_there_are(self) -> None:
        header = b"Question,Option A,Option B,Keys,Remarks\nWhich?,x,y,a,z\n"
        told = {error.field: error.message for error in read(header).errors}
        assert told["Keys"] == "there is no such column; did you mean key?"
        assert "or call it one of: explanation, passage, option_c" in told["Remarks"]
        assert list(told) == ["Keys", "Remarks"]

    def test_a_key_is_told_what_there_is(self) -> None:
        assert "Its options: a, b, c, d" in row("e").errors[0].message

    def test_an_empty_key_is_a_mistake(self) -> None:
        assert complaints(row("")) == [(2, "key")]

    def test_an_empty_key_may_mean_dropped(self) -> None:
        question = only(row("", otherwise=EmptyKey.DROPPED))
        assert (question.content.key, question.status) == ({"dropped": True}, None)

    def test_an_empty_key_may_mean_draft(self) -> None:
        question = only(row("", otherwise=EmptyKey.DRAFT, status="active"))
        assert (question.content.key, question.status) == ({"accepted": []}, "draft")

    def test_a_draft_may_wait_for_its_key(self) -> None:
        question = only(row("", otherwise=EmptyKey.ERROR, status="draft"))
        assert (question.content.key, question.status) == ({"accepted": []}, "draft")

    @pytest.mark.parametrize(
        ("cells", "field"),
        [
            ({"question": ""}, "question"),
            ({"option_c": ""}, "option_c"),
            ({"option_b": "", "option_c": "", "option_d": ""}, "option_a"),
            ({"type": "essay"}, "type"),
            ({"type": "single_choice", "key": "bd"}, "key"),
            ({"type": "numeric", "key": "3"}, "option_a"),
            ({"difficulty": "tough"}, "difficulty"),
            ({"status": "published"}, "status"),
            ({"number": "4a"}, "number"),
            ({"number": "-4"}, "number"),
            ({"number": "4294967296"}, "number"),
            ({"image": "river.png;river.png"}, "image"),
            ({"tags": ",".join(f"t{number}" for number in range(21))}, "tags"),
            ({"tags": "t" * 51}, "tags"),
            ({"source": "s" * 301}, "source"),
            ({"question": "q" * 20_001}, "question"),
            ({"option_b_hi": "q" * 20_001}, "option_b_hi"),
        ],
    )
    def test_a_wrong_cell_is_named(self, cells: dict[str, Any], field: str) -> None:
        assert complaints(row(**cells)) == [(2, field)]

    def test_everything_wrong_is_told_at_once(self) -> None:
        sheet = read("question,option_a,option_b,key,number\n,x,y,a,n\nWhich?,x,y,c,2\nWhich?,x,y,b,3\n")
        assert complaints(sheet) == [(2, "question"), (2, "number"), (3, "key")]
        assert [question.number for question in sheet.rows] == [3]

    @pytest.mark.parametrize(
        ("header", "field"),
        [
            ("question,option_a,key,answer", "answer"),
            ("question,option_a,option_g,key", "option_g"),
            ("question,question_text,option_a,key", "question_text"),
            ("question,option_a,key,Key", "Key"),
            ("question,question_en,option_a,key", "question_en"),
            ("question,option_a", "key"),
            ("option_a,key", "question"),
        ],
    )
    def test_a_wrong_header_is_named(self, header: str, field: str) -> None:
        sheet = read(f"{header}\na,b,c,d\n")
        assert complaints(sheet) == [(1, field)]

    def test_a_sheet_without_subject_needs_one_from_elsewhere(self) -> None:
        assert complaints(read(PLAIN, needs_subject=True)) == [(1, "subject")]

    def test_a_row_without_subject_needs_one_from_elsewhere(self) -> None:
        text = "subject,question,option_a,option_b,key\n,Which?,x,y,a\n"
        assert complaints(read(text, needs_subject=True)) == [(2, "subject")]
        assert only(read(text)).subject is None

    @pytest.mark.parametrize(
        ("text", "column"),
        [
            ("question,option_a,option_b,key\nWhich?,x,y,a,more\n", "column E"),
            ("question,,option_a,option_b,key\nWhich?,hidden,x,y,a\n", "column B"),
        ],
    )
    def test_a_cell_without_a_header_is_named(self, text: str, column: str) -> None:
        assert complaints(read(text)) == [(2, column)]

    def test_empty_cells_without_a_header_do_no_harm(self) -> None:
        assert only(read("question,option_a,option_b,key,,\nWhich?,x,y,a,,,,\n")).row == 2

    @pytest.mark.parametrize(
        "broken",
        [
            'Fine?,x,y,a\n"Never closed,x,y,a\nNext?,x,y,a\n',
            'Fine?,x,y,a\n"Closed" too early,x,y,a\n',
            f'Fine?,x,y,a\n"{"far too long " * 20_000}",x,y,a\n',
        ],
    )
    def test_quotation_marks_that_do_not_match(self, broken: str) -> None:
        assert complaints(read(f"question,option_a,option_b,key\n{broken}")) == [(3, "file")]

    @pytest.mark.parametrize(
        ("file", "word"),
        [
            (b"", "empty"),
            (b"\xef\xbb\xbf \n", "empty"),
            (b"PK\x03\x04rest", "damaged"),
            (b"<html><table><tr><td>question</td></tr></table>", "web page"),
            (PLAIN.replace("Nile", "N\xedl").encode("latin-1"), "line 2"),
            (PLAIN.replace("Nile", "N\0le").encode(), "NUL character in its line 2"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
            (b'{"items": []}', "header"),
            (b"Dear colleague,\nhere are the questions.\n", "header"),
            (PLAIN.replace(",", "|").encode(), "commas"),
            (b'"question,key\n', "header"),
        ],
    )
    def test_no_sheet_at_all_is_refused(self, file: bytes, word: str) -> None:
        with pytest.raises(UnreadableSheet, match=word):
            read(file)

    def test_a_header_alone_is_an_empty_sheet(self) -> None:
        sheet = read("question,option_a,option_b,key\n\n,,,\n")
        assert (sheet.rows, sheet.errors) == ([], [])

    def test_a_sheet_has_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = count(200, thorough=MAX_ROWS)
        for module in ("app.services.questions.reading", "app.sheets.parsing"):
            monkeypatch.setattr(f"{module}.MAX_ROWS", rows)
        full = "question,option_a,option_b,key\n" + "Which?,x,y,a\n" * rows
        assert len(read(full).rows) == rows
        with pytest.raises(UnreadableSheet, match=f"{rows:,} questions"):
            read(full + "Which?,x,y,a\n")

    def test_a_file_has_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "MAX_BYTES", len(PLAIN.encode()))
        assert only(read(PLAIN)).row == 2
        with pytest.raises(SheetTooLarge):
            read(PLAIN + " ")

    @pytest.mark.parametrize(("typed", "key"), [(True, "true"), (False, "false"), ("TRUE", "true")])
    def test_truth_values_of_a_workbook_are_keys(self, typed: Any, key: str) -> None:
        question = only(read(workbook(("question", "type", "key"), ("Is it?", "true_false", typed))))
        assert question.content.key == {"accepted": [[key]]}

    @pytest.mark.parametrize("sheet_format", SheetFormat)
    def test_a_template_imports_as_nothing(self, sheet_format: SheetFormat) -> None:
        file = template(sheet_format)
        assert is_xlsx(file) is (sheet_format is SheetFormat.XLSX)
        sheet = read(file)
        assert (sheet.rows, sheet.errors) == ([], [])
        assert {"question", "option_f", "key", "explanation", "source"} <= {*sheet.layout.names}

    def test_a_filled_template_imports(self) -> None:
        from openpyxl import load_workbook  # noqa: PLC0415 -- only here

        book = load_workbook(io.BytesIO(template(SheetFormat.XLSX)))
        sheet = book["questions"]
        names = [cell.value for cell in sheet[1]]
        for name, value in zip(
            ("type", "question", "question_hi", "key"), ("numeric", "22/7?", "?", "22/7"), strict=True
        ):
            sheet.cell(2, names.index(name) + 1, value)
        out = io.BytesIO()
        book.save(out)
        (question,) = read(out.getvalue()).rows
        assert question.content.key == {"value": "22/7", "tolerance": "0"}

    def test_the_examples_of_the_template_import(self) -> None:
        from openpyxl import load_workbook  # noqa: PLC0415 -- only here

        book = load_workbook(io.BytesIO(template(SheetFormat.XLSX)))
        del book["questions"]
        out = io.BytesIO()
        book.save(out)
        sheet = read(out.getvalue())
        assert ([row.content.type for row in sheet.rows], sheet.errors) == (
            ["single_choice", "multiple_choice"],
            [],
        )


def names_compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are compared with those of the known columns, collected during the test."""
    compared: list[str] = []

    def compare(name: str, *_: object, **__: object) -> list[str]:
        compared.append(name)
        return []

    monkeypatch.setattr(columns, "get_close_matches", compare)
    return compared


class TestUnknownColumns:
    def test_too_many_are_not_compared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = names_compared(monkeypatch)
        with pytest.raises(UnreadableSheet, match=f"at most {MAX_COLUMNS} columns"):
            read(",".join(f"c{number}" for number in range(100_000)))
        assert compared == []

    def test_each_is_reported(self) -> None:
        header = [*HEADER, *(f"Column {number}" for number in range(MAX_COLUMNS - len(HEADER)))]
        for file in (",".join(header), workbook(header)):
            assert len(read(file).errors) == MAX_COLUMNS - len(HEADER)

    def test_a_long_name_is_compared_by_its_beginning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = names_compared(monkeypatch)
        read(f"{','.join(HEADER)},{'x' * 100_000}")
        assert [len(name) for name in compared] == [50]
