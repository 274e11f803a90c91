"""The questions of the rehearsed test: several types, known keys, and their marks."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

LANGUAGES = ["en", "hi"]
DROPPED_NUMBER = 2
TOLERANCE = Fraction("0.01")

_LETTERS = "abcd"
_MARKING = {"correct": "2", "incorrect": "-2/3", "unattempted": "0", "dropped": "prorate", "rounding": "upsc"}
_APTITUDE_MARKING = {"correct": "5/2", "incorrect": "-5/6", "partial": "proportional"}
_GENERAL_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Question:
    """One question. The key is letters ("bd" means both), true or false, a number, or empty if dropped."""

    number: int
    type: str
    key: str
    aptitude: bool

    @property
    def options(self) -> tuple[str, ...]:
        """The options that can be chosen."""
        return {"numeric": (), "true_false": ("true", "false")}.get(self.type, tuple(_LETTERS))

    @property
    def correct(self) -> Fraction:
        return Fraction(_APTITUDE_MARKING["correct"] if self.aptitude else _MARKING["correct"])

    @property
    def incorrect(self) -> Fraction:
        return Fraction(_APTITUDE_MARKING["incorrect"] if self.aptitude else _MARKING["incorrect"])

    @property
    def is_dropped(self) -> bool:
        return not self.key


def compose(count: int, seed: int) -> list[Question]:
    """Mostly single choice, some questions of every other type, and one dropped question."""
    rng = Random(f"questions {seed}")  # noqa: S311 -- repeatable on purpose
    numbers = range(1, count + 1)
    return [_question(rng, number, aptitude=number > count * _GENERAL_SHARE) for number in numbers]


def _question(rng: Random, number: int, *, aptitude: bool) -> Question:
    if number == DROPPED_NUMBER:
        return Question(number, "single_choice", "", aptitude)
    match number % 10:
        case 3 | 8:
            letters = sorted(rng.sample(_LETTERS, rng.randint(2, 3)))
            return Question(number, "multiple_choice", "".join(letters), aptitude)
        case 4 | 9:
            return Question(number, "numeric", f"{rng.randint(-500, 500) / 8}", aptitude)
        case 7:
            return Question(number, "true_false", rng.choice(["true", "false"]), aptitude)
        case _:
            return Question(number, "single_choice", rng.choice(_LETTERS), aptitude)


def sheet(questions: Sequence[Question], label: str) -> bytes:
    """The questions as a CSV sheet. `label` is their tag and a part of their external ids."""
    texts = [f"option_{letter}" for letter in _LETTERS]
    columns = ["external_id", "tags", "type", "question", "question_hi", *texts, "key"]
    file = io.StringIO()
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    for question in questions:
        writer.writerow(_row(question, label))
    return file.getvalue().encode()


def _row(question: Question, label: str) -> dict[str, str]:
    has_options = question.type in ("single_choice", "multiple_choice")
    options = {f"option_{letter}": f"Option {letter}" for letter in _LETTERS} if has_options else {}
    tolerance = f"±{float(TOLERANCE)}" if question.type == "numeric" else ""
    return options | {
        "external_id": f"{label}-{question.number}",
        "tags": label,
        "type": question.type,
        "question": f"Question {question.number} of rehearsal {label}",
        "question_hi": f"अभ्यास {label} का प्रश्न {question.number}",
        "key": question.key + tolerance,
    }


def test_body(
    questions: Sequence[Question], ids: Sequence[str], label: str, seconds: int, subject_id: str
) -> dict[str, Any]:
    """The body that creates the test: two sections with their own marks, shuffled, one attempt allowed."""
    placed = list(zip(questions, ids, strict=True))
    general = [id_ for question, id_ in placed if not question.aptitude]
    aptitude = [id_ for question, id_ in placed if question.aptitude]
    sections = [
        {"name": {"en": "General", "hi": "सामान्य"}, "question_ids": general},
        {
            "name": {"en": "Aptitude", "hi": "अभिक्षमता"},
            "question_ids": aptitude,
            "marking": _APTITUDE_MARKING,
        },
    ]
    return {
        "title": {"en": f"Rehearsal {label}", "hi": f"अभ्यास {label}"},
        "kind": "full",
        "subject_id": subject_id,
        "duration_seconds": seconds,
        "languages": LANGUAGES,
        "marking": _MARKING,
        "sections": sections,
        "shuffle": {"questions": True, "options": True},
        "attempts_allowed": 1,
    }
