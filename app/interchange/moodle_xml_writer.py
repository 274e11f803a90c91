"""Moodle XML: writing."""

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from app.engine.question_types import Interaction
from app.interchange.errors import UnsupportedQuestion
from app.interchange.items import Item, Remark, Texts, Written
from app.interchange.moodle_answers import (
    WHOLE,
    decimal_of,
    decimal_or_unsupported,
    order_of,
    rows_of_pairs,
)
from app.interchange.moodle_items import check_key, extra_of, path_of
from app.interchange.moodle_texts import HTML, MARKDOWN, PLAIN, write_text
from app.interchange.moodle_xml import EXTRA, PASSAGE

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n'

Body = tuple[str, str, Mapping[str, object]]
"""The type of a question, its answers as XML, and what Moodle has no place for."""


def write_moodle_xml(items: Sequence[Item], images: Mapping[str, bytes]) -> Written:
    """Write all items that Moodle XML can express, with their images."""
    parts = [_HEAD]
    categories: Sequence[str] = []
    written = Written(b"", 0)
    passages: set[str] = set()
    for item in items:
        try:
            path = path_of(item.categories)
            question, passage = _question(item, images), _passage(item, passages, images)
        except UnsupportedQuestion as error:
            written.left_out.append(Remark(item.place, str(error)))
            continue
        if list(item.categories) != list(categories):
            categories = item.categories
            parts.append(
                f'<question type="category"><category><text>{escape(path)}</text></category></question>\n'
            )
        if passage and item.passage is not None:
            passages.add(item.passage.identifier)
            parts.append(passage)
        parts.append(question)
        written.count += 1
    written.content = "".join([*parts, "</quiz>\n"]).encode()
    return written


def _passage(item: Item, written: Collection[str], images: Mapping[str, bytes]) -> str:
    """The passage of an item as a description before it; empty if it stands in the file already."""
    passage = item.passage
    if passage is None or passage.identifier in written:
        return ""
    extra = json.dumps({"passage": passage.identifier}, ensure_ascii=False)
    title = " ".join(next(iter(passage.text.values())).split())[:60]
    lines = [
        f"<question type={quoteattr(PASSAGE)}>",
        f"<name><text>{escape(title)}</text></name>",
        _text("questiontext", passage.text, passage.images, images),
        "<defaultgrade>0</defaultgrade>",
        f"<idnumber>{escape(passage.external_id or '')}</idnumber>",
        f"<{EXTRA}>{escape(extra)}</{EXTRA}>",
    ]
    return "\n".join([*lines, "</question>\n"])


def _question(item: Item, images: Mapping[str, bytes]) -> str:
    check_key(item)
    kind, answers, others = _BODIES[item.interaction](item)
    extra = extra_of(item, **others)
    if item.passage is not None:
        extra["passage"] = item.passage.identifier
    title = " ".join((item.place.title or next(iter(item.text.values()))[:60]).split())
    lines = [
        f"<question type={quoteattr(kind)}>",
        f"<name><text>{escape(title)}</text></name>",
        _text("questiontext", item.text, item.images, images),
        _text("generalfeedback", item.explanation),
        "<defaultgrade>1</defaultgrade>",
        "<penalty>0.3333333</penalty>",
        f"<hidden>{int(item.status == 'retired')}</hidden>",
        f"<idnumber>{escape(item.external_id or '')}</idnumber>",
        answers,
    ]
    if item.tags:
        tags = "".join(f"<tag><text>{escape(tag)}</text></tag>" for tag in item.tags)
        lines.append(f"<tags>{tags}</tags>")
    if extra:
        lines.append(f"<{EXTRA}>{escape(json.dumps(extra, ensure_ascii=False))}</{EXTRA}>")
    return "\n".join([*lines, "</question>\n"])


def _text(
    tag: str,
    texts: Texts,
    names: Sequence[str] = (),
    images: Mapping[str, bytes] | None = None,
    *,
    attributes: str = "",
    after: str = "",
) -> str:
    """A text with its format, and its images behind it."""
    text_format, raw = _raw(texts, shows_images=bool(names))
    if names:
        raw += "".join(f'<p><img src="@@PLUGINFILE@@/{quote(name)}" alt=""></p>' for name in names)
    files = "".join(
        f'<file name={quoteattr(name)} path="/" encoding="base64">'
        f"{base64.b64encode((images or {})[name]).decode()}</file>\n"
        for name in names
    )
    return f'<{tag}{attributes} format="{text_format}"><text>{escape(raw)}</text>\n{files}{after}</{tag}>'


