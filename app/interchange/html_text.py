"""HTML as Moodle's editor writes it, to and from the Markdown of the bank (docs/api.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote

from markdown_it import MarkdownIt

MAX_HTML_LENGTH = 100_000
"""Characters of a text as it stands in a file."""
MAX_TEXT_LENGTH = 20_000
"""Characters of a text of the bank."""

# A formula of the bank, and those of Moodle's filters.
LATEX = re.compile(r"(?<!\\)\$(?![\s$])[^$\n]{1,2000}?(?<![\s\\])\$(?![\d$])")
_FOREIGN_LATEX = re.compile(
    r"\\\(((?:(?!\\\().){1,2000}?)\\\)|\\\[((?:(?!\\\[).){1,2000}?)\\\]|\$\$([^$]{1,2000})\$\$", re.DOTALL
)
# The parser takes quadratic time for signs that begin no tag: they are text.
_NO_TAG = re.compile(r"<(?!/?[A-Za-z][^<>]{0,5000}>)")
_PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_BACKSLASH = re.compile(rf"\\(?=[{_PUNCTUATION}])")
_NOTHING_TO_READ = re.compile(r"[^<&*_\\$|\xa0]*")
"""A text without tags, references and signs of Markdown, as most options are."""
_SPACES = re.compile(r"[ \t\n\r\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_FILES = "@@PLUGINFILE@@/"
_BLOCKS = frozenset(
    (
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "table",
        "hr",
        "section",
    )
)
_BOLD = frozenset(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6"))
_ITALIC = frozenset(("i", "em"))
_HIDDEN = frozenset(("script", "style", "head", "title"))
_NOT_HELD = frozenset(("audio", "video", "iframe", "object", "embed", "math", "svg", "input", "select"))
_PLAIN = frozenset(("span", "font", "body", "html", "tbody", "thead", "tfoot", "small", "big", "center"))
_PLAIN_TOO = frozenset(("code", "tt", "wbr", "label", "abbr", "colgroup", "col", "caption", "nolink", "kbd"))
_SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_TO_HTML = MarkdownIt("zero", {"breaks": True}).enable(["table", "emphasis", "escape", "newline"])


@dataclass(slots=True)
class ReadText:
    """The Markdown of a text, and what was not in it."""

    text: str = ""
    images: list[str] = field(default_factory=list)
    """Names of its files."""
    not_kept: list[str] = field(default_factory=list)
    """What is lost without a change of the meaning."""
    not_held: list[str] = field(default_factory=list)
    """What the bank cannot hold: without it, the text means something else, or nothing."""


def markdown_of(html: str, *, breaks: bool = False) -> ReadText:
    """Return the Markdown of HTML. With `breaks`, line ends are line breaks, as in Moodle's auto-format."""
    if _NOTHING_TO_READ.fullmatch(html):
        return ReadText(_trimmed(html if breaks else _SPACES.sub(" ", html)))
    reader = _Reader(breaks=breaks)
    reader.feed(_NO_TAG.sub("&lt;", _without_comments(html)))
    reader.close()
    return reader.result()


