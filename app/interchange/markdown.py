"""The Markdown of questions (docs/api.md, "Texts") as tokens, and plain text as Markdown, for QTI.

Tables, bold, italic, escapes and formulas are markup. Everything else, such as lists, stays as it is written.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

# An opening sign has no space after it; a closing one has none before it and no digit after it.
FORMULA = re.compile(r"(?<![\\$])\$(?![\s$])(?:[^$\n\\]|\\.)*?(?<!\s)\$(?![$\d])")
_PLACEHOLDER = "\ue000"  # Replaces a formula during parsing.
# The parser fills short rows up to the width of the header: a short text could produce a million cells.
_MAX_CELLS = 20_000
_MARKERS = "*_"
_SIGNS = re.compile(r"[\\*_]")


def _whole_words(state: StateInline, silent: bool) -> bool:
    """Find delimiters of emphasis. `2*3*4` and `__init__` stay as they are written."""
    marker = state.src[state.pos]
    if silent or marker not in _MARKERS:
        return False
    found = state.scanDelims(state.pos, False)
    if marker == "_" and found.length > 1:
        found = found._replace(can_open=False, can_close=False)
    for _ in range(found.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=found.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=found.can_open,
                close=found.can_close,
            )
        )
    state.pos += found.length
    return True


def _parser(*rules: str) -> MarkdownIt:
    parser = MarkdownIt("zero").enable([*rules, "emphasis", "escape", "newline"])
    parser.inline.ruler.at("emphasis", _whole_words)
    return parser


_PARSER = _parser("table")
_WITHOUT_TABLES = _parser()


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of the blocks of a text. `$…$` formulas in them stay as they are written."""
    return _tokens(_PARSER if _cells_at_most(text) <= _MAX_CELLS else _WITHOUT_TABLES, text)


def _tokens(parser: MarkdownIt, text: str) -> Iterator[Token]:
    formulas = [] if _PLACEHOLDER in text else FORMULA.findall(text)
    if formulas:
        text = FORMULA.sub(_PLACEHOLDER, text)
    rest = iter(formulas)
    for token in parser.parse(text):
        for child in token.children or ():
            if formulas and _PLACEHOLDER in child.content:
                child.content = re.sub(_PLACEHOLDER, lambda _: next(rest), child.content)
        yield token


def _cells_at_most(text: str) -> int:
    lines = text.split("\n")
    bars = max(line.count("|") for line in lines)
    return (bars + 1) * len(lines) if bars else 0


def escaped(text: str) -> str:
    """Return plain text as Markdown. `$…$` formulas do not change.

    If any sign of a part between formulas would be markup, every `\\`, `*` and `_` of that part gets a
    backslash.
    """
    parts, end = [], 0
    for formula in FORMULA.finditer(text):
        parts += [_escaped(text[end : formula.start()]), formula[0]]
        end = formula.end()
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return (
        re.sub(r"([\\*_])", r"\\\1", text)
        if _SIGNS.search(text) and shown(f"x {text} x") != f"x {text} x"
        else text
    )


def shown(text: str) -> str:
    """Return what a reader sees of a text without tables."""
    return "\n\n".join(
        "".join(
            "\n" if child.type in ("softbreak", "hardbreak") else child.content for child in token.children
        )
        for token in _tokens(_WITHOUT_TABLES, text)
        if token.children
    )


def is_table(text: str) -> bool:
    """Whether a paragraph is a table."""
    return "|" in text and any(token.type == "table_open" for token in tokens_of(text))
