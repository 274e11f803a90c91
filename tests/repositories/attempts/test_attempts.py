"""Statements on attempts: the log and its partitions, overdue attempts, the distribution of scores."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptScope
from app.core.ids import first_uuid7, uuid7
from app.models import Attempt, ResponseEvent
from app.repositories.attempts import NewEvent, SaveRequest
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.builders.attempts import events, ref_of, response, start_attempt, until_blocking
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_request

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
GRACE = timedelta(seconds=10)
DEADLINE = NOW + timedelta(seconds=600)
TICK = timedelta(microseconds=1)


@pytest.fixture
async def made(uow: UnitOfWork) -> PublishedTest:
    return await publish_test(uow)


@pytest.fixture
async def attempt(uow: UnitOfWork, parts: Components, made: PublishedTest) -> Attempt:
    return await start_attempt(uow, parts, made, NOW)


async def change(uow: UnitOfWork, attempt: Attempt, **values: Any) -> None:
    for name, value in values.items():
        setattr(attempt, name, value)
    await uow.attempts.flush()


def request(attempt: Attempt, *sent: NewEvent, lease: int = 1, now: datetime = NOW) -> SaveRequest:
    return SaveRequest(ref_of(attempt), lease, sent, now, GRACE)


class TestSave:
    async def test_what_an_attempt_takes(
        self, uow: UnitOfWork, made: PublishedTest, attempt: Attempt
    ) -> None:
        after_grace = DEADLINE + GRACE + TICK
        for status, closed_by, now, decision, kept in (
            ("in_progress", None, NOW, "open", [False]),
            ("in_progress", None, DEADLINE, "open", [False]),
            ("in_progress", None, DEADLINE + GRACE, "open", [False]),
            ("in_progress", None, after_grace, "late", [True]),  # It is not swept yet.
            ("submitted", "deadline", after_grace, "late", [True]),
            ("graded", "deadline", after_grace, "late", [True]),
            ("submitted", "candidate", NOW, "closed", []),
            ("graded", "candidate", NOW, "closed", []),
            ("submitted", "staff", NOW, "closed", []),
            ("paused", None, NOW, "closed", []),
            ("paused", None, after_grace, "closed", []),
            ("void", None, NOW, "closed", []),
            ("void", "deadline", NOW, "closed", []),
        ):
            await change(uow, attempt, status=status, closed_by=closed_by)
            outcome = await save_request(uow, request(attempt, response(made, 0, ["a"]), now=now))
            assert outcome is not None
            assert (outcome.decision, outcome.status) == (decision, status), (closed_by, now)
            assert [row.late for row in await events(uow, attempt.id)] == kept, (status, closed_by, now)
            await uow.session.execute(delete(ResponseEvent).where(ResponseEvent.attempt_id == attempt.id))

    async def test_a_lease_must_have_been_handed_out(
        self, uow: UnitOfWork, made: PublishedTest, attempt: Attempt
    ) -> None:
        await change(uow, attempt, lease=2)
        for lease, decision, saved in ((3, "unknown_lease", 0), (1, "open", 1), (2, "open", 2)):
            outcome = await save_request(uow, request(attempt, response(made, 0, ["a"]), lease=lease))
            assert outcome is not None
            assert (outcome.decision, len(await events(uow, attempt.id))) == (decision, saved), lease

    async def test_it_must_be_this_very_attempt(
        self, uow: UnitOfWork, made: PublishedTest, attempt: Attempt
    ) -> None:
        sent = request(attempt, response(made, 0, ["a"]))
        ref = sent.attempt
        for other in (
            replace(ref, id=uuid4()),
            replace(ref, user_id=uuid4()),
            replace(ref, scope=AttemptScope(uuid4())),
            replace(ref, scope=replace(ref.scope, exam_paper_id=uuid4())),
        ):
            assert await save_request(uow, replace(sent, attempt=other)) is None, other
        assert await events(uow, attempt.id) == []

    @pytest.mark.parametrize("answer", [["a"], ["b", "a"], "3.14", "null", None])
    async def test_answers_are_kept_as_given(
        self, uow: UnitOfWork, made: PublishedTest, attempt: Attempt, answer: Any
    ) -> None:
        sent = response(
            made, 0, answer, marked_for_review=True, time_spent_ms=7, confidence="guess", language="en"
        )
        await save_request(uow, request(attempt, sent))
        [row] = await events(uow, attempt.id)
        kept = NewEvent(
            row.question_id,
            row.revision,
            row.answer,
            row.marked_for_review,
            row.time_spent_ms,
            row.confidence,
            row.language,
        )
        assert kept == sent
        cleared = select(func.count()).where(
            ResponseEvent.attempt_id == attempt.id, ResponseEvent.answer.is_(None)
        )
        assert await uow.session.scalar(cleared) == (answer is None)


class TestTimeSpent:
    async def test_devices_count_up_within_a_lease_and_leases_add_up(
        self, uow: UnitOfWork, made: PublishedTest, attempt: Attempt
    ) -> None:
        await change(uow, attempt, lease=2)
        for lease, revision, spent in [(1, 1, 100), (1, 3, 900), (1, 2, 400), (2, 1, 50)]:
            sent = response(made, 0, ["a"], revision, time_spent_ms=spent)
            await save_request(uow, request(attempt, sent, lease=lease))
        late = response(made, 0, ["a"], 9, time_spent_ms=5000)
        await save_request(uow, request(attempt, late, lease=2, now=DEADLINE + timedelta(hours=1)))
        logs = (await uow.attempt_reviews.question_logs([attempt.id]))[attempt.id]
        assert {question: log.time_spent_ms for question, log in logs.items()} == {made.question_ids[0]: 950}


class TestCloseOverdue:
    @pytest.mark.parametrize(
        ("state", "now", "closed"),
        [
            pytest.param({}, DEADLINE + GRACE, False, id="in grace"),
            pytest.param({}, DEADLINE + GRACE + TICK, True, id="after grace"),
            pytest.param({"status": "paused"}, DEADLINE + timedelta(days=1), False, id="paused"),
            pytest.param(
                {"status": "graded", "closed_by": "candidate"},
                DEADLINE + timedelta(days=1),
                False,
                id="graded",
            ),
        ],
    )
    async def test_which_are_closed(
        self, uow: UnitOfWork, attempt: Attempt, state: dict[str, Any], now: datetime, closed: bool
    ) -> None:
        await change(uow, attempt, **state)
        assert (attempt.id in await uow.attempts.close_overdue(now, GRACE, 5000)) is closed

    async def test_they_end_at_their_deadline(self, uow: UnitOfWork, attempt: Attempt) -> None:
        await uow.attempts.close_overdue(DEADLINE + timedelta(hours=3), GRACE, 5000)
        await uow.session.refresh(attempt)
        assert (attempt.status, attempt.closed_by, attempt.submitted_at) == (
            "submitted",
            "deadline",
            DEADLINE,
        )

    async def test_the_longest_overdue_come_first(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        long_ago = datetime(2001, 1, 1, tzinfo=UTC)
        ids = [
            (await start_attempt(uow, parts, made, long_ago + timedelta(days=day))).id for day in (2, 0, 1)
        ]
        assert set(await uow.attempts.close_overdue(NOW, GRACE, 2)) == {ids[1], ids[2]}
        assert ids[0] in await uow.attempts.close_overdue(NOW, GRACE, 1)


class TestHistogram:
    async def test_equal_scores_are_counted_together(self, uow: UnitOfWork) -> None:
        cohort = uuid4()
        third = Fraction(10**30 + 1, 3)
        for score in (Fraction(4, 3), Fraction(-2, 3), Fraction(8, 6), third):
            await uow.grading.count_scores({(cohort, score): 1})
        assert await uow.attempts.histogram(cohort) == {Fraction(4, 3): 2, Fraction(-2, 3): 1, third: 1}
        assert await uow.attempts.histogram(uuid4()) == {}


class TestEnsurePartitions:
    @pytest.mark.parametrize(
        ("started_at", "partition"),
        [
            (datetime(2031, 10, 31, 23, 59, 59, 999_000, tzinfo=UTC), "response_events_default"),
            (datetime(2031, 11, 1, tzinfo=UTC), "response_events_2031_11"),
            (datetime(2031, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), "response_events_2031_12"),
            (datetime(2032, 1, 1, tzinfo=UTC), "response_events_2032_01"),
            (datetime(2032, 2, 1, tzinfo=UTC), "response_events_default"),
        ],
    )
    async def test_a_month_is_what_starts_in_it(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest, started_at: datetime, partition: str
    ) -> None:
        await uow.attempts.ensure_partitions(datetime(2031, 11, 30, 12, tzinfo=UTC))
        attempt = await start_attempt(uow, parts, made, started_at)
        await save_request(uow, request(attempt, response(made, 0, ["a"]), now=started_at))
        assert await where(uow, attempt.id) == partition

    async def test_again_is_harmless(self, uow: UnitOfWork) -> None:
        for _ in range(2):
            await uow.attempts.ensure_partitions(datetime(2033, 1, 1, tzinfo=UTC))
        assert await partitions(uow, "2033") == {"2033_01", "2033_02", "2033_03"}

    async def test_two_at_once_make_each_once(self, engine: AsyncEngine) -> None:
        start = datetime(2034, 1, 1, tzinfo=UTC)

        async def ensure() -> None:
            async with unit_of_work(engine) as uow:
                await uow.attempts.ensure_partitions(start)

        async with unit_of_work(engine) as uow:
            await uow.attempts.ensure_partitions(start)
            other = asyncio.create_task(ensure())
            await until_blocking(engine, uow)
        await other
        async with reading(engine) as reads:
            assert await partitions(reads, "2034") == {"2034_01", "2034_02", "2034_03"}

    async def test_a_month_that_has_begun_in_the_default_stays_there(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        """The worker was down for months: saving went on, and the months to come get their partitions."""
        begun = datetime(2035, 1, 31, tzinfo=UTC)
        attempt = await start_attempt(uow, parts, made, begun)
        await save_request(uow, request(attempt, response(made, 0, ["a"]), now=begun))
        await uow.attempts.ensure_partitions(begun)
        assert await partitions(uow, "2035") == {"2035_02", "2035_03"}
        assert await where(uow, attempt.id) == "response_events_default"

    async def test_it_gives_up_rather_than_hold_up_saves(self, engine: AsyncEngine, uow: UnitOfWork) -> None:
        """A backup reads every table for long; who waits for it to end makes every save wait behind."""
        async with engine.connect() as backup:
            await backup.execute(text("lock table ias.response_events_default in access share mode"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await uow.attempts.ensure_partitions(datetime(2036, 1, 1, tzinfo=UTC))

    def test_bounds_are_ids(self) -> None:
        assert first_uuid7(NOW) <= uuid7(NOW) < first_uuid7(NOW + timedelta(milliseconds=1))


async def where(uow: UnitOfWork, attempt_id: UUID) -> str:
    """The partition that holds an attempt's log."""
    statement = text(
        "select distinct tableoid::regclass::text from ias.response_events where attempt_id = :id"
    )
    return str(await uow.session.scalar(statement, {"id": attempt_id})).removeprefix("ias.")


async def partitions(reads: Any, year: str) -> set[str]:
    statement = text(
        "select relid::text from pg_partition_tree('ias.response_events') where relid::text like :pattern"
    )
    names = await reads.session.scalars(statement, {"pattern": f"%\\_{year}\\_%"})
    return {name.rpartition("response_events_")[2] for name in names}