def _trimmed(text: str) -> str:
    """The text without spaces around its lines, and with single empty lines."""
    lines = "\n".join(line.strip(" ") for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip()


def _without_comments(html: str) -> str:
    """The HTML without comments. One that is not closed is text."""
    parts, place = [], 0
    while (start := html.find("<!--", place)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        parts.append(html[place:start])
        place = end + 3
    return "".join([*parts, html[place:]])


def html_of(markdown: str) -> str:
    """Return the HTML of Markdown, with formulas as Moodle's editor writes them."""
    formulas: list[str] = []

    def kept(found: re.Match[str]) -> str:
        formulas.append(found[0][1:-1])
        return f"\ue000{len(formulas) - 1}\ue001"

    html = _TO_HTML.render(LATEX.sub(kept, markdown)).strip().replace("<br />\n", "<br>")
    return re.sub(
        "\ue000([0-9]+)\ue001", lambda found: rf"\({escape(formulas[int(found[1])], quote=False)}\)", html
    )


def escaped(text: str) -> str:
    """Plain text as Markdown: signs that would be markup have a backslash before them."""
    parts, end = [], 0
    for formula in LATEX.finditer(text):
        parts += [_escaped(text[end : formula.start()]), formula[0]]
        end = formula.end()
    return "".join([*parts, _escaped(text[end:])])


def unescaped(text: str) -> str:
    """Markdown without the backslashes that take the meaning of a sign away."""
    parts, end = [], 0
    for formula in LATEX.finditer(text):
        parts += [_BACKSLASH.sub("", text[end : formula.start()]), formula[0]]
        end = formula.end()
    return "".join([*parts, _BACKSLASH.sub("", text[end:])])


def _escaped(text: str) -> str:
    text = _BACKSLASH.sub(r"\\\\", text)
    return re.sub(r"[*_]+", lambda run: _escaped_run(text, run), text)


def _escaped_run(text: str, run: re.Match[str]) -> str:
    """Signs of emphasis between letters, or between spaces, are no markup."""
    before = text[run.start() - 1] if run.start() else " "
    after = text[run.end()] if run.end() < len(text) else " "
    if (before.isspace() and after.isspace()) or (before.isalnum() and after.isalnum()):
        return run[0]
    return "".join(f"\\{sign}" for sign in run[0])


def own_formulas(text: str) -> str:
    """Formulas of Moodle's filters as those of the bank: `\\(x\\)` and `$$x$$` as `$x$`."""

    def own(found: re.Match[str]) -> str:
        latex = " ".join((found[1] or found[2] or found[3] or "").split())
        return f"${latex}$" if latex and "$" not in latex else found[0]

    return _FOREIGN_LATEX.sub(own, text)


class _Opening(str):
    """A sign of emphasis that is not closed yet."""

    __slots__ = ()


class _Reader(HTMLParser):
    """Collects blocks of Markdown."""

    def __init__(self, *, breaks: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._found = ReadText()
        self._breaks = breaks
        self._parts: list[str] = []
        self._data: list[str] = []
        self._hidden = 0
        self._has_image = False
        self._lists: list[int | None] = []
        self._script: str | None = None
        self._rows: list[list[str]] | None = None
        self._outside: list[str] = []

    def result(self) -> ReadText:
        """What was found."""
        if self._rows is not None:
            self._end_table()
        self._flush()
        self._found.text = _trimmed("".join(part for part in self._parts if not isinstance(part, _Opening)))
        for each in (self._found.not_kept, self._found.not_held):
            each[:] = dict.fromkeys(each)
        return self._found

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._data.append(data)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("br", "img", "hr", "col", "wbr", "input"):
            self.handle_endtag(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._flush()
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _NOT_HELD:
            self._found.not_held.append(f"<{tag}>")
        elif tag == "img":
            self._image(dict(attrs))
        elif tag == "br":
            self._parts.append("\n")
        elif tag in ("sub", "sup"):
            self._script = tag
        elif tag == "table":
            self._begin_table()
        elif self._rows is not None and tag in ("tr", "td", "th"):
            self._cell(tag)
        else:
            self._mark(tag)

    def _mark(self, tag: str) -> None:
        """Begin what has a sign of its own in Markdown."""
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        if tag in _BLOCKS:
            self._block()
        if tag in _BOLD | _ITALIC:
            self._parts.append(_Opening("**" if tag in _BOLD else "*"))
        elif tag in ("u", "s", "del", "strike", "a", "mark"):
            self._found.not_kept.append("a link" if tag == "a" else f"<{tag}>")
        elif tag not in _BLOCKS | _PLAIN | _PLAIN_TOO | {"li"}:
            self._found.not_kept.append(f"<{tag[:20]}>")

    def handle_endtag(self, tag: str) -> None:
        self._flush()
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in ("sub", "sup"):
            self._script = None
        elif tag == "table" and self._rows is not None:
            self._end_table()
        elif tag in _BOLD | _ITALIC:
            self._end_emphasis("**" if tag in _BOLD else "*")
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _BLOCKS:
            self._block()

    def _flush(self) -> None:
        """Take the text since the last tag."""
        if not self._data:
            return
        data, self._data = own_formulas("".join(self._data)), []
        if self._script is not None:
            self._parts.append(_script(data.strip(), self._script))
            return
        if self._breaks:
            data = "\n".join(" ".join(line.split(" ")) for line in data.split("\n"))
        else:
            data = _SPACES.sub(" ", data)
        data = escaped(data.replace("\xa0", " "))
        if self._parts and self._parts[-1].endswith("\n"):
            data = data.lstrip(" ")
        if self._rows is not None:
            data = data.replace("|", r"\|")
        if self._has_image and data.strip():
            self._found.not_kept.append("the place of an image within its text")
        self._parts.append(data)

    def _block(self) -> None:
        if self._parts:
            self._parts.append(" " if self._rows is not None else "\n\n")

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        self._parts.append("\n")
        if number is None:
            self._parts.append("- ")
        else:
            self._lists[-1] = number + 1
            self._parts.append(f"{number + 1}. ")

    def _end_emphasis(self, sign: str) -> None:
        """Close a sign of emphasis. Spaces within are moved out of it, and an empty one is removed."""
        for place in range(len(self._parts) - 1, -1, -1):
            opening = self._parts[place]
            if isinstance(opening, _Opening) and opening == sign:
                inner = "".join(part for part in self._parts[place + 1 :] if not isinstance(part, _Opening))
                said = inner.strip()
                before, _, after = inner.partition(said) if said else (inner, "", "")
                self._parts[place:] = [before, f"{sign}{said}{sign}" if said else "", after]
                return

    def _image(self, attributes: Mapping[str, str | None]) -> None:
        source = attributes.get("src") or ""
        if source.startswith(_FILES):
            self._has_image = True
            self._found.images.append(unquote(source.removeprefix(_FILES).partition("?")[0]))
        else:
            self._found.not_held.append(f'the image "{source[:60]}", which is not in the file')

    def _begin_table(self) -> None:
        if self._rows is not None:
            self._found.not_held.append("a table within a table")
            return
        self._block()
        self._outside, self._parts, self._rows = self._parts, [], []

    def _cell(self, tag: str) -> None:
        self._end_cell()
        rows = self._rows or []
        if tag == "tr":
            rows.append([])
        else:
            if not rows:
                rows.append([])
            rows[-1].append("")
        self._rows = rows

    def _end_cell(self) -> None:
        said = " ".join("".join(self._parts).split())
        self._parts = []
        if said and self._rows and self._rows[-1]:
            self._rows[-1][-1] += said
        elif said:
            self._outside.append(f"{said}\n\n")

    def _end_table(self) -> None:
        self._end_cell()
        rows = [row for row in self._rows or [] if row]
        self._rows, self._parts = None, self._outside
        width = max(map(len, rows), default=0)
        if not rows or width * len(rows) > MAX_HTML_LENGTH:
            return
        lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
        lines.insert(1, f"|{' --- |' * width}")
        self._parts.append("\n".join(lines))
        self._block()


def _script(text: str, tag: str) -> str:
    """A raised or lowered text: in characters of their own, else as a formula."""
    table, sign = (_SUPERSCRIPTS, "^") if tag == "sup" else (_SUBSCRIPTS, "_")
    if all(ord(character) in table for character in text):
        return text.translate(table)
    latex = re.sub(r"[\\{}$^_%#&~]", "", text)
    return f"${sign}{{{latex}}}$" if latex else ""
