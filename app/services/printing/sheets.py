"""Sheets: what is to be printed, with every word decided."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.services.printing.markdown import Block

PrintLanguage = Literal["en", "hi"]


@dataclass(frozen=True, slots=True)
class Figure:
    """An image, by the name under which its bytes come, and as wide as it is at 96 dots an inch."""

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
    """A question; `hint` says how it is answered and what it carries, where that is not the usual."""

    number: int
    hint: str
    blocks: Sequence[Block]
    figures: Sequence[Figure]
    options: Sequence[Option]
    answer_line: str | None
    kind: Literal["question"] = "question"


@dataclass(frozen=True, slots=True)
class SolutionItem:
    """What is right and why."""

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
class Sheet:
    """A whole document: its head, instructions or answers at a glance, and parts."""

    language: PrintLanguage
    title: str
    subtitle: str
    footer: str
    parts: Sequence[Part]
    facts: Sequence[str] = ()
    notes_heading: str = ""
    notes: Sequence[str] = ()
    answers: Sequence[tuple[int, str]] = field(default_factory=tuple)
