"""GIFT, the text format of Moodle: writing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from app.engine.question_types import Interaction
from app.interchange.errors import UnsupportedQuestion
from app.interchange.gift import EXTRA, FORMATS, SIGNS
from app.interchange.items import Item, Remark, Texts, Written
from app.interchange.moodle_answers import WHOLE, decimal_or_unsupported, order_of, rows_of_pairs
from app.interchange.moodle_items import check_key, extra_of, path_of
from app.interchange.moodle_texts import AUTO, HTML, MARKDOWN, PLAIN, write_text

_NAMES = {text_format: name for name, text_format in FORMATS.items()}
_SIGN = re.compile(rf"[{SIGNS}\\]")
_BEST_FIRST = (AUTO, HTML, MARKDOWN)


def write_gift(items: Sequence[Item], images: Mapping[str, bytes]) -> Written:
    """Write all items that GIFT can express."""
    parts: list[str] = []
    categories: Sequence[str] = []
    written = Written(b"", 0)
    for item in items:
        try:
            path = path_of(item.categories)
            question = _question(item)
        except UnsupportedQuestion as error:
            written.left_out.append(Remark(item.place, str(error)))
            continue
        if list(item.categories) != list(categories):
            categories = item.categories
            parts.append(f"$CATEGORY: {path}\n")
        parts.append(question)
        written.count += 1
    written.content = "\n".join(parts).encode()
    return written


def _question(item: Item) -> str:
    check_key(item)
    if item.passage is not None:
        raise UnsupportedQuestion("it belongs to a passage, and GIFT has none")
    if item.images:
        raise UnsupportedQuestion("GIFT has no images")
    marked = _written(item.text, _BEST_FIRST)
    answers, others = _ANSWERS[item.interaction](item, marked[0])
    explained = _text(item.explanation, marked[0])
    explanation = f"\t####{explained}\n" if item.explanation else ""
    extra = extra_of(item, **others)
    lines = [f"{EXTRA}{json.dumps(extra, ensure_ascii=False)}\n"] if extra else []
    if names := [*_names(item)]:
        lines.append(f"// {' '.join(names)}\n")
    title = _escaped(" ".join((item.place.title or _beginning(item.text)).split()))
    lines.append(f"::{title}::[{_NAMES[marked[0]]}]{_escaped(marked[1])}{{")
    return "".join([*lines, answers, explanation, "}\n"])


def _names(item: Item) -> Iterator[str]:
    ids = [item.external_id] if item.external_id else []
    for kind, names in (("id", ids), ("tag", item.tags)):
        for name in names:
            if name.endswith("\\") or r"\]" in name:
                raise UnsupportedQuestion(f'the {kind} "{name[:40]}" has a backslash before a bracket')
            within = name.replace("]", r"\]")
            yield f"[{kind}:{within}]"


def _beginning(texts: Texts) -> str:
    return next(iter(texts.values()))[:60]


def _escaped(text: str) -> str:
    return _SIGN.sub(lambda sign: f"\\{sign[0]}", text).replace("\n", r"\n")


def _written(texts: Texts, formats: Sequence[str]) -> tuple[str, str]:
    """The format and the raw text of a text of each language."""
    found = write_text(texts, formats)
    if found is None:
        raise UnsupportedQuestion("a text has signs that Moodle reads as markup")
    return found


def _text(texts: Texts, question_format: str) -> str:
    """A text within the answers. It names its format if it is not that of the question."""
    if not texts:
        return ""
    formats = (question_format, *(each for each in _BEST_FIRST if each != question_format))
    text_format, raw = _written(texts, formats)
    named = text_format != question_format or raw.startswith("[")
    return (f"[{_NAMES[text_format]}]" if named else "") + _escaped(raw)


Answers = tuple[str, Mapping[str, object]]
"""What stands between the braces, and what is said in the comment besides."""


def _choice(item: Item, question_format: str) -> Answers:
    accepted = item.key["accepted"]
    right = {each for answer in accepted for each in answer}
    if len(right) == len(item.choices):
        raise UnsupportedQuestion("all its options are right, which GIFT cannot say")
    return _options(item, question_format, dict.fromkeys(right, "="), "~"), {}


def _several(item: Item, question_format: str) -> Answers:
    accepted = item.key["accepted"]
    if len(accepted) > 1:
        raise UnsupportedQuestion("several sets of options are accepted")
    share = f"{float(WHOLE / len(accepted[0])):.7g}"
    return _options(item, question_format, dict.fromkeys(accepted[0], f"~%{share}%"), "~%0%"), {}


def _options(item: Item, question_format: str, right: Mapping[str, str], wrong: str) -> str:
    lines = []
    for choice in item.choices:
        said = _text(choice.text, question_format)
        sign = right.get(choice.id, wrong)
        lines.append(f"\t{'~%0%' if sign == '~' and said.startswith('%') else sign}{said}\n")
    return "\n" + "".join(lines)


def _true_or_false(item: Item, question_format: str) -> Answers:
    accepted = item.key["accepted"]
    if len(accepted) > 1:
        raise UnsupportedQuestion("both true and false are accepted")
    return f"{accepted[0][0].upper()}", {}


def _number(item: Item, question_format: str) -> Answers:
    if "ranges" in item.key:
        return _ranges(item, question_format)
    value, tolerance = item.key["value"], item.key.get("tolerance", "0")
    return f"#{decimal_or_unsupported(value)}:{decimal_or_unsupported(tolerance)}", {}


def _ranges(item: Item, question_format: str) -> Answers:
    ranges = []
    for each in item.key["ranges"]:
        low, high = (decimal_or_unsupported(each[end]) for end in ("from", "to"))
        ranges.append(f"\t=%100%{low}..{high}\n")
    return "#\n" + "".join(ranges), {}


def _spellings(item: Item, question_format: str) -> Answers:
    if item.key.get("case_sensitive"):
        raise UnsupportedQuestion("the case of letters counts, which GIFT cannot say")
    lines = []
    for spelling in item.key["texts"]:
        if "->" in spelling or "\\*" in spelling or spelling != spelling.strip():
            raise UnsupportedQuestion(f'the spelling "{spelling[:40]}" means something else in GIFT')
        said = _escaped(spelling.replace("*", r"\*"))
        lines.append(f"\t=%100%{'[plain]' if said.startswith('[') else ''}{said}\n")
    return "\n" + "".join(lines), {}


def _pairs(item: Item, question_format: str) -> Answers:
    rows = rows_of_pairs(item.choices, item.key)
    lines = []
    for left, choice in rows:
        said, right = _text(left, question_format), write_text(choice.text, (PLAIN,))
        if "->" in said or right is None:
            raise UnsupportedQuestion("an item has signs that mean something else in GIFT")
        lines.append(f"\t={said} -> {_escaped(right[1])}\n")
    ids = [choice.id for _, choice in rows]
    order = order_of(rows)
    return "\n" + "".join(lines), {"order": order if ids != sorted(ids) else []}


def _essay(item: Item, question_format: str) -> Answers:
    return "", {}


_ANSWERS: Mapping[Interaction, Callable[[Item, str], Answers]] = {
    Interaction.ONE_OPTION: _choice,
    Interaction.SEVERAL_OPTIONS: _several,
    Interaction.TRUE_OR_FALSE: _true_or_false,
    Interaction.NUMBER: _number,
    Interaction.SHORT_TEXT: _spellings,
    Interaction.PAIRS: _pairs,
    Interaction.ESSAY: _essay,
}
