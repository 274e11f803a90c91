"""The results of a group in the form that `engine/statistics` analyzes.

This module imports numpy, and is imported only by functions that analyze.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from app.engine.question_types import question_type
from app.engine.scoring import Dropped, Item
from app.engine.statistics.difficulty_priors import Calibrated, DifficultyPrior, difficulty_prior
from app.engine.statistics.result_data import Membership, QuestionData, ResultData
from app.repositories.analytics.matrices import Column, Group
from app.repositories.analytics.matrix_arrays import Labels, Matrix
from app.repositories.analytics.test_statistics import AskedQuestion, Label
from app.services.components import Components
from app.services.tests.papers import FrozenPaper, FrozenQuestion
from app.services.unit_of_work import Reading

_GENERAL = "general"


@dataclass(frozen=True, slots=True)
class LoadedGroup:
    """The results of a group, and the questions as the analysis stores them."""

    data: ResultData
    questions: Sequence[Mapping[str, Any]]


async def load(reads: Reading, parts: Components, group: Group) -> LoadedGroup:
    """Load the results of a group with all that their analysis needs. The caller asks the embargo."""
    paper = await parts.papers.get(reads, group.paper_id)
    key = await parts.papers.key(reads, group.key_id)
    versions = [UUID(entry["version_id"]) for entry in paper.rules["questions"]]
    asked = await reads.test_statistics.questions(versions)
    calibrated = await reads.test_statistics.calibrated(group.paper_id)
    matrix = await reads.matrices.load(group, columns_of(paper), key.rules)
    data = result_data(matrix, paper, key.rules.items, [prior_of(each, calibrated) for each in asked])
    questions = [{"id": str(each.question_id), "version": each.version} for each in asked]
    return LoadedGroup(data, questions)


def columns_of(paper: FrozenPaper) -> tuple[Column, ...]:
    """The questions of a paper, as its results are loaded."""
    return tuple(
        Column(question.id, question_type(question.type), question.options)
        for question in paper.questions.values()
    )


def prior_of(question: AskedQuestion, calibrated: Mapping[Label, Calibrated]) -> DifficultyPrior:
    """What is known of the difficulty of a question from its label and its chapter."""
    places = [None] if question.chapter_id is None else [None, question.chapter_id]
    known = [calibrated.get((question.difficulty, place), Calibrated()) for place in places]
    return difficulty_prior(question.difficulty, known)


def result_data(
    matrix: Matrix, paper: FrozenPaper, items: Sequence[Item], priors: Sequence[DifficultyPrior]
) -> ResultData:
    """The results of a paper, marked by a key with these items."""
    sections = {
        question_id: place
        for place, section in enumerate(paper.sections)
        for question_id in section.question_ids
    }
    questions = [
        _question(
            column, question, item, prior, sections[item.question_id], item.question_id in paper.optional_ids
        )
        for column, question, item, prior in zip(
            matrix.columns, paper.questions.values(), items, priors, strict=True
        )
    ]
    return ResultData(
        questions=questions,
        marks=matrix.marks,
        letters=matrix.letters,
        choices=matrix.choices,
        times_ms=matrix.times_ms,
        groups={
            "language": _division(matrix.languages, paper.languages[0]),
            "category": _division(matrix.categories, _GENERAL),
            "pwbd": Membership(matrix.pwbd.astype(np.int8), ("no", "yes"), "no"),
        },
    )


def _question(
    column: Column,
    question: FrozenQuestion,
    item: Item,
    prior: DifficultyPrior,
    section: int,
    is_optional: bool,
) -> QuestionData:
    listed = column.choices
    options = [option for option in listed if option != question.not_attempted]
    return QuestionData(
        max_marks=float(item.marks.correct),
        wrong_marks=float(item.marks.incorrect),
        options=len(options),
        listed_options=len(listed),
        guess=column.type.guess_share(column.option_ids, question.not_attempted),
        right_option=_right_option(item, options),
        section=section,
        is_dropped=item.is_dropped,
        is_optional=is_optional,
        difficulty=prior.mean,
        difficulty_deviation=prior.deviation,
    )


def _right_option(item: Item, options: Sequence[str]) -> int:
    """The place of the only option that alone is a right answer, or -1."""
    if isinstance(item.key, Dropped):
        return -1
    right = [place for place, option in enumerate(options) if item.key.compare((option,)).is_right]
    return right[0] if len(right) == 1 else -1


def _division(labels: Labels, reference: str) -> Membership:
    return Membership(labels.places, tuple(labels.names), reference)
