"""The disputed paper: single choices from a sheet, one of which is keyed wrongly on purpose."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.dispute.options import DISPUTED

LETTERS = "abcd"
SECONDS = 2 * 60 * 60
_MARKING = {"correct": "2", "incorrect": "-2/3", "unattempted": "0", "dropped": "prorate", "rounding": "upsc"}


class UnsuitablePaper(Exception):
    """The sheet cannot be played, and why."""


@dataclass(frozen=True, slots=True)
class Question:
    """`right` is the key in the sheet; empty for a question that was dropped."""

    number: int
    text: str
    options: Sequence[str]
    right: str

    @property
    def released(self) -> str:
        """The key by which the exam is released: of the disputed question a wrong one."""
        if self.number != DISPUTED:
            return self.right
        return LETTERS[(LETTERS.find(self.right) + 1) % len(LETTERS)]


def key_of(letter: str) -> dict[str, Any]:
    """A key as the API takes it. An empty one drops the question."""
    return {"accepted": [[letter]]} if letter else {"dropped": True}


def read_paper(path: Path) -> list[Question]:
    """The questions of a sheet with the columns question, option_a to option_d, and key.

    Raises UnsuitablePaper.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        questions = [_question(number, row) for number, row in enumerate(rows, start=1)]
    except KeyError as missing:
        raise UnsuitablePaper(f"{path.name} has no column {missing}.") from None
    if len(questions) < DISPUTED:
        raise UnsuitablePaper(f"{path.name} has {len(questions)} questions; the dispute is about {DISPUTED}.")
    if odd := [each.number for each in questions if each.right not in ("", *LETTERS)]:
        raise UnsuitablePaper(f"{path.name}: the key of question {odd[0]} is none of a, b, c, d.")
    return questions


def _question(number: int, row: Mapping[str, str]) -> Question:
    options = [row[f"option_{letter}"] for letter in LETTERS]
    return Question(number, row["question"], options, row["key"].strip().lower())


def sheet(questions: Sequence[Question], label: str) -> bytes:
    """The questions as a CSV sheet to import. `label` is their tag and the prefix of their external ids."""
    file = io.StringIO()
    options = [f"option_{letter}" for letter in LETTERS]
    writer = csv.DictWriter(file, ["external_id", "tags", "type", "question", *options, "key"])
    writer.writeheader()
    for question in questions:
        fixed = {"external_id": f"{label}-{question.number}", "tags": label, "type": "single_choice"}
        texts = dict(zip(options, question.options, strict=True))
        writer.writerow(fixed | texts | {"question": question.text, "key": question.released})
    return file.getvalue().encode()


def test_body(ids: Sequence[str], label: str, subject_id: str) -> dict[str, Any]:
    """The request body that creates the test, with the marks of UPSC."""
    return {
        "title": {"en": f"Dispute {label}"},
        "kind": "full",
        "subject_id": subject_id,
        "duration_seconds": SECONDS,
        "languages": ["en"],
        "marking": _MARKING,
        "sections": [{"name": {"en": "General Studies"}, "question_ids": list(ids)}],
        "attempts_allowed": 1,
    }
