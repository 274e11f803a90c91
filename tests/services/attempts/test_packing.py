"""The logs of old attempts are packed: every reader gets the same as before (docs/decisions/0093)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import first_uuid7, uuid7
from app.core.saving_errors import AttemptNotInProgress
from app.models import Attempt, AttemptStatus, LoggedEvent, PackedLog, ResponseEvent
from app.repositories.attempts.packed_logs import PackedLogDiffers
from app.services import attempts
from app.services.attempts import response_sheets
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, reading, unit_of_work
from tests.builders.attempts import add_candidate, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.two_connections import overlap

NOW = datetime.fromisoformat("2026-06-07T04:00:00.123456+00:00")
TICK = timedelta(microseconds=1)
LATER = NOW + timedelta(days=1)


@pytest.fixture
async def made(uow: UnitOfWork) -> PublishedTest:
    return await publish_test(uow, [["a"], ["b"], ["c"]])


async def graded(uow: UnitOfWork, parts: Components, made: PublishedTest) -> Attempt:
    """A graded attempt whose log has every kind of event: changed, cleared, late, of two leases."""
    attempt = await start_attempt(uow, parts, made, NOW, await add_candidate(uow))
    sent = [
        response(made, 2, ["c"], confidence="sure", language="en", time_spent_ms=4000),
        response(made, 0, ["b"], confidence="doubtful", marked_for_review=True),
    ]
    await save_uncommitted(uow, parts, target_of(attempt), sent, NOW + TICK)
    await uow.starts.next_leases([(attempt, "another phone")], NOW)
    changed = [response(made, 0, ["a"], confidence="guess"), response(made, 2, None, 2, language="en")]
    await save_uncommitted(uow, parts, target_of(attempt), changed, NOW + 3 * TICK)
    attempt = await attempts.submit(uow, parts, ref_of(attempt), NOW + 4 * TICK)
    late = {"attempt_id": attempt.id, "question_id": made.question_ids[1], "lease": 1, "revision": 1}
    uow.session.add(ResponseEvent(**late, answer=["b"], late=True, received_at=NOW + 5 * TICK))
    await uow.session.flush()
    return attempt


async def rows_of(reads: Reading, attempt_id: UUID) -> list[tuple[Any, ...]]:
    """All that the log has of an attempt, through the view."""
    columns = [column.name for column in ResponseEvent.__table__.columns]
    asked = select(*(getattr(LoggedEvent, name) for name in columns))
    order = LoggedEvent.question_id, LoggedEvent.lease, LoggedEvent.revision
    found = await reads.session.execute(asked.where(LoggedEvent.attempt_id == attempt_id).order_by(*order))
    return [tuple(row) for row in found]


async def events_left(reads: Reading, attempt_ids: Sequence[UUID]) -> int:
    asked = select(func.count()).select_from(ResponseEvent).where(ResponseEvent.attempt_id.in_(attempt_ids))
    return int(await reads.session.scalar(asked) or 0)


async def pack(uow: UnitOfWork, attempt: Attempt, after: timedelta = timedelta(days=1)) -> int:
    """Pack this attempt alone, so long after its start. Other tests have attempts in the same database."""
    before = datetime.fromtimestamp((attempt.id.int >> 80) / 1000, UTC) + after
    count, _ = await attempts.pack_batch(uow, UUID(int=attempt.id.int - 1), before)
    return count


async def packed(engine: AsyncEngine, parts: Components, closed_by: str) -> tuple[PublishedTest, Attempt]:
    """A test, and a committed attempt at it whose log is packed."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [["a"], ["b"], ["c"]])
        attempt = await graded(uow, parts, made)
        values = {"closed_by": closed_by, "submitted_at": NOW}
        await uow.session.execute(update(Attempt).where(Attempt.id == attempt.id).values(values))
        await pack(uow, attempt)
    return made, attempt


