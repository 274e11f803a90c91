"""Composes the printed paper and the printed solutions in one language.

The paper is composed from the candidates' document alone, so it cannot contain a key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from string import ascii_lowercase
from typing import Any, Literal

import orjson

from app.engine.dropped_keys import is_dropped
from app.engine.marks import parse_marks
from app.engine.question_types import question_type
from app.services.printing.documents import (
    Figure,
    Option,
    Part,
    PassageItem,
    PrintedDocument,
    PrintLanguage,
    QuestionItem,
    SolutionItem,
)
from app.services.printing.markdown import Block, Table, blocks_of
from app.services.printing.wording import WORDINGS, Wording, figure

Document = Mapping[str, Any]
Entry = Mapping[str, Any]

POINTS_PER_PIXEL = 0.75


def paper_document(document: Document, language: PrintLanguage, *, is_draft: bool = False) -> PrintedDocument:
    """The question paper."""
    return _PaperComposer(document, language).compose(is_draft)


def solutions_document(
    document: Document,
    answer_key: Mapping[str, Entry],
    language: PrintLanguage,
    *,
    is_draft: bool = False,
) -> PrintedDocument:
    """A table of answers, and the explanation of each question."""
    return _SolutionsComposer(document, answer_key, language).compose(is_draft)


@dataclass(frozen=True, slots=True)
class PrintJob:
    """What to print, not yet parsed. `answer_key` is None for the paper."""

    document: bytes
    answer_key: Mapping[str, Entry] | None
    language: PrintLanguage
    is_draft: bool

    def compose(self) -> PrintedDocument:
        """Compose the document. The time depends on the length and the Markdown of the texts."""
        document = orjson.loads(self.document)
        if self.answer_key is None:
            return paper_document(document, self.language, is_draft=self.is_draft)
        return solutions_document(document, self.answer_key, self.language, is_draft=self.is_draft)


def printed_text(localized: Mapping[str, str], language: str, paper_languages: Sequence[str]) -> str:
    """The text in the language of the print, else in the paper's first language that it has, else in any."""
    for each in (language, *paper_languages):
        if each in localized:
            return localized[each]
    return next(iter(localized.values()), "")


def figure_name(image_id: str, content_type: str) -> str:
    """The file name of an image for `typeset`. Typst reads the format from the extension."""
    return f"{image_id}.{content_type.partition('/')[2]}"


class _Composer:
    """Shared by the paper and the solutions."""

    def __init__(self, document: Document, language: PrintLanguage) -> None:
        self._document = document
        self._language = language
        self._wording = WORDINGS[language]
        self._questions = {entry["id"]: entry for entry in document["questions"]}

    def _text(self, localized: Mapping[str, str]) -> str:
        return printed_text(localized, self._language, self._document["languages"])

    def _blocks(self, localized: Mapping[str, str] | None) -> Sequence[Block]:
        return blocks_of(self._text(localized or {}))

    def _footer(self, is_draft: bool) -> str:
        version = self._wording.version.format(version=self._document["paper_version"])
        return f"{self._text(self._document['title'])} · {self._wording.draft if is_draft else version}"

    def _questions_of(self, section: Entry) -> list[Entry]:
        return [self._questions[question_id] for question_id in section["question_ids"]]


