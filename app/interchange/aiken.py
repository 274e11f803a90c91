"""Aiken: questions with one right option in plain text, one line for each text.

What is the capital of India?
A. Mumbai
B. New Delhi
ANSWER: B
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase

from app.engine.question_types import Interaction
from app.interchange.errors import UnreadableFile
from app.interchange.items import Choice, Item, ItemFile, Place, Remark, Written
from app.interchange.limits import MAX_ERRORS, MAX_ITEMS, TOO_MANY_ITEMS
from app.interchange.plain_text import decoded

_OPTION = re.compile(r"(?P<letter>[A-Z])[.)](?:\s+(?P<text>.*)|$)")
_ANSWER = re.compile(r"ANSWER\s*:(?P<letter>.*)", re.IGNORECASE)
_LETTER = re.compile(r"[A-Za-z]")
_CERTAIN = re.compile(r"^A[.)] .+\n+(?:[B-Z][.)] .+\n+)+ANSWER: [A-Z]\s*$", re.MULTILINE)
_LOOKED_AT = 100_000  # characters of a file of unknown format
_MAX_TITLE_LENGTH = 60


def is_aiken(file: bytes) -> bool:
    """Return whether a file of unknown format is certainly Aiken."""
    start = file[:_LOOKED_AT].decode("utf-8", errors="ignore").replace("\r\n", "\n")
    return _CERTAIN.search(start) is not None


@dataclass(slots=True)
class _Question:
    """The lines of one question."""

    line: int
    text: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    problem: str | None = None


def read_aiken(file: bytes, language: str) -> ItemFile:
    """Read a file whose texts are in one language. Raises UnreadableFile."""
    found = ItemFile()
    number = 0
    question: _Question | None = None
    for line, raw in enumerate(decoded(file).split("\n"), start=1):
        said = raw.strip()
        if not said or len(found.errors) > MAX_ERRORS:
            continue
        if question is None:
            question, number = _Question(line), number + 1
            if number > MAX_ITEMS:
                raise UnreadableFile(TOO_MANY_ITEMS)
        if answer := _ANSWER.fullmatch(said):
            _finish(found, question, number, answer["letter"].strip(), language)
            question = None
        else:
            _add_line(question, said)
    if question is not None:
        place = _place(question, number)
        found.errors.append(Remark(place, 'the line "ANSWER: …" is missing at the end of this question'))
    return found


def _add_line(question: _Question, said: str) -> None:
    option = _OPTION.fullmatch(said)
    if not question.options and (option is None or option["letter"] != "A" or not question.text):
        question.text.append(said)
        return
    expected = ascii_lowercase[len(question.options)].upper() if len(question.options) < 26 else ""
    if option is not None and option["letter"] == expected:
        question.options.append((option["text"] or "").strip())
    elif question.problem is None:
        after = f"option {expected} or " if expected else ""
        question.problem = f'here comes {after}the line "ANSWER: …"; this is neither: "{said[:60]}"'


def _finish(found: ItemFile, question: _Question, number: int, answer: str, language: str) -> None:
    place = _place(question, number)
    letters = ascii_lowercase[: len(question.options)]
    if problem := question.problem or _problem(question, answer, letters):
        found.errors.append(Remark(place, problem))
    else:
        found.items.append(
            Item(
                place,
                Interaction.ONE_OPTION,
                {language: "\n".join(question.text)},
                [
                    Choice(letter, {language: text})
                    for letter, text in zip(letters, question.options, strict=True)
                ],
                {"accepted": [[answer.lower()]]},
            )
        )


def _problem(question: _Question, answer: str, letters: str) -> str | None:
    if not question.text:
        return "the question has no text before its options"
    if len(letters) < 2:
        return 'a question has at least two options, on lines of their own: "A. …" and "B. …"'
    if empty := [letter for letter, text in zip(letters, question.options, strict=True) if not text]:
        return f"option {empty[0].upper()} has no text"
    if not _LETTER.fullmatch(answer):
        return f'"ANSWER: {answer[:20]}" names no option; write one letter, such as "ANSWER: B"'
    if answer.lower() not in letters:
        return f'"ANSWER: {answer}" is none of the options A to {letters[-1].upper()}'
    return None


def _place(question: _Question, number: int) -> Place:
    title = question.text[0][:_MAX_TITLE_LENGTH] if question.text else ""
    return Place(number, f"line {question.line}", title)


def write_aiken(items: Sequence[Item], images: Mapping[str, bytes]) -> Written:
    """Write the items that have one right option and texts of one line in one language."""
    parts = []
    written = Written(b"", 0)
    for item in items:
        if why := next(_not_expressible(item), None):
            written.left_out.append(Remark(item.place, why))
            continue
        parts.append(_written(item))
        written.not_kept += (Remark(item.place, what) for what in _lost(item))
    written.content, written.count = "\n".join(parts).encode(), len(parts)
    return written


def _written(item: Item) -> str:
    options = (
        f"{letter.upper()}. {_one(choice.text)}\n"
        for letter, choice in zip(ascii_lowercase, item.choices, strict=False)
    )
    ((right,),) = item.key["accepted"]
    return f"{_one(item.text)}\n{''.join(options)}ANSWER: {right.upper()}\n"


def _not_expressible(item: Item) -> Iterator[str]:
    """Why Aiken has no such question."""
    if item.interaction is not Interaction.ONE_OPTION:
        yield f"Aiken has only questions with one right option; this one takes {item.interaction}"
        return
    if not item.key.get("accepted"):
        yield "it has no key, or is dropped"
        return
    if item.passage is not None:
        yield "it belongs to a passage, and Aiken has none"
    if len(item.key["accepted"]) > 1:
        yield "Aiken has one right option, and this key accepts several"
    if [choice.id for choice in item.choices] != list(ascii_lowercase[: len(item.choices)]):
        yield "its options have other ids than a, b, c …"
    texts = [item.text, *(choice.text for choice in item.choices)]
    if len(item.languages) > 1 or any(len(text) != 1 for text in texts):
        yield "Aiken has one language"
    elif any("\n" in _one(text) for text in texts):
        yield "Aiken has one line for each text"
    elif _OPTION.match(_one(item.text)) or _ANSWER.match(_one(item.text)):
        yield "its text begins like an option or an answer"
    if item.images:
        yield "Aiken has no images"


def _lost(item: Item) -> Iterator[str]:
    """What Aiken does not keep of the content. Subject, chapter and names are kept by no such file."""
    if item.explanation:
        yield "Aiken has no explanations"
    if item.tags:
        yield "Aiken has no tags"
    if item.difficulty:
        yield "Aiken has no difficulty"
    if any(choice.is_fixed for choice in item.choices):
        yield "Aiken has no options that keep their places"


def _one(text: Mapping[str, str]) -> str:
    return next(iter(text.values()))
