"""Builders of analytics: figures as the worker's task would store them, and stored statistics."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, ItemParameters, PaperStatistics, Result
from app.services.analytics import figures
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.content import PublishedTest

NOW = datetime(2026, 6, 7, tzinfo=UTC)


async def calculate(engine: AsyncEngine, parts: Components, user_id: UUID) -> None:
    """Store the figures of all graded attempts of a person."""
    async with unit_of_work(engine) as uow:
        statement = select(Attempt.id).where(Attempt.user_id == user_id)
        await figures.calculate(uow, parts, (await uow.session.scalars(statement)).all())


async def add_statistics(uow: UnitOfWork, attempt_id: UUID, **changes: Any) -> PaperStatistics:
    """Statistics of 200 participants for the test of a graded attempt."""
    attempt = await uow.session.get_one(Attempt, attempt_id)
    result = await uow.session.get_one(Result, attempt_id)
    count = len(result.outcomes)
    fields: dict[str, Any] = {
        "cohort_id": result.cohort_id,
        "paper_id": attempt.paper_id,
        "test_id": attempt.test_id,
        "key_id": result.key_id,
        "participants": 200,
        "right_answers": 200,
        "attempts": 200,
        "computed_at": NOW,
        "mean": 2.0,
        "standard_deviation": 2.0,
        "alpha": 0.75,
        "standard_error": 1.0,
        "median_ms": [60_000] * count,
        "option_counts": [[100, 60, 20, 2, 18, 0]] * count,
        "analysis": {},
    }
    statistics = PaperStatistics(**fields | changes)
    uow.session.add(statistics)
    await uow.session.flush()
    return statistics


async def add_parameters(
    uow: UnitOfWork, made: PublishedTest, attempt_id: UUID, difficulties: Sequence[float]
) -> None:
    """Calibrated parameters of the questions of a test."""
    attempt = await uow.session.get_one(Attempt, attempt_id)
    result = await uow.session.get_one(Result, attempt_id)
    for question_id, difficulty in zip(made.question_ids, difficulties, strict=True):
        uow.session.add(
            ItemParameters(
                question_id=question_id,
                question_version=1,
                model="1pl",
                difficulty=difficulty,
                difficulty_error=0.1,
                discrimination=1.0,
                discrimination_error=0.1,
                guessing=0.0,
                guessing_error=0.1,
                answers=500,
                cohort_id=result.cohort_id,
                paper_id=attempt.paper_id,
                computed_at=NOW,
            )
        )
    await uow.session.flush()