class _PaperComposer(_Composer):
    def __init__(self, document: Document, language: PrintLanguage) -> None:
        super().__init__(document, language)
        self._passages = {passage["id"]: passage for passage in document["passages"]}

    def compose(self, is_draft: bool) -> PrintedDocument:
        wording, document = self._wording, self._document
        total = sum((self._marks_of(section) for section in document["sections"]), Fraction(0))
        parts = [self._part(section) for section in document["sections"] if section["question_ids"]]
        return PrintedDocument(
            language=self._language,
            title=self._text(document["title"]),
            subtitle=wording.paper,
            footer=self._footer(is_draft),
            facts=(
                wording.time_allowed.format(duration=wording.duration(document["duration_seconds"])),
                wording.maximum_marks.format(marks=figure(total)),
            ),
            notes_heading=wording.instructions,
            notes=list(self._notes()),
            parts=parts,
            columns=_columns(parts),
        )

    def _notes(self) -> Iterator[str]:
        wording, document = self._wording, self._document
        counts = {"questions": len(self._questions), "sections": len(document["sections"])}
        yield (wording.contents_in_sections if counts["sections"] > 1 else wording.contents).format(**counts)
        marks = _uniform_marks(document["questions"])
        yield _marking(wording, *marks) if marks else wording.marks_differ
        yield from self._notes_on_unanswered()
        if any(question["options"] for question in document["questions"]):
            yield wording.one_option
        if len(document["languages"]) > 1:
            prevailing = document["languages"][0]
            yield wording.prevailing.format(language=wording.languages.get(prevailing, prevailing))

    def _notes_on_unanswered(self) -> Iterator[str]:
        """What a question without any answer costs or earns, if all questions are equal in this.

        Otherwise a section says it, or within a section each question.
        """
        wording, questions = self._wording, self._document["questions"]
        if marks := _uniform_unanswered(questions):
            yield _unanswered(wording, marks)
        options = {question.get("not_attempted_option") for question in questions} - {None}
        for option in sorted(options):
            yield wording.not_attempted.format(option=option)
        if percent := self._document.get("most_unmarked_percent"):
            yield wording.most_unmarked.format(percent=percent)

    def _part(self, section: Entry) -> Part:
        questions = self._questions_of(section)
        return Part(self._text(section["name"]), self._note(section, questions), list(self._items(questions)))

    def _note(self, section: Entry, questions: Sequence[Entry]) -> str:
        wording = self._wording
        says = [
            _numbered(wording.questions, wording.question, questions),
            wording.marks(self._marks_of(section)),
        ]
        if section["duration_seconds"]:
            says.append(wording.duration(section["duration_seconds"]))
        if section["choose"]:
            says.append(wording.choose.format(choose=section["choose"]))
        marks = _uniform_marks(questions)
        if marks and not _uniform_marks(self._document["questions"]):
            says.append(_marking(wording, *marks))
        unanswered = _uniform_unanswered(questions)
        if unanswered and unanswered != _uniform_unanswered(self._document["questions"]):
            says.append(_unanswered(wording, unanswered))
        return " · ".join(says)

    def _marks_of(self, section: Entry) -> Fraction:
        """The maximum marks of a section. If candidates choose questions, all carry the same marks."""
        marks = [_marks(question)[0] for question in self._questions_of(section)]
        return sum(marks[: section["choose"] or len(marks)], Fraction(0))

    def _items(self, questions: Sequence[Entry]) -> Iterator[PassageItem | QuestionItem]:
        marks_differ, unanswered_differ = (
            not _uniform_marks(questions),
            _uniform_unanswered(questions) is None,
        )
        previous = None
        for position, question in enumerate(questions):
            passage_id = question["passage_id"]
            if passage_id and passage_id != previous:
                yield self._passage(passage_id, questions[position:])
            previous = passage_id
            yield self._question(question, marks_differ, unanswered_differ)

    def _passage(self, passage_id: str, following: Sequence[Entry]) -> PassageItem:
        wording, passage = self._wording, self._passages[passage_id]
        count = next(
            (position for position, each in enumerate(following) if each["passage_id"] != passage_id),
            len(following),
        )
        return PassageItem(
            _numbered(wording.passage, wording.passage_of_one, following[:count]),
            self._blocks(passage["text"]),
            _figures(passage),
        )

    def _question(self, question: Entry, marks_differ: bool, unanswered_differ: bool) -> QuestionItem:
        wording = self._wording
        kind = question_type(question["type"])
        hints = [kind.hint[self._language]] if kind.hint else []
        if marks_differ:
            hints.append("; ".join(_signed(marks) for marks in _marks(question) if marks))
        if unanswered_differ and (marks := _unanswered_marks(question)):
            hints.append(wording.unanswered.format(marks=_signed(marks)))
        return QuestionItem(
            number=question["number"],
            hint=", ".join(hints),
            blocks=self._blocks(question["text"]),
            figures=_figures(question),
            options=[
                Option(label, self._blocks(option["text"]))
                for label, option in zip(_labels(question).values(), question["options"], strict=True)
            ],
            answer_line=wording.answer_line if kind.has_answer_line() else None,
        )


