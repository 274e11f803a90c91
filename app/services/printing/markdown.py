"""The subset of Markdown that questions use: lines, tables, bold, italic and formulas.

Markdown lists are not parsed. In a question "1." and "2." number statements that the options refer to, and
the sentence after them belongs to no statement. So each line and its number are kept as written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.services.printing.formulas import Tree, UnreadableFormula, read_formula
from app.services.printing.markdown_rules import use_typed_signs

Align = Literal["left", "center", "right"]

# In the size of 5.5 pt. A longer word than these breaks.
_POINTS_OF_COLUMN, _POINTS_OF_CELL, _POINTS_OF_LETTER, _MAX_WORD_LENGTH = 240, 5, 3.4, 12
# The parser fills short rows up to the width of the header: a short text could produce a million cells.
_MAX_CELLS = 20_000
_reader = use_typed_signs(MarkdownIt("zero").enable(["table", "newline"]))
_reader_without_tables = use_typed_signs(MarkdownIt("zero").enable("newline"))
_marker = re.compile(r"(\(?(?:\d{1,3}|[ivx]{1,4}|[IVX]{1,4}|[A-Ha-h])[.)]|[-•–])\s+")


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, in its line or in one of its own."""

    source: str
    tree: Tree
    is_display: bool
    bold: bool = False
    italic: bool = False


Inline = Span | Formula


@dataclass(frozen=True, slots=True)
class Line:
    """A line. A numbered or bulleted line is indented behind its marker."""

    spans: Sequence[Inline]
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Consecutive lines."""

    lines: Sequence[Line]
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Table:
    """A table. The first row is its header."""

    align: Sequence[Align]
    rows: Sequence[Sequence[Sequence[Inline]]]
    kind: Literal["table"] = "table"

    def needs_page(self) -> bool:
        """Whether its words are too long for a column of half a page, even in a small size."""
        columns = zip(*self.rows, strict=False)
        return sum(_POINTS_OF_CELL + _points_of_words(column) for column in columns) > _POINTS_OF_COLUMN


Block = Paragraph | Table


def blocks_of(text: str) -> list[Block]:
    """Parse a text into blocks. A table that could have too many cells is kept as plain text."""
    tokens = iter(_parse(text))
    return [block for token in tokens if (block := _block(token, tokens)) is not None]


def may_have_formulas(text: str) -> bool:
    """Whether a text has a sign with which formulas begin. This needs no parser."""
    return any(sign in text for sign in ("$", "\\(", "\\["))


def unreadable_formulas(texts: Sequence[str]) -> list[list[tuple[str, str]]]:
    """For each text its formulas that cannot be typeset, each with the part that is the cause, or "".

    Run it in a child process: the time depends on the number of formulas.
    """
    return [list(_unreadable(text)) for text in texts]


def _unreadable(text: str) -> Iterator[tuple[str, str]]:
    for token in (child for block in _parse(text) for child in block.children or ()):
        if token.type == "formula":
            try:
                read_formula(token.content)
            except UnreadableFormula as error:
                yield token.markup, error.part


def _parse(text: str) -> list[Token]:
    reader = _reader if _cells_at_most(text) <= _MAX_CELLS else _reader_without_tables
    return reader.parse(text)


def _cells_at_most(text: str) -> int:
    """An upper bound of the cells of the tables in a text: the widest line times the number of lines."""
    lines = text.split("\n")
    bars = max(line.count("|") for line in lines)
    return (bars + 1) * len(lines) if bars else 0


def _block(token: Token, rest: Iterator[Token]) -> Block | None:
    if token.type == "inline":
        return Paragraph([_line(spans) for spans in _lines(token)])
    return _table(rest) if token.type == "table_open" else None


def _table(tokens: Iterator[Token]) -> Table:
    rows: list[list[list[Inline]]] = []
    align: list[Align] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            align.append(_align(token))
        elif token.type == "inline":
            rows[-1].append([span for line in _lines(token) for span in line])
    return Table(align, rows)


def _points_of_words(column: Sequence[Sequence[Inline]]) -> float:
    texts = (span.text if isinstance(span, Span) else span.source for cell in column for span in cell)
    longest = max((len(word) for text in texts for word in text.split()), default=0)
    return min(longest, _MAX_WORD_LENGTH) * _POINTS_OF_LETTER


def _align(cell: Token) -> Align:
    style = cell.attrGet("style")
    return "right" if style == "text-align:right" else "center" if style == "text-align:center" else "left"


def _lines(inline: Token) -> list[list[Inline]]:
    lines: list[list[Inline]] = [[]]
    bold = italic = 0
    for token in inline.children or ():
        if token.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif token.type == "emphasis":
            bold += token.meta["bold"]
            italic += token.meta["italic"]
        elif token.content:
            lines[-1].append(_inline(token, bold > 0, italic > 0))
    return lines


def _inline(token: Token, bold: bool, italic: bool) -> Inline:
    if token.type == "formula":
        try:
            return Formula(token.content, read_formula(token.content), token.meta["is_display"], bold, italic)
        except UnreadableFormula:  # the preview says so; here it stands as typed
            return Span(token.markup, bold, italic)
    return Span(token.content, bold, italic)


def _line(spans: Sequence[Inline]) -> Line:
    if not spans or not isinstance(first := spans[0], Span) or not (found := _marker.match(first.text)):
        return Line(spans)
    rest = Span(first.text[found.end() :], first.bold, first.italic)
    return Line([rest, *spans[1:]], marker=found[1])
