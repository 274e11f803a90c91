"""GIFT, the text format of Moodle: reading.

The rules are those of Moodle's own import: questions are separated by empty lines, the first pair of braces
holds the answers, and a backslash takes the meaning of a sign away.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from app.engine.question_types import Interaction
from app.interchange import moodle_answers
from app.interchange.errors import (
    MistakeInQuestion,
    QuestionNotRead,
    UnreadableFile,
    UnsupportedQuestion,
)
from app.interchange.items import Item, ItemFile, Place, Remark, Texts
from app.interchange.limits import MAX_ERRORS, MAX_ITEMS, TOO_MANY_ITEMS
from app.interchange.moodle_answers import WHOLE, Answer, Answered
from app.interchange.moodle_items import (
    Extra,
    MoodleReading,
    categories_of,
    item_of,
    read_extra,
    subject_and_chapter,
    title_remark,
)
from app.interchange.moodle_texts import AUTO, HTML, MARKDOWN, PLAIN
from app.interchange.plain_text import decoded

EXTRA = "// ias: "
"""A comment with what GIFT has no place for, as JSON."""
FORMATS = {"moodle": AUTO, "html": HTML, "markdown": MARKDOWN, "plain": PLAIN}
SIGNS = ":#={}~"
"""The signs that a backslash takes the meaning of."""

# Escaped signs are characters that no text has, until the question is taken apart.
_HIDDEN = {sign: chr(0xFDD0 + place) for place, sign in enumerate(SIGNS)}
_SHOWN = str.maketrans({hidden: sign for sign, hidden in _HIDDEN.items()})
_ESCAPED = re.compile(rf"\\([{SIGNS}\\n])")
_LATEX_LINE = re.compile(r"(?<!\\)\\(nabla|neq|ne|nu|not|neg|ni|nmid|notin)\b")
_CATEGORY = "$CATEGORY:"
_TITLE = re.compile(r"::(?P<title>.*?)::", re.DOTALL)
_FORMAT = re.compile(r"\[(?P<format>\w{1,20})\]")
_PERCENT = re.compile(r"%(?P<percent>-?[0-9]{1,3}(\.[0-9]{0,20})?)%")
_ID = re.compile(r"\[id:(?P<id>(?:\\\]|[^\]\x00-\x1f]){1,300})\]")
_TAG = re.compile(r"\[tag:(?P<tag>(?:\\\]|[^\]\x00-\x1f]){1,300})\]")
_TRUE_OR_FALSE = {"T": True, "TRUE": True, "F": False, "FALSE": False}
_MAX_ANSWERS = 100
_MAX_COMMENTS_LENGTH = 50_000
_CERTAIN = re.compile(r"\s*(?:\$CATEGORY:|::[^\n:]+::|//[^\n]*\n+(?:\$CATEGORY:|::|//|[^\n,]*\{))")
# A first question with answers in braces. A CSV goes on behind the braces.
_QUESTION = re.compile(
    r"\s*(?:[ \t]*[^{}\s][^{}\n]*\n)*[^{}\n]*\{\s*[=~](?:[^{}\\]|\\.)*\}"
    r"(?![ \t]*[,;|\t\"])[^{}\n]*(?:\n[ \t]*(?:\n|\Z)|\Z)",
    re.DOTALL,
)
_LOOKED_AT = 10_000  # characters of a file of unknown format


def is_gift(file: bytes) -> bool:
    """Return whether a file of unknown format is certainly GIFT."""
    start = file[:_LOOKED_AT].decode("utf-8-sig", errors="ignore").replace("\r\n", "\n")
    return (_CERTAIN.match(start) or _QUESTION.match(start)) is not None


@dataclass(slots=True)
class _Block:
    """The lines of a question, and the comments before it."""

    line: int
    lines: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def read_gift(file: bytes, language: str) -> ItemFile:
    """Read a file. Raises UnreadableFile."""
    found = ItemFile()
    categories: list[str] = []
    number = 0
    for block in _blocks(decoded(file)):
        if len(found.errors) > MAX_ERRORS:
            break
        if block.lines[0].startswith(_CATEGORY):
            categories = categories_of(block.lines[0].removeprefix(_CATEGORY))
            continue
        number += 1
        if number > MAX_ITEMS:
            raise UnreadableFile(TOO_MANY_ITEMS)
        _Question(found, block, number, language, categories).read()
    titles = (remark for item in found.items if (remark := title_remark(item)))
    found.not_kept += [remark for remark, _ in zip(titles, range(1), strict=False)]
    return found


def _blocks(text: str) -> Iterator[_Block]:
    block = _Block(0)
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line.startswith("//"):
            block.comments.append(line)
        elif line.startswith(_CATEGORY):
            if block.lines:
                yield block
            yield _Block(number, [line])
            block = _Block(0)
        elif line:
            block.line = block.line or number
            block.lines.append(raw)
        elif block.lines:
            yield block
            block = _Block(0)
    if block.lines:
        yield block


@dataclass(slots=True)
class _Question:
    """Reads one question into the file that is found."""

    found: ItemFile
    block: _Block
    number: int
    language: str
    categories: Sequence[str]

    def read(self) -> None:
        """Add the item, or say why there is none."""
        title, rest = _titled(_hidden("\n".join(self.block.lines).strip()))
        place = Place(self.number, f"line {self.block.line}", title)
        try:
            item, not_kept = self._item(place, rest)
        except UnsupportedQuestion as error:
            self.found.unsupported.append(Remark(place, str(error)))
        except QuestionNotRead as error:
            self.found.errors.append(Remark(place, str(error)))
        else:
            self.found.items.append(item)
            self.found.not_kept += (Remark(item.place, what) for what in not_kept)

    def _item(self, place: Place, rest: str) -> tuple[Item, Sequence[str]]:
        text, answers, explanation = _parts(rest)
        text_format, text = _format_of(text, AUTO)
        reading = MoodleReading(self.language, text_format)
        said = reading.text(_shown(text), images=True)
        if not said:
            raise MistakeInQuestion("the question has no text")
        extra = self._extra()
        answered = _answered(answers, reading, extra.get("order", ()))
        if reading.images:
            raise UnsupportedQuestion(f'its image "{reading.images[0]}" is in no GIFT file')
        categories, levels = subject_and_chapter(self.categories)
        explained = _text(reading, explanation) if explanation is not None else {}
        comments = " ".join(self.block.comments)
        if len(comments) > _MAX_COMMENTS_LENGTH:
            raise MistakeInQuestion(
                f"the comments before it have more than {_MAX_COMMENTS_LENGTH:,} characters"
            )
        external_id = _ID.search(comments)
        item = item_of(
            place if place.title else replace(place, title=_beginning(said)),
            answered,
            said,
            reading,
            extra,
            explanation=explained,
            tags=[tag["tag"].replace(r"\]", "]").strip() for tag in _TAG.finditer(comments)],
            categories=list(categories),
            external_id=external_id["id"].replace(r"\]", "]").strip() if external_id else None,
            status=extra.get("status"),
        )
        return item, [*levels, *answered.not_kept, *reading.not_kept, *self._line_breaks()]

    def _extra(self) -> Extra:
        said = [each for each in self.block.comments if each.startswith(EXTRA)]
        return read_extra(said[-1].removeprefix(EXTRA)) if said else {}

    def _line_breaks(self) -> Iterator[str]:
        """In GIFT a backslash and n is a line break, also at the beginning of a command of LaTeX."""
        if found := _LATEX_LINE.search("\n".join(self.block.lines)):
            yield rf'"{found[0]}", which GIFT reads as a line break; write "\{found[0]}" if LaTeX is meant'


def _hidden(text: str) -> str:
    def hidden(found: re.Match[str]) -> str:
        sign = found[1]
        return {"\\": "\\", "n": "\n"}.get(sign) or _HIDDEN[sign]

    return _ESCAPED.sub(hidden, text)


def _shown(text: str) -> str:
    return text.translate(_SHOWN).strip()


def _titled(text: str) -> tuple[str, str]:
    found = _TITLE.match(text)
    return (_shown(found["title"]), text[found.end() :].strip()) if found else ("", text)


def _beginning(texts: Texts) -> str:
    return " ".join(next(iter(texts.values())).split())[:60]


def _parts(text: str) -> tuple[str, str | None, str | None]:
    """The text of a question, its answers and its explanation."""
    start, end = text.find("{"), text.find("}")
    if start < 0 and end < 0:
        raise UnsupportedQuestion("it is a description without answers, and no question")
    if start < 0 or end < start:
        raise MistakeInQuestion(
            r'the braces around the answers are not a pair, or an empty line is between them; write "\{" and'
            r' "\}" for the signs themselves'
        )
    answers, before, after = text[start + 1 : end].strip(), text[:start], text[end + 1 :]
    if "{" in after or "}" in after:
        raise UnsupportedQuestion("it has several blanks")
    said = f"{before.rstrip()} _____ {after.lstrip()}" if after.strip() else before
    place = answers.rfind("####")
    if place < 0:
        return said, answers, None
    return said, answers[:place].strip(), answers[place + 4 :]


def _format_of(text: str, otherwise: str) -> tuple[str, str]:
    """The format that a text names, and the text without that name."""
    found = _FORMAT.match(text.strip())
    if found is None or found["format"].lower() not in FORMATS:
        return otherwise, text
    return FORMATS[found["format"].lower()], text.strip()[found.end() :]


def _text(reading: MoodleReading, raw: str) -> Texts:
    text_format, text = _format_of(raw, reading.format)
    return reading.text(_shown(text), text_format)


def _answered(answers: str | None, reading: MoodleReading, order: Sequence[str]) -> Answered:
    if not answers:
        return Answered(Interaction.ESSAY, key={"accepted": []})
    if answers.startswith("#"):
        return moodle_answers.number(list(_numbers(answers[1:], reading)))
    if "~" in answers:
        options = list(_options(answers, reading))
        return moodle_answers.choice(options, is_single="=" in answers)
    if "=" in answers and "->" in answers:
        return moodle_answers.pairs(list(_pairs(answers, reading)), order)
    said = _without_comment(answers, reading).strip()
    if said in _TRUE_OR_FALSE:
        return moodle_answers.true_or_false(is_true=_TRUE_OR_FALSE[said])
    return moodle_answers.short_text(list(_spellings(answers, reading)))


def _split(answers: str, sign: str) -> list[str]:
    if answers.count(sign) > _MAX_ANSWERS:
        raise UnsupportedQuestion(f"it has more than {_MAX_ANSWERS} answers")
    parts = [part.strip() for part in answers.split(sign)]
    return parts if parts[0] else parts[1:]


def _without_comment(answer: str, reading: MoodleReading) -> str:
    said, sign, comment = answer.partition("#")
    if sign and comment.strip("# \n"):
        reading.not_kept = list(dict.fromkeys([*reading.not_kept, "comments on answers"]))
    return said


def _weighted(answer: str, otherwise: Fraction) -> tuple[Fraction, str]:
    found = _PERCENT.match(answer)
    return (Fraction(found["percent"]), answer[found.end() :]) if found else (otherwise, answer)


def _options(answers: str, reading: MoodleReading) -> Iterator[Answer]:
    for part in _split(answers.replace("=", "~="), "~"):
        if part.startswith("="):
            percent, said = WHOLE, part[1:]
        else:
            percent, said = _weighted(part, Fraction(0))
        yield Answer(percent, texts=_text(reading, _without_comment(said, reading)))


def _spellings(answers: str, reading: MoodleReading) -> Iterator[Answer]:
    for part in _split(answers, "="):
        percent, said = _weighted(part, WHOLE)
        _, text = _format_of(_without_comment(said, reading), PLAIN)
        yield Answer(percent, _shown(text))


def _numbers(answers: str, reading: MoodleReading) -> Iterator[Answer]:
    right, tilde, _ = answers.partition("~")
    for part in _split(right, "=") if right.strip() else []:
        percent, said = _weighted(part, WHOLE)
        said = _shown(_without_comment(said, reading))
        value, _, tolerance = said.partition(":")
        yield Answer(percent, value.strip(), tolerance=tolerance.strip())
    if tilde:
        yield Answer(Fraction(0), "*")


def _pairs(answers: str, reading: MoodleReading) -> Iterator[tuple[Texts, Texts]]:
    for part in _split(answers, "="):
        left, arrow, right = part.partition("->")
        if not arrow:
            raise MistakeInQuestion(
                f'a pair is written "=item -> match"; this is none: "{_shown(part)[:40]}"'
            )
        yield _text(reading, left), reading.text(_shown(right), PLAIN)
