"""Figures of graded attempts: from result and log, after a regrade, and while a result is withdrawn."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.attempt_figures import SubjectSums, sums_by_subject
from app.models import Attempt, AttemptFigures, Job
from app.services import attempts
from app.services.analytics import figures, taking_in
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.builders.attempts import add_candidate, graded_attempt, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, add_questions, add_subject, publish_for, publish_test
from tests.builders.exams import MINUTE, body_of, hold_exam, register
from tests.builders.key_versions import correct
from tests.builders.people import People
from tests.builders.saves import save_uncommitted
from tests.conftest import TestClock
from tests.two_connections import overlap

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


async def row_of(uow: UnitOfWork, attempt_id: UUID) -> dict[str, Any] | None:
    """The row of an attempt as the database has it."""
    statement = select(AttemptFigures).where(AttemptFigures.attempt_id == attempt_id)
    row = (await uow.session.scalars(statement.execution_options(populate_existing=True))).one_or_none()
    columns = AttemptFigures.__table__.columns
    return {column.name: getattr(row, column.name) for column in columns} if row else None


async def answered_on_two_devices(uow: UnitOfWork, parts: Components, made: PublishedTest) -> Attempt:
    """Question 3 first, then question 1 wrong and on a second device right; both questions 1 and 2 timed."""
    candidate = await add_candidate(uow)
    attempt = await start_attempt(uow, parts, made, NOW, candidate)
    first = target_of(attempt)
    await save_uncommitted(uow, parts, first, [response(made, 2, ["c"], time_spent_ms=4_000)], NOW)
    wrong = response(made, 0, ["b"], time_spent_ms=30_000, confidence="guess", language="en")
    await save_uncommitted(uow, parts, first, [wrong], NOW + timedelta(seconds=30))
    resumed = await start_attempt(uow, parts, made, LATER, candidate)
    right = response(made, 0, ["a"], time_spent_ms=9_000, confidence="sure", language="hi")
    doubtful = response(made, 1, ["d"], time_spent_ms=700, confidence="doubtful", language="hi")
    await save_uncommitted(uow, parts, target_of(resumed), [right, doubtful], LATER)
    return await attempts.submit(uow, parts, ref_of(attempt), LATER)


class TestCalculate:
    async def test_from_result_and_log(self, uow: UnitOfWork, parts: Components) -> None:
        polity = await add_subject(uow)
        made = await publish_test(uow, languages=["en", "hi"])
        attempt = await answered_on_two_devices(uow, parts, made)
        jobs = await uow.session.scalars(select(Job).where(Job.task == "calculate_user_analytics"))
        assert {"attempt_ids": [str(attempt.id)]} in [job.arguments for job in jobs]
        assert await figures.calculate(uow, parts, [attempt.id]) == 1
        row = await row_of(uow, attempt.id)
        assert row is not None
        assert row["spent_ms"] == [39_000, 700, 4_000]
        assert row["answered_order"] == [2, 3, 1]
        assert (row["confidence"], row["language"]) == ("sd-", "hi")
        assert (row["right_to_wrong"], row["wrong_to_right"], row["wrong_to_wrong"]) == (0, 1, 0)
        assert Fraction(row["net_marks"], row["denominator"]) == Fraction(8, 3)
        sums = sums_by_subject(row["subject_ids"], row["sums"])
        assert list(sums.values()) == [SubjectSums(3, 2, 1, 0, 12, 2, 18, 43_700)]
        assert polity.id not in sums

        assert await figures.calculate(uow, parts, [attempt.id]) == 1
        assert await row_of(uow, attempt.id) == row

    async def test_again_by_another_key(self, uow: UnitOfWork, parts: Components) -> None:
        made = await publish_test(uow, languages=["en", "hi"])
        attempt = await answered_on_two_devices(uow, parts, made)
        await figures.calculate(uow, parts, [attempt.id])
        await correct(uow, attempt.paper_id, made.question_ids[0], "b")
        await attempts.withdraw_results(uow, [attempt.id])
        assert await row_of(uow, attempt.id) is None
        assert await figures.calculate(uow, parts, [attempt.id]) == 0
        attempt.status = "submitted"
        await uow.attempts.flush()
        await attempts.grade_batch(uow, parts, [attempt.id], LATER)
        await figures.calculate(uow, parts, [attempt.id])
        row = await row_of(uow, attempt.id)
        assert row is not None
        assert (row["right_to_wrong"], row["wrong_to_right"]) == (1, 0)
        assert Fraction(row["net_marks"], row["denominator"]) == Fraction(-8, 3)
        assert (await uow.session.get_one(AttemptFigures, attempt.id)).key_id == (
            await uow.keys.current(attempt.paper_id)
        ).id

    async def test_a_hundred_questions_are_small(self, uow: UnitOfWork, parts: Components) -> None:
        """Of eight subjects, all answered, with times of minutes."""
        ids = [
            question_id
            for _ in range(8)
            for question_id in await add_questions(uow, [["a"]] * 13, subject=await add_subject(uow))
        ][:100]
        made = await publish_test(uow, same_as=PublishedTest(UUID(int=0), ids))
        answers = {position: ["a" if position % 2 else "b"] for position in range(100)}
        attempt = await graded_attempt(
            uow, parts, await add_candidate(uow), made, answers, NOW, time_spent_ms=123_456
        )
        await figures.calculate(uow, parts, [attempt.id])
        size = "select pg_column_size(attempt_figures.*) from ias.attempt_figures where attempt_id = :id"
        assert await uow.session.scalar(text(size), {"id": attempt.id}) < 1_500


async def test_a_voiding_at_the_same_moment(engine: AsyncEngine, parts: Components) -> None:
    """Whichever is first, an attempt without a result has no figures."""

    async def graded() -> Attempt:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            return await graded_attempt(uow, parts, await add_candidate(uow), made, {0: ["a"]}, NOW)

    for figures_first in (True, False):
        attempt = await graded()

        async def calculate(uow: UnitOfWork, attempt: Attempt = attempt) -> int:
            return await figures.calculate(uow, parts, [attempt.id])

        async def withdraw(uow: UnitOfWork, attempt: Attempt = attempt) -> int:
            await uow.attempts.lock(ref_of(attempt))
            return len(await attempts.withdraw_results(uow, [attempt.id]))

        order = (calculate, withdraw) if figures_first else (withdraw, calculate)
        both = await overlap(engine, *order)
        assert both.first.error is None
        assert both.second.error is None
        assert both.waited
        assert both.second.value == (1 if figures_first else 0)
        async with reading(engine) as reads:
            assert await reads.session.get(AttemptFigures, attempt.id) is None


async def test_a_release_requests_what_was_withheld(
    engine: AsyncEngine, people: People, author: httpx.AsyncClient, parts: Components, clock: TestClock
) -> None:
    """One attempt has figures since its grading, the other none. Once ratings have both, nothing waits."""
    held = await hold_exam(author, await publish_for(engine, author), starts_at=clock.now() - MINUTE)
    ids = []
    for _ in range(2):
        entrant = await register(await people.candidate(), held)
        body_of(await entrant.enter())
        body_of(await entrant.submit())
        ids.append(UUID(entrant.attempt["id"]))
    async with unit_of_work(engine) as uow:
        await attempts.grade_batch(uow, parts, ids, clock.now())
        await figures.calculate(uow, parts, ids[:1])
    await held.release()
    exam_id = UUID(held.exam["id"])
    async with unit_of_work(engine) as uow:
        statement = select(Job.arguments).where(Job.task == "request_exam_analytics")
        assert {"exam_id": str(exam_id)} in (await uow.session.scalars(statement)).all()
        assert await figures.request_of_exam(uow, exam_id) == 2
        await uow.session.flush()
        for task, attempt_id in (("take_in_attempts", ids[0]), ("calculate_user_analytics", ids[1])):
            jobs = await uow.session.scalars(select(Job.arguments).where(Job.task == task))
            assert {"attempt_ids": [str(attempt_id)]} in jobs.all()
        await figures.calculate(uow, parts, ids)
        await taking_in.take_in(uow, parts, ids)
        assert await figures.request_of_exam(uow, exam_id) == 0
