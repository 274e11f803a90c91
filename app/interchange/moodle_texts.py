"""Texts of Moodle: formats such as `html`, and several languages in one text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from app.interchange.html_text import (
    MAX_HTML_LENGTH,
    MAX_TEXT_LENGTH,
    ReadText,
    escaped,
    html_of,
    markdown_of,
    own_formulas,
    unescaped,
)

AUTO = "moodle_auto_format"
HTML = "html"
MARKDOWN = "markdown"
PLAIN = "plain_text"

# The filter of Moodle, its older form, and that of the plug-in `multilang2`.
_OPENING = re.compile(
    r"<span(?=[^<>]{0,80}\sclass=[\"']multilang[\"'])"
    r"(?=[^<>]{0,80}\slang=[\"'](?P<span>[\w-]{2,20})[\"'])[^<>]{0,80}>"
    r"|<lang\s{1,9}lang=[\"'](?P<lang>[\w-]{2,20})[\"']\s{0,9}>"
    r"|\{\s{0,9}mlang\s{1,9}(?P<mlang>[\w,-]{2,80})\s{0,9}\}",
    re.IGNORECASE,
)
_CLOSING = {
    "span": re.compile(r"<(?P<end>/?)span\b[^<>]{0,200}>", re.IGNORECASE),
    "lang": re.compile(r"<(?P<end>/?)lang\b[^<>]{0,200}>", re.IGNORECASE),
    "mlang": re.compile(r"\{\s{0,9}mlang(?P<end>)\s{0,9}\}", re.IGNORECASE),
}
_OTHER = "other"
_MAX_LANGUAGES = 30
_EMPTY = re.compile(r"(?:\s|<br\s*/?>|</?p>)*")

Part = tuple[Sequence[str], str]
"""Languages and a text in them. A text that is common to all languages has none."""


@dataclass(slots=True)
class MoodleText:
    """A text by language, and what was not in it."""

    texts: dict[str, str] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    not_kept: list[str] = field(default_factory=list)
    not_held: list[str] = field(default_factory=list)


def read_text(raw: str, text_format: str, language: str) -> MoodleText:
    """Return a text as Markdown, by language. `language` is that of a text that does not say it."""
    found = MoodleText()
    if len(raw) > MAX_HTML_LENGTH:
        found.not_held = [f"a text of more than {MAX_HTML_LENGTH:,} characters"]
        return found
    parts = by_language(raw, language)
    if len(parts) > _MAX_LANGUAGES:
        found.not_held = [f"a text in {len(parts)} languages"]
        return found
    for each, part in parts.items():
        read = _read(part, text_format)
        if len(read.text) > MAX_TEXT_LENGTH:
            read.not_held.append(f"a text of more than {MAX_TEXT_LENGTH:,} characters")
        if read.text:
            found.texts[each] = read.text
        found.images = _united(found.images, read.images)
        found.not_kept = _united(found.not_kept, read.not_kept)
        found.not_held = _united(found.not_held, read.not_held)
    return found


def _united(one: list[str], other: list[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))


def write_text(texts: Mapping[str, str], formats: Sequence[str]) -> tuple[str, str] | None:
    """Return the first of the formats in which the texts read back equal, and the text in it.

    None if they read back equal in none of them.
    """
    for text_format in formats:
        for raw in _written(texts, text_format):
            if read_text(raw, text_format, "en").texts == dict(texts):
                return text_format, raw
    return None


def joined(parts: Mapping[str, str]) -> str:
    """Return one text of all languages. English alone needs no sign of its language."""
    if set(parts) == {"en"}:
        return parts["en"]
    return "".join(
        f'<span lang="{language}" class="multilang">{part}</span>' for language, part in parts.items()
    )


def by_language(raw: str, language: str) -> dict[str, str]:
    """Return the text of each language."""
    parts = list(_parts(raw))
    named = dict.fromkeys(each for languages, _ in parts for each in languages if each != _OTHER)
    if not named:
        return {language: "".join(text for _, text in parts)}
    if len(named) > _MAX_LANGUAGES:
        return dict.fromkeys(named, "")
    return {each: "".join(_in_one(parts, each)) for each in named}


def _in_one(parts: Sequence[Part], language: str) -> Iterator[str]:
    """The text of a language. Where a group of languages lacks it, its first one is shown, as Moodle does."""
    group: list[Part] = []
    for languages, text in parts:
        if languages:
            group.append((languages, text))
        elif group and _EMPTY.fullmatch(text):
            continue
        else:
            yield from _chosen(group, language)
            group = []
            yield text
    yield from _chosen(group, language)


def _chosen(group: Sequence[Part], language: str) -> Iterator[str]:
    for wanted in (language, _OTHER):
        if found := [text for languages, text in group if wanted in languages]:
            yield from found
            return
    if group:
        yield group[0][1]


def _parts(raw: str) -> Iterator[Part]:
    place = 0
    while opening := _OPENING.search(raw, place):
        kind = opening.lastgroup or "span"
        closing = _end_of(raw, opening.end(), kind)
        if closing is None:
            break
        yield (), raw[place : opening.start()]
        languages = [name.lower().replace("_", "-") for name in opening[kind].split(",") if name]
        yield languages, raw[opening.end() : closing.start()]
        place = closing.end()
    yield (), raw[place:]


def _end_of(raw: str, start: int, kind: str) -> re.Match[str] | None:
    """The end of a text in one language, which may have elements of the same name within."""
    depth = 1
    for tag in _CLOSING[kind].finditer(raw, start):
        depth += -1 if tag["end"] or kind == "mlang" else 1
        if not depth:
            return tag
    return None


def _read(raw: str, text_format: str) -> ReadText:
    if text_format == HTML:
        return markdown_of(raw)
    if text_format == AUTO:
        return markdown_of(raw, breaks=True)
    if text_format == MARKDOWN:
        return ReadText(own_formulas(raw).strip())
    return ReadText(escaped(raw.strip()))


def _written(texts: Mapping[str, str], text_format: str) -> Iterator[str]:
    """Ways to write the texts, the best one first."""
    if text_format == HTML:
        yield joined({language: html_of(text) for language, text in texts.items()})
        # What only looks like markup stands as it is typed.
        yield joined(
            {
                language: escape(unescaped(text), quote=False)
                .replace("\n\n", "<br><br>")
                .replace("\n", "<br>\n")
                for language, text in texts.items()
            }
        )
    elif text_format == AUTO:
        yield joined({language: escape(unescaped(text), quote=False) for language, text in texts.items()})
    elif text_format == PLAIN:
        yield joined({language: unescaped(text) for language, text in texts.items()})
    else:
        yield joined(texts)
