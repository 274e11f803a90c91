"""Rules for markdown-it: which signs of a text are emphasis or formulas. All others stand as typed.

docs/api.md has the table that apps follow too. CommonMark itself reads more signs as emphasis, and removes
those of `a*b and p*q` and `__init__`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_RUN = re.compile(r"\*+|(?:\\\*)+|_+|(?:\\_)+")
_LENGTHS = {"*": (1, 2, 3), "_": (1,)}
_NEVER_BEFORE_EMPHASIS = frozenset("/\\#%&@")
_JOINERS = "\u200c\u200d"

_FORMULAS = (
    (True, re.compile(r"\$\$((?:[^$\\]|\\.)+)\$\$", re.DOTALL)),
    # Pandoc's rule: no space inside the dollars and no digit behind them, so "$5 and $10" is no formula.
    (False, re.compile(r"\$(?!\s)((?:[^$\\\n]|\\.)+)(?<!\s)\$(?!\d)")),
    (False, re.compile(r"\\\(([^\n]+?)\\\)")),
    (True, re.compile(r"\\\[(.+?)\\\]", re.DOTALL)),
)


@dataclass(slots=True, eq=False)
class _Run:
    """Equal signs in a row. A run of three may be paired with one of two and one of one."""

    sign: str
    left: int
    start: int
    end: int
    is_escaped: bool
    opens: bool
    closes: bool
    pairs: "list[tuple[_Run, int]]" = field(default_factory=list)
    """The runs that close this one, each with its number of signs."""


def use_typed_signs(reader: MarkdownIt) -> MarkdownIt:
    """Add the rules to a reader that has none for escapes and emphasis."""
    reader.inline.ruler.push("formula", _formula)
    reader.inline.ruler.push("run", _run)
    reader.inline.ruler2.before("fragments_join", "pairs", _pairs)
    return reader


def _formula(state: StateInline, silent: bool) -> bool:
    """A formula, or a dollar sign that is none because of its backslash."""
    if state.src[state.pos] not in "$\\":
        return False
    for is_display, pattern in _FORMULAS:
        found = pattern.match(state.src, state.pos)
        if found and found[1].strip():
            _push(state, silent, "formula", found[0], found[1], {"is_display": is_display})
            return True
    if state.src.startswith("\\$", state.pos):
        _push(state, silent, "text", "\\$", "$", {})
        return True
    return False


def _run(state: StateInline, silent: bool) -> bool:
    """Signs that may enclose words. `_pairs` decides whether they do."""
    if state.src.startswith("\\\\", state.pos):  # the second one takes no meaning away
        _push(state, silent, "text", "\\\\", "\\\\", {})
        return True
    found = _RUN.match(state.src, state.pos)
    if found:
        _push(state, silent, "run", found[0], found[0], {"run": _read_run(state.src, found)})
    return bool(found)


def _push(
    state: StateInline, silent: bool, kind: str, source: str, content: str, meta: dict[str, object]
) -> None:
    state.pos += len(source)
    if not silent:
        token = state.push(kind, "", 0)
        token.content, token.markup, token.meta = content, source, meta


def _read_run(text: str, found: re.Match[str]) -> _Run:
    sign, start, end = found[0][-1], found.start(), found.end()
    count = found[0].count(sign)
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    may = count in _LENGTHS[sign]
    return _Run(
        sign,
        count,
        start,
        end,
        is_escaped="\\" in found[0],
        opens=may and _opens(before, after),
        closes=may and before.strip() != "" and not _in_word(after),
    )


def _opens(before: str, after: str) -> bool:
    """Whether words may begin here. Behind punctuation a letter must follow: in "'*', '*'" none does."""
    if after.strip() == "" or _in_word(before) or before in _NEVER_BEFORE_EMPHASIS:
        return False
    return _in_word(after) or before.strip() == "" or before in "*_"


def _in_word(sign: str) -> bool:
    """Whether a character is a part of words: a letter, a vowel sign, a digit, a joiner."""
    return sign != "" and (unicodedata.category(sign)[0] in "LMN" or sign in _JOINERS)


def _pairs(state: StateInline) -> None:
    """Mark the runs that enclose words. The others become text."""
    tokens = {token.meta["run"]: token for token in state.tokens if token.type == "run"}
    for token in tokens.values():
        token.type = "text"
    for opening, closing, count in _paired(list(tokens), state.src):
        for run, nesting in ((opening, 1), (closing, -1)):
            token = tokens[run]
            if opening.is_escaped or closing.is_escaped:
                token.content = token.content.replace("\\", "")
                continue
            token.type, token.content = "emphasis", ""
            token.meta["italic"] = token.meta.get("italic", 0) + (nesting if count != 2 else 0)
            token.meta["bold"] = token.meta.get("bold", 0) + (nesting if count > 1 else 0)


def _paired(runs: Sequence[_Run], text: str) -> Iterator[tuple[_Run, _Run, int]]:
    """The pairs of runs that enclose a word, with their number of signs."""
    waiting: dict[str, list[_Run]] = {sign: [] for sign in _LENGTHS}
    for run in runs:
        opened = waiting[run.sign]
        if not (run.closes and opened and _close(run, opened, text)) and run.opens:
            opened.append(run)
    for run in runs:
        if run.left == 0:
            yield from ((run, closing, count) for closing, count in run.pairs)


def _close(closing: _Run, opened: list[_Run], text: str) -> bool:
    """Pair a run with the nearest one of its length, or with two, or with a part of a longer one."""
    inner = opened[-1]
    if not any(map(_in_word, text[inner.end : closing.start])):
        opened.pop()
        return False
    if inner.left > closing.left:
        matched = [inner]
    elif len(opened) > 1 and opened[-1].left + opened[-2].left == closing.left:
        matched = opened[-2:]
    else:
        matched = [run for run in opened if run.left == closing.left][-1:]
    for run in matched:
        count = min(run.left, closing.left)
        run.left -= count
        run.pairs.append((closing, count))
    if matched:
        del opened[opened.index(matched[0]) + (matched[0].left > 0) :]
    return bool(matched)