def _raw(texts: Texts, *, shows_images: bool = False) -> tuple[str, str]:
    if not texts:
        return HTML, ""
    found = write_text(texts, (HTML,) if shows_images else (HTML, MARKDOWN))
    if found is None:
        raise UnsupportedQuestion("a text has signs that Moodle reads as markup")
    return found


def _answer(percent: str, text: Texts) -> str:
    return _text("answer", text, attributes=f" fraction={quoteattr(percent)}")


def _plain_answer(text: str, after: str = "", percent: str = "100") -> str:
    return f'<answer fraction="{percent}" format="{PLAIN}"><text>{escape(text)}</text>{after}</answer>'


def _one_option(item: Item) -> Body:
    right = {each for answer in item.key["accepted"] for each in answer}
    return _options(item, dict.fromkeys(right, "100"), is_single=True)


def _several_options(item: Item) -> Body:
    accepted = item.key["accepted"]
    if len(accepted) > 1:
        raise UnsupportedQuestion("several sets of options are accepted")
    share = f"{float(WHOLE / len(accepted[0])):.7g}"
    return _options(item, dict.fromkeys(accepted[0], share), is_single=False)


def _options(item: Item, right: Mapping[str, str], *, is_single: bool) -> Body:
    is_shuffled = not all(choice.is_fixed for choice in item.choices)
    lines = [
        f"<single>{str(is_single).lower()}</single>",
        f"<shuffleanswers>{str(is_shuffled).lower()}</shuffleanswers>",
        "<answernumbering>abc</answernumbering>",
        *(_answer(right.get(choice.id, "0"), choice.text) for choice in item.choices),
    ]
    return "multichoice", "\n".join(lines), {}


def _true_or_false(item: Item) -> Body:
    accepted = item.key["accepted"]
    if len(accepted) > 1:
        raise UnsupportedQuestion("both true and false are accepted")
    answers = (
        _plain_answer(name, percent="100" if [name] == accepted[0] else "0") for name in ("true", "false")
    )
    return "truefalse", "\n".join(answers), {}


def _number(item: Item) -> Body:
    if "ranges" in item.key:
        return _ranges(item)
    value, tolerance = item.key["value"], item.key.get("tolerance", "0")
    decimals = [decimal_or_unsupported(each) for each in (value, tolerance)]
    return "numerical", _numerical(*decimals), {}


def _ranges(item: Item) -> Body:
    answers, ranges = [], []
    for each in item.key["ranges"]:
        low, high = (Fraction(decimal_or_unsupported(each[end])) for end in ("from", "to"))
        answers.append(_numerical(decimal_of((low + high) / 2), decimal_of((high - low) / 2)))
        ranges.append([each["from"], each["to"]])
    return "numerical", "\n".join(answers), {"ranges": ranges}


def _numerical(value: str, tolerance: str) -> str:
    return _plain_answer(value, f"<tolerance>{tolerance}</tolerance>")


def _spellings(item: Item) -> Body:
    for spelling in item.key["texts"]:
        if "\\*" in spelling or spelling != spelling.strip():
            raise UnsupportedQuestion(f'the spelling "{spelling[:40]}" means something else in Moodle')
    answers = (_plain_answer(spelling.replace("*", "\\*")) for spelling in item.key["texts"])
    use_case = f"<usecase>{item.key.get('case_sensitive', False):d}</usecase>"
    return "shortanswer", "\n".join([use_case, *answers]), {}


def _pairs(item: Item) -> Body:
    rows = rows_of_pairs(item.choices, item.key)
    lines = ["<shuffleanswers>true</shuffleanswers>"]
    for left, choice in rows:
        right = write_text(choice.text, (PLAIN,))
        if right is None:
            raise UnsupportedQuestion("an item has signs that mean something else in Moodle")
        answer = f"<answer><text>{escape(right[1])}</text></answer>"
        lines.append(_text("subquestion", left, after=answer))
    ids = [choice.id for _, choice in rows]
    return "matching", "\n".join(lines), {"order": order_of(rows) if ids != sorted(ids) else []}


def _essay(item: Item) -> Body:
    return "essay", "<responseformat>editor</responseformat>", {}


_BODIES: Mapping[Interaction, Callable[[Item], Body]] = {
    Interaction.ONE_OPTION: _one_option,
    Interaction.SEVERAL_OPTIONS: _several_options,
    Interaction.TRUE_OR_FALSE: _true_or_false,
    Interaction.NUMBER: _number,
    Interaction.SHORT_TEXT: _spellings,
    Interaction.PAIRS: _pairs,
    Interaction.ESSAY: _essay,
}
