"""The subset of Markdown that questions use: lines, tables, bold and italic.

Markdown lists are not parsed. In a question "1." and "2." number statements that the options refer to, and
the sentence after them belongs to no statement. So each line and its number are kept as written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Align = Literal["left", "center", "right"]

# The parser fills short rows up to the width of the header: a short text could produce a million cells.
_MOST_CELLS = 20_000
_reader = MarkdownIt("zero").enable(["table", "emphasis", "escape", "newline"])
_reader_without_tables = MarkdownIt("zero").enable(["emphasis", "escape", "newline"])
_marker = re.compile(r"(\(?(?:\d{1,3}|[ivx]{1,4}|[IVX]{1,4}|[A-Ha-h])[.)]|[-•–])\s+")


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line. A numbered or bulleted line is indented behind its marker."""

    spans: Sequence[Span]
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
    rows: Sequence[Sequence[Sequence[Span]]]
    kind: Literal["table"] = "table"


Block = Paragraph | Table


def blocks_of(text: str) -> list[Block]:
    """Parse a text into blocks. A table that could have too many cells is kept as plain text."""
    reader = _reader if _cells_at_most(text) <= _MOST_CELLS else _reader_without_tables
    tokens = iter(reader.parse(text))
    return [block for token in tokens if (block := _block(token, tokens)) is not None]


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
    rows: list[list[list[Span]]] = []
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


def _align(cell: Token) -> Align:
    style = cell.attrGet("style")
    return "right" if style == "text-align:right" else "center" if style == "text-align:center" else "left"


def _lines(inline: Token) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    bold = italic = 0
    for token in inline.children or ():
        if token.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif token.tag == "strong":
            bold += token.nesting
        elif token.tag == "em":
            italic += token.nesting
        elif token.content:
            lines[-1].append(Span(token.content, bold > 0, italic > 0))
    return lines


def _line(spans: Sequence[Span]) -> Line:
    if not spans or not (found := _marker.match(spans[0].text)):
        return Line(spans)
    first = Span(spans[0].text[found.end() :], spans[0].bold, spans[0].italic)
    return Line([first, *spans[1:]], marker=found[1])
