"""Tests, questions and keys as people name them at the command line: by number, and as cells of a sheet."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.errors import Invalid, NotFound
from app.engine.dropped_keys import (
    DroppedRule,
    dropped_from_cell,
    dropped_key,
    dropped_to_cell,
    is_dropped,
)
from app.engine.question_types import question_type
from app.models import Paper
from app.sentences import Sentence
from app.services import tests
from app.services.keys.changes import KeyChange
from app.services.unit_of_work import Reading
from app.services.users import Principal

NumberedQuestions = Mapping[int, tuple[UUID, str]]
"""By number: the id of a question, and its type."""


async def test_named(reads: Reading, staff: Principal, name: str) -> UUID:
    """The test that has this reference or this id. Raises NotFound."""
    found = await tests.with_reference(reads, staff, name)
    if found is not None:
        return found
    try:
        test_id = UUID(name)
    except ValueError:
        raise NotFound("test") from None
    return (await reads.key_revisions.test(tests.viewer(staff), test_id)).id


async def questions_of(reads: Reading, test_id: UUID) -> NumberedQuestions:
    """The questions of the newest version of a test's paper. Raises NotFound if there is none."""
    paper = await reads.key_revisions.newest_paper(test_id)
    if paper is None:
        raise NotFound("version of the paper")
    entries = paper.rules["questions"]
    return {number: (UUID(entry["id"]), entry["type"]) for number, entry in enumerate(entries, start=1)}


def keyed(questions: NumberedQuestions, number: int, cell: str) -> KeyChange:
    """A change to the key in a cell. Raises Invalid for a cell that is no key of the question's type."""
    question_id, type_name = _named(questions, number)
    try:
        key = dropped_from_cell(cell) or dict(question_type(type_name).key_from_cell(cell))
    except ValueError as error:
        raise Invalid.field("key", str(error)) from None
    return KeyChange(question_id, key)


def dropped(questions: NumberedQuestions, text: str) -> KeyChange:
    """A change that drops a question: `80`, or `80:full_marks_to_all`."""
    number, _, rule = text.partition(":")
    try:
        question_id, _ = _named(questions, int(number))
        return KeyChange(question_id, dropped_key(DroppedRule(rule) if rule else None))
    except ValueError:
        rules = ", ".join(DroppedRule)
        raise Invalid.field(
            "drop", Sentence("Write a number, or a number with one of the rules {rules}.", rules=rules)
        ) from None


def cell_of(types: Mapping[str, str], question_id: str, key: Mapping[str, Any]) -> str:
    """The key of a question as a cell of a sheet. `types` are those of the questions, by id."""
    return dropped_to_cell(key) if is_dropped(key) else question_type(types[question_id]).key_to_cell(key)


def types_of(papers: Sequence[Paper]) -> Mapping[str, str]:
    """The types of all questions of papers, by id."""
    return {entry["id"]: entry["type"] for paper in papers for entry in paper.rules["questions"]}


def _named(questions: NumberedQuestions, number: int) -> tuple[UUID, str]:
    if number not in questions:
        raise Invalid.field("question", Sentence("The paper has no question {number}.", number=number))
    return questions[number]
