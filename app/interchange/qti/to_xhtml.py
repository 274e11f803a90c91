"""Texts of the bank, which are Markdown, as XHTML of QTI."""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement

from markdown_it.token import Token

from app.interchange.items import Texts
from app.interchange.markdown import tokens_of
from app.interchange.qti.from_xhtml import AS_TYPED, TextReader

_TAGS = {("strong", "**"): "strong", ("em", "*"): "em", ("em", "_"): "i"}
_MAX_TEXT_LENGTH = 20_000
"""Characters of a text of the bank. A longer one, as a file may have, is not rendered."""
_CLASSES = {"text-align:right": "qti-align-right", "text-align:center": "qti-align-center"}


def add_texts(parent: Element, texts: Texts, language: str) -> None:
    """Add a text in each of its languages. `language` is that of the item, which needs no mark."""
    if set(texts) == {language}:
        _add_blocks(parent, texts[language])
        return
    for each, text in texts.items():
        _add_blocks(SubElement(parent, "div", {"xml:lang": each}), text)


def add_images(body: Element, addresses: Iterable[str]) -> None:
    """Add images behind the text."""
    for address in addresses:
        SubElement(SubElement(body, "div"), "img", {"src": address, "alt": ""})


def _add_blocks(parent: Element, text: str) -> None:
    made = list(_rendered(text)) if len(text) <= _MAX_TEXT_LENGTH else []
    holder = Element("div")
    holder.extend(made)
    # What XHTML cannot give back as it was typed, such as another way to write a table, stays Markdown.
    if TextReader("").text(holder) != text:
        made = [_as_typed(text)]
    parent.extend(made)


def _as_typed(text: str) -> Element:
    paragraph = Element("p", {"class": AS_TYPED})
    first, *rest = text.split("\n")
    paragraph.text = first
    for line in rest:
        SubElement(paragraph, "br").tail = line
    return paragraph


def _rendered(text: str) -> Iterator[Element]:
    tokens = tokens_of(text)
    for token in tokens:
        if token.type == "inline":
            paragraph = Element("p")
            _add_inline(paragraph, token)
            yield paragraph
        elif token.type == "table_open":
            yield _table(tokens)


def _table(tokens: Iterator[Token]) -> Element:
    table = Element("table")
    part = row = cell = table
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type in ("thead_open", "tbody_open"):
            part = SubElement(table, token.tag)
        elif token.type == "tr_open":
            row = SubElement(part, "tr")
        elif token.type in ("th_open", "td_open"):
            aligned = _CLASSES.get(str(token.attrGet("style")))
            cell = SubElement(row, token.tag, {"class": aligned} if aligned else {})
        elif token.type == "inline":
            _add_inline(cell, token)
    return table


def _add_inline(parent: Element, inline: Token) -> None:
    within = [parent]
    for token in inline.children or ():
        if token.type in ("softbreak", "hardbreak"):
            SubElement(within[-1], "br")
        elif token.nesting == 1:
            within.append(SubElement(within[-1], _TAGS[token.tag, token.markup]))
        elif token.nesting == -1:
            within.pop()
        else:
            _add_text(within[-1], token.content)


def _add_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
