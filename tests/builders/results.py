"""Many graded attempts at a test as rows, marked by its key. Over HTTP they would take minutes."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from app.core.ids import uuid7
from app.engine.answers import answer_of
from app.models import Attempt, AttemptFigures, KeyVersion, Paper, Result, User
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from tests.builders.content import PublishedTest

GRADED_AT = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


async def add_results(
    uow: UnitOfWork,
    parts: Components,
    made: PublishedTest,
    sheets: Sequence[Sequence[Any]],
    *,
    exam_paper_id: UUID | None = None,
    categories: Sequence[str] = ("general",),
    languages: Sequence[str | None] = (),
    times_ms: Sequence[int] | None = None,
) -> list[UUID]:
    """A first official result of a new candidate for each sheet of answers, in the order of the paper.

    Categories and languages are repeated. With `times_ms` everybody has these times.
    """
    paper = (await uow.session.scalars(select(Paper).where(Paper.test_id == made.id))).one()
    stored = (await uow.session.scalars(select(KeyVersion).where(KeyVersion.paper_id == paper.id))).one()
    key = await parts.papers.key(uow, stored.id)
    scores: Counter[tuple[UUID, Fraction]] = Counter()
    users, attempts, results, figures = [], [], [], []
    for number, answers in enumerate(sheets):
        user_id, attempt_id = uuid4(), uuid7()
        sheet = key.grader.grade([answer_of(answer) for answer in answers])
        cohort_id = exam_paper_id or key.cohort_id
        scores[cohort_id, sheet.score] += 1
        users.append(
            User(
                id=user_id,
                email=f"{user_id.hex}@example.org",
                name="Asha Rao",
                category=categories[number % len(categories)],
            )
        )
        attempts.append(
            Attempt(
                id=attempt_id,
                test_id=made.id,
                paper_id=paper.id,
                exam_paper_id=exam_paper_id,
                user_id=user_id,
                number=1,
                practice=False,
                status="graded" if exam_paper_id is None else "submitted",
                seed=1,
                started_at=GRADED_AT - timedelta(hours=1),
                deadline_at=GRADED_AT,
                submitted_at=GRADED_AT,
            )
        )
        results.append(
            Result(
                attempt_id=attempt_id,
                cohort_id=cohort_id,
                user_id=user_id,
                counted=True,
                key_id=key.id,
                score_numerator=sheet.score.numerator,
                score_denominator=sheet.score.denominator,
                raw_numerator=sheet.raw.numerator,
                raw_denominator=sheet.raw.denominator,
                answers=list(answers),
                outcomes=sheet.outcomes,
                marks=sheet.marks,
                marks_denominator=sheet.denominator,
                graded_at=GRADED_AT,
            )
        )
        if languages or times_ms is not None:
            figures.append(
                AttemptFigures(
                    attempt_id=attempt_id,
                    key_id=key.id,
                    spent_ms=None if times_ms is None else list(times_ms),
                    confidence="-" * len(answers),
                    language=languages[number % len(languages)] if languages else None,
                    right_to_wrong=0,
                    wrong_to_right=0,
                    wrong_to_wrong=0,
                    net_marks=0,
                    subject_ids=[],
                    sums=[],
                    denominator=1,
                )
            )
    for rows in (users, attempts, results, figures):
        uow.session.add_all(rows)
        await uow.session.flush()
    await uow.grading.count_scores(scores)
    return [attempt.id for attempt in attempts]


def simulated_sheets(
    keys: Sequence[str], candidates: int, seed: int = 1, blank: float = 0.1
) -> list[list[list[str] | None]]:
    """Answers of candidates whose abilities differ, to questions with the options a to d."""
    chance = random.Random(seed)
    sheets = []
    for _ in range(candidates):
        ability = chance.gauss(0.55, 0.2)
        sheet: list[list[str] | None] = []
        for key in keys:
            if chance.random() < blank:
                sheet.append(None)
            elif chance.random() < ability:
                sheet.append([key])
            else:
                sheet.append([chance.choice([option for option in "abcd" if option != key])])
        sheets.append(sheet)
    return sheets
