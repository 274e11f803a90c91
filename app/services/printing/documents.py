"""The content of a printed document, with all texts in one language."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.services.printing.markdown import Block

PrintLanguage = Literal["en", "hi"]


@dataclass(frozen=True, slots=True)
class Figure:
    """An image by its file name, with its width in points at 96 dots per inch."""

    name: str
    width_pt: float


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a question."""

    label: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class PassageItem:
    """A passage before its questions."""

    heading: str
    blocks: Sequence[Block]
    figures: Sequence[Figure]
    kind: Literal["passage"] = "passage"


@dataclass(frozen=True, slots=True)
class QuestionItem:
    """A question. `hint` says how to answer it and its marks, if these differ from the section's."""

    number: int
    hint: str
    blocks: Sequence[Block]
    figures: Sequence[Figure]
    options: Sequence[Option]
    answer_line: str | None
    kind: Literal["question"] = "question"


@dataclass(frozen=True, slots=True)
class SolutionItem:
    """The answer to a question and its explanation."""

    number: int
    answer: str
    blocks: Sequence[Block]
    kind: Literal["solution"] = "solution"


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the paper."""

    heading: str
    note: str
    items: Sequence[PassageItem | QuestionItem | SolutionItem]


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """A whole document: header, instructions or a table of answers, and parts."""

    language: PrintLanguage
    title: str
    subtitle: str
    footer: str
    parts: Sequence[Part]
    facts: Sequence[str] = ()
    notes_heading: str = ""
    notes: Sequence[str] = ()
    answers: Sequence[tuple[int, str]] = field(default_factory=tuple)
    columns: Literal[1, 2] = 2