class TestPackBatch:
    async def test_every_reader_gets_the_same_as_before(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await graded(uow, parts, made)

        async def read() -> list[Any]:
            sheet = await response_sheets.compose(uow, parts, attempt)
            return [
                await rows_of(uow, attempt.id),
                [tuple(row) for row in await uow.attempt_records.log(attempt.id)],
                sheet.entries,
                [(row.question_id, row.answer) for row in await uow.attempts.standing(attempt.id)],
                await uow.figures.logs([attempt.id]),
                await uow.attempt_reviews.answer_counts([attempt.id]),
                await uow.activity.last_saves([attempt.id]),
            ]

        before = await read()
        assert len(before[0]) == 5
        assert await pack(uow, attempt) == 1
        uow.session.expunge_all()
        assert await events_left(uow, [attempt.id]) == 0
        assert await read() == before

    async def test_packs_again_what_came_since_but_no_late_copies(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await graded(uow, parts, made)
        before = await rows_of(uow, attempt.id)
        await pack(uow, attempt)
        for number, revision in ((0, 1), (0, 7)):
            event = {"attempt_id": attempt.id, "question_id": made.question_ids[number], "lease": 1}
            uow.session.add(ResponseEvent(**event, revision=revision, answer=["b"], late=True))
        await uow.session.flush()
        assert await pack(uow, attempt) == 1
        assert await events_left(uow, [attempt.id]) == 0
        after = await rows_of(uow, attempt.id)
        assert [row for row in after if row[3] != 7] == before
        assert len(after) == len(before) + 1

    async def test_packs_what_is_late_once_more(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await graded(uow, parts, made)
        await pack(uow, attempt)
        before = await rows_of(uow, attempt.id)
        again = {"attempt_id": attempt.id, "question_id": made.question_ids[1], "lease": 1, "revision": 1}
        uow.session.add(ResponseEvent(**again, answer=["b"], late=True, received_at=LATER))
        await uow.session.flush()
        assert await pack(uow, attempt) == 1
        assert await rows_of(uow, attempt.id) == before

    @pytest.mark.parametrize(
        "status", [AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED, AttemptStatus.SUBMITTED]
    )
    async def test_leaves_what_may_be_graded_again(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest, status: str
    ) -> None:
        attempt = await graded(uow, parts, made)
        await uow.session.execute(update(Attempt).where(Attempt.id == attempt.id).values(status=status))
        assert await pack(uow, attempt) == 0
        assert await events_left(uow, [attempt.id]) == 5

    async def test_leaves_what_is_not_a_week_old(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await graded(uow, parts, made)
        assert await pack(uow, attempt, timedelta()) == 0
        assert await events_left(uow, [attempt.id]) == 5

    async def test_a_log_that_would_not_read_back_is_refused(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await graded(uow, parts, made)
        stranger = {"attempt_id": attempt.id, "question_id": uuid7(), "lease": 1, "revision": 1}
        uow.session.add(ResponseEvent(**stranger, answer=["a"]))
        await uow.session.flush()
        with pytest.raises(PackedLogDiffers):
            await uow.packed_logs.pack([attempt.id])

    async def test_answers_that_come_after_it_are_refused(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        made, attempt = await packed(engine, parts, "deadline")
        async with reading(engine) as reads:
            before = await rows_of(reads, attempt.id)
        sent = [response(made, 1, ["b"], 9)]
        with pytest.raises(AttemptNotInProgress):
            await attempts.save_and_commit(parts, target_of(attempt), sent, LATER)
        async with reading(engine) as reads:
            assert await rows_of(reads, attempt.id) == before

    @pytest.mark.parametrize("closed_by", ["candidate", "deadline"])
    async def test_answers_that_are_sent_again_are_known_as_before(
        self, engine: AsyncEngine, parts: Components, closed_by: str
    ) -> None:
        made, attempt = await packed(engine, parts, closed_by)
        sent = [
            response(made, 0, ["a"], confidence="guess"),
            response(made, 1, ["b"]),
            response(made, 2, None, 2, language="en"),
            response(made, 2, ["d"], 3),
        ]
        with pytest.raises(AttemptNotInProgress) as refused:
            await attempts.save_and_commit(parts, target_of(attempt, lease=2), sent, LATER)
        assert refused.value.members["known"] == 2
        async with reading(engine) as reads:
            assert await events_left(reads, [attempt.id]) == 0

    async def test_goes_with_its_attempt(
        self, uow: UnitOfWork, parts: Components, made: PublishedTest
    ) -> None:
        attempt = await graded(uow, parts, made)
        await pack(uow, attempt)
        await uow.session.execute(text("delete from ias.attempts where id = :id"), {"id": attempt.id})
        asked = select(PackedLog).where(PackedLog.attempt_id == attempt.id)
        assert (await uow.session.scalars(asked)).all() == []


class TestDropIfEmpty:
    async def test_drops_an_old_partition_only_without_events(self, uow: UnitOfWork) -> None:
        january, february = (datetime(2020, month, 1, tzinfo=UTC) for month in (1, 2))
        await uow.attempts.ensure_partitions(january, months=2)
        event = {"attempt_id": first_uuid7(february), "question_id": uuid7(), "lease": 1, "revision": 1}
        uow.session.add(ResponseEvent(**event, answer=["a"]))
        await uow.session.flush()
        for name in ("response_events_2020_01", "response_events_2020_02"):
            await uow.packed_logs.drop_if_empty(name)
        left = [name for name in await uow.packed_logs.partitions() if "_2020_" in name]
        assert left == ["response_events_2020_02"]


class TestTogetherWithASave:
    async def test_a_late_answer_waits_and_is_kept_beside_the_packed_ones(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, [["a"], ["b"], ["c"]])
            attempt = await graded(uow, parts, made)
            values = {"closed_by": "deadline", "submitted_at": NOW, "deadline_at": NOW}
            await uow.session.execute(update(Attempt).where(Attempt.id == attempt.id).values(values))
            before = await rows_of(uow, attempt.id)

        async def save(uow: UnitOfWork) -> object:
            sent = [response(made, 1, ["c"], 9)]
            return await save_uncommitted(uow, parts, target_of(attempt), sent, LATER)

        both = await overlap(engine, lambda uow: pack(uow, attempt), save)
        assert (both.waited, both.first.result()) == (True, 1)
        async with unit_of_work(engine) as uow:
            assert len(await rows_of(uow, attempt.id)) == len(before) + 1
            assert await pack(uow, attempt) == 1
            assert await events_left(uow, [attempt.id]) == 0
            after = await rows_of(uow, attempt.id)
        assert [row for row in after if row[3] != 9] == before
