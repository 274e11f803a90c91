"""XHTML of QTI as texts of the bank, which are Markdown."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.interchange.markdown import escaped, is_table, shown

AS_TYPED = "ias-as-typed"
"""The class of a paragraph that holds Markdown as its author typed it."""
FOR_ASSISTANCE = "its texts for assistive technology"
"""What catalogs of QTI 3 and APIP hold: other forms of the text for single candidates."""
ALIGNED = {"qti-align-right": "---:", "qti-align-center": ":---:"}

_BREAK, _BLANK = "\x01", "\x02"  # XML cannot hold them, so no text has them.
_MAX_CELLS = 5_000  # Short rows are filled up to the longest one.
_SHOWN_BLANK = "_____"
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_SECTIONS = ("article", "blockquote", "center", "contentBody", "div", "figure", "header", "section")
_PARAGRAPHS = ("caption", "dd", "dl", "dt", "figcaption", "hr", "li", "p", "prompt", "templateBlock")
_BLOCKS = frozenset((*_SECTIONS, *_PARAGRAPHS))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_EMPHASIS = {"b": "**", "strong": "**", "em": "*", "i": "_", "cite": "*", "var": "*"}
_SHIFTED = {
    "sup": (str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ"), "^"),
    "sub": (str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎"), "_"),
}
_NO_TEXT = frozenset(("audio", "canvas", "embed", "iframe", "object", "script", "svg", "video"))
_FEEDBACK = frozenset(("feedbackBlock", "feedbackInline"))
_REGION = re.compile(r"(en|hi)-[A-Za-z]{2}")


def plain_language(tag: str) -> str:
    """The language as the bank calls it: `en` for `en-US`, since every question of the bank has `en`."""
    return tag[:2] if _REGION.fullmatch(tag) else tag


@dataclass(slots=True)
class _Flow:
    """Paragraphs as they grow: each piece as Markdown, and as its reader sees it."""

    blocks: list[str] = field(default_factory=list)
    pieces: list[tuple[str, str]] = field(default_factory=list)

    def add(self, markdown: str, plain: str | None = None) -> None:
        self.pieces.append((markdown, markdown if plain is None else plain))

    def add_block(self, block: str) -> None:
        self.end_block()
        if block:
            self.blocks.append(block)

    def end_block(self) -> None:
        markdown, plain = (_lines("".join(piece[side] for piece in self.pieces)) for side in (0, 1))
        self.pieces.clear()
        if not plain or plain == _BLANK:
            return
        markdown, plain = (text.replace(_BLANK, _SHOWN_BLANK) for text in (markdown, plain))
        if shown(markdown) != plain:  # The emphasis of some part cannot be written within a word.
            markdown = re.sub(r"([\\*_])", r"\\\1", plain)
        self.blocks.append(markdown.replace("|", "\\|") if is_table(markdown) else markdown)


@dataclass(slots=True)
class TextReader:
    """Reads the texts of one item, and collects what stands among them."""

    language: str
    """Of texts of which the file does not say it."""
    is_blank: Callable[[Element], bool] = lambda interaction: False
    """Whether an interaction stands within a line. Interactions themselves are no text."""
    images: list[str] = field(default_factory=list)
    """The addresses of images, in their order."""
    not_kept: dict[str, None] = field(default_factory=dict)
    """What the texts have that the bank cannot hold."""
    missing: dict[str, None] = field(default_factory=dict)
    """The same, if the question cannot be understood without it."""
    feedback: list[Element] = field(default_factory=list)

    def texts(self, container: Element) -> dict[str, str]:
        """Return the text of an element by language.

        It is in several languages if all of it stands in elements with different `xml:lang`.
        """
        images, feedback = len(self.images), len(self.feedback)
        translated = self._translations(container)
        if translated is not None:
            return translated
        del self.images[images:], self.feedback[feedback:]
        text = self.text(container)
        return {self.language: text} if text else {}

    def _translations(self, container: Element) -> dict[str, str] | None:
        if (container.text or "").strip() or any((child.tail or "").strip() for child in container):
            return None
        found: dict[str, str] = {}
        for child in container:
            text = "\n\n".join(self._blocks([child]))
            language = plain_language(child.get("lang", ""))
            if text and (not language or language in found):
                return None
            if text:
                found[language] = text
        return found or None

    def text(self, container: Element) -> str:
        """Return the text of an element in one language."""
        return "\n\n".join(self._blocks(container, container.text))

    def _blocks(self, elements: Iterable[Element], before: str | None = None) -> list[str]:
        flow = _Flow()
        self._walk(flow, before, elements)
        flow.end_block()
        return flow.blocks

    def _walk(self, flow: _Flow, before: str | None, elements: Iterable[Element]) -> None:
        _add_text(flow, before)
        for element in elements:
            self._add(flow, element)
            _add_text(flow, element.tail)

    def _add(self, flow: _Flow, element: Element) -> None:
        tag = element.tag
        if tag.endswith("Interaction"):
            flow.add(_BLANK) if self.is_blank(element) else flow.end_block()
        elif tag in _FEEDBACK:
            self.feedback.append(element)
        elif tag == "catalogInfo":
            self.not_kept[FOR_ASSISTANCE] = None
        elif element.get("class") == AS_TYPED:
            flow.add_block(_as_typed(element))
        elif tag in self._LAYOUTS:
            flow.add_block(self._LAYOUTS[tag](self, element))
        elif tag in _BLOCKS:
            flow.end_block()
            self._walk(flow, element.text, element)
            flow.end_block()
        else:
            self._add_inline(flow, element)

    def _add_inline(self, flow: _Flow, element: Element) -> None:
        tag = element.tag
        if tag == "br":
            flow.add(_BREAK)
        elif tag == "img":
            self._add_image(element.get("src", ""), element.get("alt", ""))
        elif tag == "math:math":
            self._add_formula(flow, element)
        elif tag in _NO_TEXT:
            self._add_object(element)
        elif tag in _EMPHASIS:
            self._add_emphasized(flow, element, _EMPHASIS[tag])
        elif tag in _SHIFTED:
            flow.add(*self._shifted(element))
        else:
            if tag in ("a", "printedVariable", "gap", "hottext", "ruby"):
                self.not_kept[f"what <{tag}> does with its text"] = None
            self._walk(flow, element.text, element)

    def _add_image(self, address: str, description: str) -> None:
        self.images.append(address)
        if description.strip():
            self.not_kept[f'the description of an image: "{_SPACES.sub(" ", description.strip())[:60]}"'] = (
                None
            )

    def _add_formula(self, flow: _Flow, element: Element) -> None:
        for part in element.iter("math:annotation"):
            if "tex" in part.get("encoding", "").lower() and (part.text or "").strip():
                formula = f"${(part.text or '').strip().strip('$').strip()}$"
                flow.add(formula)
                return
        self.missing["a formula in MathML; write it in LaTeX between two $"] = None

    def _add_object(self, element: Element) -> None:
        if element.tag == "object" and element.get("type", "").startswith("image/"):
            self._add_image(element.get("data", ""), "")
        else:
            self.missing[f"<{element.tag}>, which is neither text nor an image"] = None

    def _add_emphasized(self, flow: _Flow, element: Element, sign: str) -> None:
        within = _Flow()
        self._walk(within, element.text, element)
        if within.blocks:  # paragraphs, a table or a list: they have no emphasis in common
            within.end_block()
            for block in within.blocks:
                flow.add_block(block)
            return
        markdown, plain = ("".join(piece[side] for piece in within.pieces) for side in (0, 1))
        if not plain.strip(f" {_BREAK}"):
            flow.add(markdown, plain)
            return
        before, after = markdown[: len(markdown) - len(markdown.lstrip())], markdown[len(markdown.rstrip()) :]
        flow.add(f"{before}{sign}{markdown.strip()}{sign}{after}", plain)

    def _shifted(self, element: Element) -> tuple[str, str]:
        """Return raised or lowered signs: as Unicode has them, else as LaTeX."""
        table, sign = _SHIFTED[element.tag]
        plain = _SPACES.sub(" ", "".join(element.itertext())).strip()
        if all(ord(character) in table for character in plain):
            text = plain.translate(table)
        else:
            text = f"${sign}{{{plain}}}$"
        return text, text

    def _heading(self, element: Element) -> str:
        text = " ".join(self._blocks(element, element.text))
        return f"**{text}**" if text and shown(f"**{text}**") == shown(text) else text

    def _preformatted(self, element: Element) -> str:
        return escaped("".join(element.itertext()).strip("\r\n"))

    def _list(self, element: Element) -> str:
        lines = []
        number = int(start) if (start := element.get("start", "1")).isdecimal() and len(start) < 5 else 1
        for item in element:
            text = "\n".join(self._blocks(item, item.text))
            marker = f"{number}." if element.tag == "ol" else "-"
            if item.tag == "li" and text:
                lines.append(f"{marker} {text}")
                number += 1
            elif text:
                lines.append(text)
        return "\n".join(lines)

    def _table(self, element: Element) -> str:
        rows = [[self._cell(cell) for cell in row if cell.tag in ("td", "th")] for row in element.iter("tr")]
        width = max(map(len, rows), default=0)
        if not width:
            return ""
        if width * len(rows) > _MAX_CELLS:
            self.missing[f"a table of more than {_MAX_CELLS:,} cells"] = None
            return ""
        if any(cell.get("colspan", "1") != "1" or cell.get("rowspan", "1") != "1" for cell in element.iter()):
            self.missing["a table with merged cells"] = None
        first = next(iter(element.iter("tr")))
        dashes = [ALIGNED.get(cell.get("class", ""), "---") for cell in first if cell.tag in ("td", "th")]
        lines = [rows[0], [*dashes, *["---"] * (width - len(dashes))], *rows[1:]]
        table = "\n".join(f"| {' | '.join([*line, *[''] * (width - len(line))])} |" for line in lines)
        caption = next((text for part in element.iter("caption") if (text := self.text(part))), "")
        return f"{caption}\n\n{table}" if caption else table

    def _cell(self, cell: Element) -> str:
        return " ".join(" ".join(self._blocks(cell, cell.text)).split()).replace("|", "\\|")

    def _rubric(self, element: Element) -> str:
        if element.get("view", "candidate").split() != ["candidate"] and "candidate" not in element.get(
            "view", ""
        ):
            self.not_kept["a text for markers or authors (rubricBlock)"] = None
            return ""
        return self.text(element)

    _LAYOUTS = dict.fromkeys(_HEADINGS, _heading) | {
        "pre": _preformatted,
        "ol": _list,
        "ul": _list,
        "table": _table,
        "rubricBlock": _rubric,
    }


def _add_text(flow: _Flow, text: str | None) -> None:
    if text:
        plain = _SPACES.sub(" ", text)
        flow.add(escaped(plain), plain)


def _lines(text: str) -> str:
    """Return the text of a paragraph: single spaces, and none at the ends of its lines."""
    return re.sub(rf" *{_BREAK} *", "\n", _SPACES.sub(" ", text)).strip(" \n")


def _as_typed(element: Element) -> str:
    return (element.text or "") + "".join(f"\n{child.tail or ''}" for child in element)
