"""Markdown of questions: what stays a line, what becomes a table."""

import pytest

from app.services.printing.markdown import Line, Paragraph, Span, Table, blocks_of

STATEMENTS = """Consider the following statements:
1. The first.
2. The second.
Which of these is/are correct?"""

TABLE = """Study the table.

| Head | Year 1 | Year 2 |
|---|---:|:-:|
| Water | 80 | 92 |
| **Total** | **300** | |

Then answer."""


def texts(line: Line) -> str:
    return "".join(span.text for span in line.spans)


class TestLines:
    def test_numbered_statements_stay_lines_and_the_question_is_not_part_of_the_last(self) -> None:
        [paragraph] = blocks_of(STATEMENTS)
        assert isinstance(paragraph, Paragraph)
        assert [(line.marker, texts(line)) for line in paragraph.lines] == [
            (None, "Consider the following statements:"),
            ("1.", "The first."),
            ("2.", "The second."),
            (None, "Which of these is/are correct?"),
        ]

    @pytest.mark.parametrize("marker", ["1.", "12)", "(a)", "(ii)", "IV.", "-", "•"])
    def test_markers(self, marker: str) -> None:
        assert blocks_of(f"{marker} कथन") == [Paragraph([Line([Span("कथन")], marker)])]

    @pytest.mark.parametrize(
        "text", ["1.5 crore people", "1857 was the year", "Statement-I: so", "-5 is less"]
    )
    def test_what_is_no_marker(self, text: str) -> None:
        assert blocks_of(text) == [Paragraph([Line([Span(text)])])]

    def test_an_empty_line_parts_paragraphs(self) -> None:
        assert len(blocks_of("One.\n\nTwo.")) == 2

    def test_nothing_gives_nothing(self) -> None:
        assert blocks_of("") == []


class TestStyles:
    def test_bold_italic_and_both(self) -> None:
        [paragraph] = blocks_of("It is **not** *quite* ***so***.")
        assert isinstance(paragraph, Paragraph)
        assert paragraph.lines[0].spans == [
            Span("It is "),
            Span("not", bold=True),
            Span(" "),
            Span("quite", italic=True),
            Span(" "),
            Span("so", bold=True, italic=True),
            Span("."),
        ]

    @pytest.mark.parametrize(
        "text", ["2 * 3 * 4", "snake_case_name", "<b>html</b>", "# 1", "$x^2$", "`code`"]
    )
    def test_everything_else_stays_as_it_is_written(self, text: str) -> None:
        assert blocks_of(text) == [Paragraph([Line([Span(text)])])]

    def test_an_escaped_star_is_a_star(self) -> None:
        [paragraph] = blocks_of(r"\*not bold\*")
        assert isinstance(paragraph, Paragraph)
        assert texts(paragraph.lines[0]) == "*not bold*"


class TestTables:
    def test_a_table_between_paragraphs(self) -> None:
        before, table, after = blocks_of(TABLE)
        assert isinstance(table, Table)
        assert isinstance(before, Paragraph)
        assert isinstance(after, Paragraph)
        assert table.align == ["left", "right", "center"]
        assert [["".join(span.text for span in cell) for cell in row] for row in table.rows] == [
            ["Head", "Year 1", "Year 2"],
            ["Water", "80", "92"],
            ["Total", "300", ""],
        ]
        assert table.rows[2][0] == [Span("Total", bold=True)]

    def test_it_may_follow_a_line_at_once(self) -> None:
        kinds = [block.kind for block in blocks_of("See:\n| a | b |\n|---|---|\n| 1 | 2 |")]
        assert kinds == ["paragraph", "table"]

    def test_what_could_have_very_many_cells_stays_as_it_is_written(self) -> None:
        """Short rows are filled up to the width of the head: 20,000 characters could make 65,000 cells."""
        head = "|a" * 300 + "\n" + "|-" * 300 + "\n"
        assert [block.kind for block in blocks_of(head + "|\n" * 10)] == ["table"]
        assert [block.kind for block in blocks_of(head + "|\n" * 9_000)] == ["paragraph"]
