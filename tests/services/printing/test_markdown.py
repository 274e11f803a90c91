"""Markdown of questions: what stays as typed, and what becomes a style, a formula or a table."""

import pytest

from app.services.printing.markdown import Formula, Line, Paragraph, Span, Table, blocks_of

STATEMENTS = """Consider the following statements:
1. The first.
2. The second.
Which of these is/are correct?"""

TYPED = [
    "2 * 3 * 4",
    "If a*b = a + b and p*q = pq, then 2*(3*4) = ?",
    "2*3*4 and 2**3**4",
    "'*' and '*', *.* and *.*, COUNT(*) and SUM(*)",
    "int *p = &a, *q;",
    "/*no*/ and /*yes*/",
    "RGB stands for ______, ______,______ respectively. _",
    "snake_case_name __init__ __main__",
    r"Path C:\_new\*.txt and C:\_old, \\server\share \n",
    "$5 and $10, A $ and $",
    "$5/$6 for US dollars",
    "100% of #1 & $5 @ 3~4 {x} <b>y</b> `z`",
    "* और ? क्या हैं? स्‍थान ड़ क्‌ष",
    "# 1",
]

TABLE = """Study the table.

| Head | Year 1 | Year 2 |
|---|---:|:-:|
| Water | 80 | 92 |
| **Total** | **300** | |

Then answer."""


def spans_of(text: str) -> list[Span | Formula]:
    [paragraph] = blocks_of(text)
    assert isinstance(paragraph, Paragraph)
    return list(paragraph.lines[0].spans)


def texts(line: Line) -> str:
    return "".join(span.text for span in line.spans if isinstance(span, Span))


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

    def test_styles_within_styles(self) -> None:
        assert spans_of("**a *b***") == [Span("a ", bold=True), Span("b", bold=True, italic=True)]
        assert spans_of("***a* b**") == [Span("a", bold=True, italic=True), Span(" b", bold=True)]
        assert spans_of("(_अर्थ_) **Note: *p is**") == [
            Span("("),
            Span("अर्थ", italic=True),
            Span(") "),
            Span("Note: *p is", bold=True),
        ]

    @pytest.mark.parametrize("text", TYPED)
    def test_everything_else_stays_as_it_is_written(self, text: str) -> None:
        assert blocks_of(text) == [Paragraph([Line([Span(text)])])]

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (r"\*not bold\*", "*not bold*"),
            (r"\_no\_", "_no_"),
            (r"\$x\$", "$x$"),
        ],
    )
    def test_a_backslash_takes_the_meaning_away(self, text: str, shown: str) -> None:
        assert "".join(span.text for span in spans_of(text) if isinstance(span, Span)) == shown


class TestFormulas:
    @pytest.mark.parametrize(
        ("text", "source", "is_display"),
        [
            ("$x^2$", "x^2", False),
            (r"\(x\)", "x", False),
            ("$$x$$", "x", True),
            (r"\[x\]", "x", True),
            (r"$\$5$", r"\$5", False),
            ("$a*b*c_1_2$", None, False),
        ],
    )
    def test_where_one_stands(self, text: str, source: str | None, is_display: bool) -> None:
        [found] = spans_of(text)
        if source is None:  # It cannot be typeset, and is kept as it was typed.
            assert found == Span(text)
        else:
            assert isinstance(found, Formula)
            assert (found.source, found.is_display) == (source, is_display)

    def test_prices_and_formulas_in_one_line(self) -> None:
        spans = spans_of(r"It costs \$5 and **$x = 5$** (a)")
        assert [span.source if isinstance(span, Formula) else span.text for span in spans] == [
            "It costs $5 and ",
            "x = 5",
            " (a)",
        ]
        assert spans[1].bold


class TestTables:
    def test_a_table_between_paragraphs(self) -> None:
        before, table, after = blocks_of(TABLE)
        assert isinstance(table, Table)
        assert isinstance(before, Paragraph)
        assert isinstance(after, Paragraph)
        assert table.align == ["left", "right", "center"]
        assert [[texts(Line(cell)) for cell in row] for row in table.rows] == [
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