class _SolutionsComposer(_Composer):
    def __init__(self, document: Document, answer_key: Mapping[str, Entry], language: PrintLanguage) -> None:
        super().__init__(document, language)
        self._answer_key = answer_key

    def compose(self, is_draft: bool) -> PrintedDocument:
        parts = [self._part(section) for section in self._document["sections"] if section["question_ids"]]
        return PrintedDocument(
            language=self._language,
            title=self._text(self._document["title"]),
            subtitle=self._wording.solutions,
            footer=self._footer(is_draft),
            parts=parts,
            columns=_columns(parts),
            answers=[(entry["number"], self._answer(entry)) for entry in self._document["questions"]],
        )

    def _part(self, section: Entry) -> Part:
        items = [self._solution(question) for question in self._questions_of(section)]
        return Part(self._text(section["name"]), "", items)

    def _solution(self, question: Entry) -> SolutionItem:
        explanation = self._answer_key[question["id"]]["explanation"]
        blocks = self._blocks(explanation) if explanation else blocks_of(self._wording.no_explanation)
        return SolutionItem(question["number"], self._answer(question), blocks)

    def _answer(self, question: Entry) -> str:
        key, wording = self._answer_key[question["id"]]["key"], self._wording
        if is_dropped(key):
            return wording.dropped
        answers = question_type(question["type"]).printed_key(key, _labels(question))
        return wording.either.join(wording.both.join(parts) for parts in answers)


def _columns(parts: Sequence[Part]) -> Literal[1, 2]:
    """One column if a table is too wide for two."""
    items = [item for part in parts for item in part.items]
    blocks = [block for item in items for block in item.blocks]
    blocks += [
        block
        for item in items
        if isinstance(item, QuestionItem)
        for option in item.options
        for block in option.blocks
    ]
    return 1 if any(isinstance(block, Table) and block.needs_page() for block in blocks) else 2


def _labels(question: Entry) -> dict[str, str]:
    """How options are marked on paper: by ids that are letters or numbers, else by letters in order."""
    ids = [option["id"] for option in question["options"]]
    names = ids if all(len(option_id) == 1 or option_id.isdigit() for option_id in ids) else ascii_lowercase
    return {option_id: f"({name})" for option_id, name in zip(ids, names, strict=False)}


def _figures(entry: Entry) -> list[Figure]:
    return [
        Figure(figure_name(image["id"], image["content_type"]), image["width"] * POINTS_PER_PIXEL)
        for image in entry["media"]
    ]


def _numbered(several: str, one: str, questions: Sequence[Entry]) -> str:
    first, last = questions[0]["number"], questions[-1]["number"]
    return (several if last > first else one).format(first=first, last=last)


def _marks(question: Entry) -> tuple[Fraction, Fraction]:
    return parse_marks(question["marks"]), parse_marks(question["negative_marks"])


def _uniform_marks(questions: Sequence[Entry]) -> tuple[Fraction, Fraction] | None:
    """The marks of these questions if all have the same, else None."""
    marks = {_marks(question) for question in questions}
    return marks.pop() if len(marks) == 1 else None


def _marking(wording: Wording, correct: Fraction, incorrect: Fraction) -> str:
    carries = wording.each_carries.format(marks=wording.marks(correct))
    deducted = wording.deducted.format(marks=wording.marks(-incorrect))
    return f"{carries} {deducted if incorrect else wording.not_deducted}"


def _unanswered_marks(question: Entry) -> Fraction:
    return parse_marks(question.get("unattempted_marks", "0"))


def _uniform_unanswered(questions: Sequence[Entry]) -> Fraction | None:
    """The marks of these questions without an answer if all have the same, else None."""
    marks = {_unanswered_marks(question) for question in questions}
    return marks.pop() if len(marks) == 1 else None


def _unanswered(wording: Wording, marks: Fraction) -> str:
    sentence = wording.unanswered_deducted if marks < 0 else wording.unanswered_awarded
    return sentence.format(marks=wording.marks(abs(marks)))


def _signed(marks: Fraction) -> str:
    return f"+{figure(marks)}" if marks > 0 else f"−{figure(-marks)}"
