"""Formulas in LaTeX as trees of plain data, which formula.typ sets.

latex2mathml reads LaTeX. Of its MathML only what formula.typ can set is taken, and everything else is
refused, so that no part of a formula is dropped. A node of a tree has a `kind` and what that kind needs.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

Tree = Mapping[str, Any]

MAX_LENGTH = 1_000
_EMPTY: Tree = {"kind": "row", "items": []}
_MAX_DEPTH = 40

# What latex2mathml reads without a word about what it leaves out.
_COMMENT = re.compile(r"(?<!\\)%")
_DEFINITION = re.compile(r"\\(?:(?:re|provide)?newcommand|[gex]?def|let|DeclareMathOperator)(?![A-Za-z])")
_NOT_EQUAL = re.compile(r"\\not\s*=")
_ENTITY = re.compile(r"&#x([0-9A-F]{1,6});", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"\\begin\s*\{([^}]*)\}")
_ENVIRONMENTS = frozenset({
    "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "cases", "array",
    "align", "align*", "aligned", "split", "equation", "equation*", "gather", "gather*", "gathered",
})  # fmt: skip
_ALIGNED = frozenset({"aligned", "split", "gathered"})

_OPENING, _CLOSING = frozenset("([{|‖⌊⌈⟨"), frozenset(")]}|‖⌋⌉⟩")
_ACCENTS = {
    "^": "\u0302", "~": "\u0303", "˙": "\u0307", "¨": "\u0308", "ˇ": "\u030c", "˘": "\u0306", "´": "\u0301",
    "`": "\u0300", "˚": "\u030a", "→": "\u20d7", "←": "\u20d6",
}  # fmt: skip
_BARS = {"¯": "bar", "―": "bar", "⏞": "brace", "⏟": "brace"}
_PRIMES = {"′": 1, "″": 2, "‴": 3, "⁗": 4}
_STYLES = {"normal", "bold", "italic", "bold-italic", "monospace"}
_STRIKES = {
    "updiagonalstrike": "cancel",
    "downdiagonalstrike": "cancel-back",
    "updiagonalstrike downdiagonalstrike": "cancel-cross",
    "box": "box",
}
_HARMLESS = frozenset({
    "mathvariant", "stretchy", "fence", "form", "minsize", "maxsize", "lspace", "rspace", "accent",
    "displaystyle", "scriptlevel", "width", "linebreak", "linethickness", "rowspacing", "columnspacing",
    "columnlines", "rowlines", "columnalign", "notation", "voffset", "height", "depth", "movablelimits",
    "separator",
})  # fmt: skip


class UnreadableFormula(ValueError):
    """The formula cannot be typeset. `part` is its command or sign that is the cause, or empty."""

    def __init__(self, part: str = "") -> None:
        super().__init__(part)
        self.part = part


def read_formula(latex: str) -> Tree:
    """The tree of a formula. Raises UnreadableFormula."""
    _check_source(latex)
    try:
        [root] = convert_to_element(_NOT_EQUAL.sub(r"\\ne ", latex))
    except Exception as error:  # The library raises IndexError, KeyError and others of its own.
        raise UnreadableFormula from error
    for element in root.iter():
        element.text = _ENTITY.sub(lambda found: chr(int(found[1], 16)), element.text or "")
    return _Reader(latex).row(root, 0)


def _check_source(latex: str) -> None:
    if len(latex) > MAX_LENGTH:
        raise UnreadableFormula
    for pattern in (_COMMENT, _DEFINITION):
        if found := pattern.search(latex):
            raise UnreadableFormula(found[0])
    for environment in _ENVIRONMENT.findall(latex):
        if environment not in _ENVIRONMENTS:
            raise UnreadableFormula(f"\\begin{{{environment}}}")


class _Reader:
    """Reads the elements of one formula. The methods are called with the depth of the element."""

    def __init__(self, latex: str) -> None:
        aligned = not _ALIGNED.isdisjoint(_ENVIRONMENT.findall(latex))
        escaped = "\\&" in latex
        self._ampersand = None if aligned == escaped else "align" if aligned else "symbol"
        self._kinds: Mapping[str, Callable[[Element, int], Tree]] = {
            "mrow": self.row,
            "mi": self._identifier,
            "mo": self._operator,
            "mn": lambda element, _: {"kind": "number", "text": element.text or ""},
            "mtext": self._words,
            "mspace": self._space,
            "mfrac": self._fraction,
            "msqrt": lambda element, depth: {"kind": "root", "body": self.row(element, depth)},
            "mroot": self._root,
            "msub": self._scripts,
            "msup": self._scripts,
            "msubsup": self._scripts,
            "munder": self._above_or_below,
            "mover": self._above_or_below,
            "munderover": self._above_or_below,
            "mtable": self._table,
            "mstyle": self._styled,
            "menclose": self._enclosed,
            "mphantom": lambda element, depth: {"kind": "phantom", "body": self.row(element, depth)},
            "mpadded": self._padded,
        }

    def node(self, element: Element, depth: int) -> Tree:
        """One element. Raises UnreadableFormula for one that formula.typ cannot set."""
        read = self._kinds.get(element.tag)
        if read is None or depth > _MAX_DEPTH or not _HARMLESS.issuperset(element.attrib):
            raise UnreadableFormula
        return read(element, depth + 1)

    def row(self, element: Element, depth: int) -> Tree:
        """The children of an element, with the delimiters that grow with what they enclose."""
        children = list(element)
        fences = [child.get("form") for child in children if child.get("fence") and child.get("form")]
        if fences and children[0].get("form") == "prefix":
            closes = children[-1].get("form") == "postfix"
            inner = children[1:-1] if closes else children[1:]
            closing = children[-1].text or "" if closes else ""
            return _fenced(children[0].text or "", list(self._items(inner, depth)), closing)
        return {"kind": "row", "items": list(self._items(children, depth))}

    def _items(self, children: Sequence[Element], depth: int) -> Iterator[Tree]:
        items = list(map(self.node, children, [depth] * len(children)))
        place = 0
        while place < len(items):
            if _is_enclosed_table(items[place : place + 3]):
                yield _fenced(items[place]["text"], [items[place + 1]], items[place + 2]["text"])
                place += 3
            else:
                yield items[place]
                place += 1

    def _identifier(self, element: Element, _depth: int) -> Tree:
        text = element.text or ""
        if text.startswith("\\") or text in {"{", "}"}:
            raise UnreadableFormula(text)
        if text == "&":
            if self._ampersand is None:
                raise UnreadableFormula(text)
            return {"kind": self._ampersand, "text": text}
        if text in _PRIMES:
            return {"kind": "primes", "count": _PRIMES[text]}
        return _symbol(text, element)

    def _operator(self, element: Element, _depth: int) -> Tree:
        if len(element):
            raise UnreadableFormula
        text = element.text or ""
        if text[:1].isalpha() and len(text) > 1:
            return {"kind": "operator", "text": text, "limits": True}
        if element.get("fence") and not element.get("form") and not element.get("minsize"):
            return {"kind": "middle", "text": text}
        return _symbol(text, element)

    def _words(self, element: Element, _depth: int) -> Tree:
        text = element.text or ""
        if found := re.search(r"[\\$]", text):
            raise UnreadableFormula(found[0])
        style = element.get("mathvariant", "normal")
        if style not in _STYLES:
            raise UnreadableFormula
        return {"kind": "text", "text": text, "style": style}

    def _space(self, element: Element, _depth: int) -> Tree:
        if element.get("linebreak"):
            return {"kind": "break"}
        width = element.get("width", "0em")
        if width.startswith("negative"):
            return {"kind": "space", "em": -0.167}
        found = re.fullmatch(r"(-?\d*\.?\d+)em", width)
        if not found:
            raise UnreadableFormula
        return {"kind": "space", "em": float(found[1])}

    def _fraction(self, element: Element, depth: int) -> Tree:
        above, below = (self.node(child, depth) for child in element)
        if element.get("linethickness") == "0":
            rows = [[above], [below]]
            return _table(rows, ["center"], is_small=True)
        return {"kind": "fraction", "above": above, "below": below}

    def _root(self, element: Element, depth: int) -> Tree:
        body, index = (self.node(child, depth) for child in element)
        return {"kind": "root", "body": body, "index": index}

    def _scripts(self, element: Element, depth: int) -> Tree:
        base, *scripts = (self.node(child, depth) for child in element)
        names = {"msub": ["below"], "msup": ["above"], "msubsup": ["below", "above"]}[element.tag]
        return {"kind": "scripts", "base": base, **dict(zip(names, scripts, strict=True))}

    def _above_or_below(self, element: Element, depth: int) -> Tree:
        base, *marks = list(element)
        names = {"munder": ["below"], "mover": ["above"], "munderover": ["below", "above"]}[element.tag]
        mark = marks[0].text or "" if len(marks) == 1 and marks[0].tag == "mo" else ""
        body = self.node(base, depth)
        if names == ["above"] and mark in _ACCENTS:
            return {"kind": "accent", "body": body, "accent": _ACCENTS[mark]}
        if mark in _BARS:
            return {"kind": f"{_BARS[mark]}-{names[0]}", "body": body}
        is_arrow = base.tag == "mstyle" and all(child.tag == "mpadded" for child in marks)
        kind = "arrow" if is_arrow else "limits"
        read = (self.node(child, depth) for child in marks)
        return {"kind": kind, "base": body, **dict(zip(names, read, strict=True))}

    def _table(self, element: Element, depth: int) -> Tree:
        rows = [[self.row(cell, depth + 1) for cell in row] for row in element]
        columns = max(map(len, rows), default=0)
        if not columns:
            raise UnreadableFormula
        align = [cell.get("columnalign", "center") for cell in element[0]]
        lines = {
            "hline": _line_places(element.get("rowlines"), len(rows)),
            "vline": _line_places(element.get("columnlines"), columns),
        }
        full = [[*row, *[_EMPTY] * (columns - len(row))] for row in rows]
        is_tight = element.get("columnspacing", "").startswith("0em")
        sides = [*align, *["center"] * (columns - len(align))]
        return _table(full, sides, lines if any(lines.values()) else None, is_tight=is_tight)

    def _styled(self, element: Element, depth: int) -> Tree:
        body = self.row(element, depth)
        if element.get("scriptlevel", "0") != "0" or "displaystyle" not in element.attrib:
            return body
        return {"kind": "display" if element.get("displaystyle") == "true" else "inline", "body": body}

    def _enclosed(self, element: Element, depth: int) -> Tree:
        kind = _STRIKES.get(element.get("notation", ""))
        if kind is None:
            raise UnreadableFormula
        return {"kind": kind, "body": self.row(element, depth)}

    def _padded(self, element: Element, depth: int) -> Tree:
        """The labels of arrows. What is moved over other signs cannot be set."""
        if not element.get("width", "").startswith("+"):
            raise UnreadableFormula
        return self.row(element, depth)


def _table(
    rows: Sequence[Sequence[Tree]],
    align: Sequence[str],
    lines: Mapping[str, Sequence[int]] | None = None,
    *,
    is_tight: bool = False,
    is_small: bool = False,
) -> Tree:
    flags = {"is_tight": is_tight, "is_small": is_small}
    return {"kind": "table", "rows": rows, "align": align, "lines": lines, **flags}


def _symbol(text: str, element: Element) -> Tree:
    style = element.get("mathvariant")
    if style is not None and style not in _STYLES:
        raise UnreadableFormula
    if not text:
        return _EMPTY
    if len(text) > 1:
        return {"kind": "operator", "text": text, "limits": False}
    size = element.get("minsize")
    return {"kind": "symbol", "text": text, "style": style, "size": float(size[:-2]) if size else None}


def _fenced(opening: str, items: Sequence[Tree], closing: str) -> Tree:
    return {"kind": "fenced", "opening": opening, "items": items, "closing": closing}


def _is_enclosed_table(items: Sequence[Tree]) -> bool:
    return (
        [item["kind"] for item in items] == ["symbol", "table", "symbol"]
        and items[0]["text"] in _OPENING
        and items[2]["text"] in _CLOSING
    )


def _line_places(lines: str | None, count: int) -> Sequence[int]:
    """After which row or column a line is. Raises UnreadableFormula for lines at the edge."""
    names = (lines or "").split()
    if len(names) > count - 1 or not {"solid", "none"}.issuperset(names):
        raise UnreadableFormula
    return [place for place, name in enumerate(names, start=1) if name == "solid"]
