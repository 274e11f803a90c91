"""Saves of many candidates in one transaction: who is answered, when, and what one request does to others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.errors import Unavailable
from app.database import create_engine
from app.models import Attempt
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.repositories.attempts.response_log import ResponseLog
from app.services import attempts
from app.services.attempts import save_batches
from app.services.attempts.save_batches import (
    CONNECTIONS,
    MAX_CONCURRENT_BATCHES,
    MAX_CONCURRENT_SINGLES,
    SaveBatches,
)
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.attempts import logged, ref_of, response, start_attempt
from tests.builders.content import PublishedTest, publish_test
from tests.services.attempts.response_logs import (
    SlowToGiveBack,
    SlowWith,
    TogetherOnly,
    WithFullDisk,
    WithoutConnection,
    WithoutOutcomes,
)
from tests.two_connections import until_waiting
from tests.waiting import PATIENCE

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
CROWD = 8
# The beginning of an id is its time, which names the partition of the log.
_COPIES = text("""
    with people as (
        insert into ias.users (id, email, name)
        select gen_random_uuid(), gen_random_uuid() || '@example.org', 'Asha Rao'
        from generate_series(1, :count)
        returning id
    )
    insert into ias.attempts
    select (jsonb_populate_record(attempts, jsonb_build_object(
        'id', left(attempts.id::text, 15) || substr(gen_random_uuid()::text, 16), 'user_id', people.id))).*
    from ias.attempts cross join people where attempts.id = :attempt_id
    returning id
""")


@dataclass(frozen=True)
class Crowd:
    """Candidates at one test, who save at the same time."""

    engine: AsyncEngine
    made: PublishedTest
    attempts: Sequence[Attempt]

    def request(self, number: int, answer: str = "a", confidence: str | None = None) -> SaveRequest:
        sent = response(self.made, 0, [answer], confidence=confidence)
        return SaveRequest(ref_of(self.attempts[number]), 1, [sent], NOW, timedelta(seconds=10))

    async def transactions(self) -> int:
        """In how many transactions the events of the crowd were stored."""
        count = text(
            "select count(distinct xmin::text) from ias.response_events where attempt_id = any(:attempts)"
        )
        async with self.engine.connect() as connection:
            found = await connection.scalar(count, {"attempts": [each.id for each in self.attempts]})
        return int(found or 0)

    async def stored(self, number: int) -> int:
        return len(await logged(self.engine, self.attempts[number].id))


@pytest.fixture
async def crowd(engine: AsyncEngine, parts: Components) -> Crowd:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        first = await start_attempt(uow, parts, made, NOW)
        return Crowd(engine, made, [first, *await copies_of(first, uow, CROWD - 1)])


async def copies_of(attempt: Attempt, uow: UnitOfWork, count: int) -> Sequence[Attempt]:
    """Attempts of other candidates that are like this one, by one statement."""
    copied = await uow.session.scalars(_COPIES, {"attempt_id": attempt.id, "count": count})
    statement = select(Attempt).where(Attempt.id.in_(copied.all()))
    return (await uow.session.scalars(statement)).all()


@pytest.fixture(params=[False, True], ids=["direct", "transaction pooler"])
async def batches(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[SaveBatches]:
    # As in a process, nothing else uses these connections: a statement whose arguments the driver refuses
    # leaves its connection without the message that ends the statement's transaction.
    engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=CONNECTIONS)
    saving = SaveBatches(ResponseLog(engine, pooled=request.param))
    yield saving
    await saving.close()
    await engine.dispose()


async def outcome_of(saving: "asyncio.Task[object]") -> object:
    async with asyncio.timeout(PATIENCE):
        return await saving


class TestBatches:
    async def test_who_comes_at_the_same_time_shares_a_transaction(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        outcomes = await asyncio.gather(*(batches.save(crowd.request(number)) for number in range(CROWD)))
        assert {outcome.decision for outcome in outcomes if outcome} == {"open"}
        assert [await crowd.stored(number) for number in range(CROWD)] == [1] * CROWD
        assert await crowd.transactions() == 1

    async def test_a_crowd_of_one_is_saved_at_once(self, crowd: Crowd, batches: SaveBatches) -> None:
        outcome = await batches.save(crowd.request(0))
        assert outcome is not None
        assert (outcome.decision, len(outcome.inserted), list(outcome.log)) == ("open", 1, [])

    async def test_nobody_waits_for_a_connection_that_is_given_back(self, crowd: Crowd) -> None:
        log = SlowToGiveBack(crowd.engine)
        batches = SaveBatches(log, longest_wait=PATIENCE)
        try:
            for number in range(MAX_CONCURRENT_BATCHES + 1):
                outcome = await batches.save(crowd.request(number))
                assert outcome is not None
                assert outcome.decision == "open"
        finally:
            log.may_give_back.set()
            await batches.close()

    async def test_what_exceeds_a_batch_goes_with_the_next_one_at_once(
        self, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(save_batches, "MAX_REQUESTS_PER_BATCH", 2)
        log = SlowWith(crowd.engine, crowd.attempts[0])
        batches = SaveBatches(log, longest_wait=PATIENCE)
        saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(3)]
        try:
            assert await outcome_of(saving[2]) is not None
            assert not saving[0].done()
        finally:
            log.may_save.set()
            await batches.close()
        assert all([await outcome_of(each) for each in saving])

    async def test_requests_of_one_attempt_are_saved_in_their_order(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        first, second = await asyncio.gather(
            batches.save(crowd.request(0, "a")), batches.save(crowd.request(0, "b"))
        )
        assert first is not None
        assert second is not None
        assert (len(first.inserted), len(second.inserted)) == (1, 0)
        assert [entry["answer"] for entry in second.log] == [["a"], ["a"]]

    async def test_a_request_is_saved_after_one_of_the_same_attempt_that_failed(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        refused = crowd.request(0, confidence="unknown to the check constraint")
        requests = [refused, refused, crowd.request(0, "a"), crowd.request(0, "b")]
        outcomes = await asyncio.gather(*map(batches.save, requests), return_exceptions=True)
        assert [type(each) for each in outcomes[:2]] == [asyncpg.CheckViolationError] * 2
        assert [len(each.inserted) for each in outcomes[2:] if isinstance(each, SaveOutcome)] == [1, 0]

    async def test_late_answers_that_are_sent_again_need_no_statement_of_their_own(
        self, crowd: Crowd
    ) -> None:
        batches = SaveBatches(TogetherOnly(crowd.engine, pooled=False))
        after = NOW + timedelta(hours=1)
        late = [replace(crowd.request(number), arrived_at=after) for number in range(CROWD)]
        for inserted in (1, 0):
            outcomes = await asyncio.gather(*map(batches.save, late))
            assert {outcome.decision for outcome in outcomes if outcome} == {"late"}
            assert [len(outcome.inserted) for outcome in outcomes if outcome] == [inserted] * CROWD
            assert {(*outcome.log,) for outcome in outcomes if outcome} == {()}
            assert [len(outcome.late) for outcome in outcomes if outcome] == [1 - inserted] * CROWD
        in_time = await batches.save(crowd.request(0))
        assert in_time is not None
        assert (len(in_time.inserted), len(in_time.log), len(in_time.late)) == (1, 0, 0)
        again = await batches.save(late[0])
        assert again is not None
        assert (len(again.inserted), len(again.log), len(again.late)) == (0, 2, 0)

    async def test_somebody_elses_attempt_is_none(self, crowd: Crowd, batches: SaveBatches) -> None:
        theirs = crowd.request(0)
        stolen = replace(theirs, attempt=replace(theirs.attempt, user_id=uuid4()))
        mine, other = await asyncio.gather(batches.save(crowd.request(1)), batches.save(stolen))
        assert mine is not None
        assert other is None
        assert await crowd.stored(0) == 0


class TestHarm:
    async def test_a_request_that_postgresql_refuses_fails_alone(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        requests = [crowd.request(number) for number in range(CROWD)]
        requests[3] = crowd.request(3, confidence="unknown to the check constraint")
        outcomes = await asyncio.gather(*map(batches.save, requests), return_exceptions=True)
        assert isinstance(outcomes[3], asyncpg.CheckViolationError)
        assert [await crowd.stored(number) for number in range(CROWD)] == [1] * 3 + [0] + [1] * (CROWD - 4)

    @pytest.mark.parametrize(
        ("answer", "revision", "error"),
        [(object(), 1, TypeError), (["a"], 2**40, asyncpg.DataError)],
        ids=["no JSON", "no integer of PostgreSQL"],
    )
    async def test_a_request_that_cannot_be_sent_to_postgresql_fails_alone(
        self, crowd: Crowd, batches: SaveBatches, answer: object, revision: int, error: type[Exception]
    ) -> None:
        requests = [crowd.request(number) for number in range(3)]
        wrong = replace(requests[1].events[0], answer=answer, revision=revision)
        requests[1] = replace(requests[1], events=[wrong])
        outcomes = await asyncio.gather(*map(batches.save, requests), return_exceptions=True)
        assert isinstance(outcomes[1], error)
        assert [await crowd.stored(number) for number in range(3)] == [1, 0, 1]

    async def test_in_an_outage_no_request_is_tried_alone(self, crowd: Crowd) -> None:
        log = WithFullDisk(crowd.engine)
        batches = SaveBatches(log)
        outcomes = await asyncio.gather(
            *(batches.save(crowd.request(number)) for number in range(CROWD)), return_exceptions=True
        )
        await batches.close()
        assert [type(outcome) for outcome in outcomes] == [asyncpg.ReadOnlySQLTransactionError] * CROWD
        assert log.alone == []

    async def test_a_batch_that_fails_at_its_outcomes_has_saved_none_of_its_requests_alone(
        self, crowd: Crowd
    ) -> None:
        log = WithoutOutcomes(crowd.engine)
        batches = SaveBatches(log)
        together = (batches.save(crowd.request(number)) for number in range(2))
        errors = await asyncio.gather(*together, return_exceptions=True)
        await batches.close()
        assert [type(each) for each in errors] == [AttributeError, AttributeError]
        assert log.alone == []

    async def test_nobody_waits_for_an_attempt_that_is_being_submitted(
        self, crowd: Crowd, batches: SaveBatches, parts: Components
    ) -> None:
        async with unit_of_work(crowd.engine) as uow:
            await attempts.submit(uow, parts, ref_of(crowd.attempts[0]), NOW)
            saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(3)]
            assert await outcome_of(saving[1]) is not None
            assert await outcome_of(saving[2]) is not None
            assert not saving[0].done()
        outcome = await saving[0]
        assert outcome is not None
        assert (outcome.decision, await crowd.stored(0)) == ("closed", 0)

    async def test_many_who_waited_for_one_lock_are_saved_together_when_it_is_released(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        async with crowd.engine.connect() as holder, holder.begin():
            ids = {"ids": [attempt.id for attempt in crowd.attempts]}
            await holder.execute(text("select from ias.attempts where id = any(:ids) for update"), ids)
            saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(CROWD)]
            await until_waiting(crowd.engine, MAX_CONCURRENT_SINGLES)
            assert not any(each.done() for each in saving)
        assert all([await outcome_of(each) for each in saving])
        assert [await crowd.stored(number) for number in range(CROWD)] == [1] * CROWD
        assert await crowd.transactions() == MAX_CONCURRENT_SINGLES + 1

    async def test_a_client_that_leaves_does_not_cancel_the_batch(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(3)]
        await asyncio.sleep(0)  # Each has put its request into the queue.
        saving[0].cancel()
        assert await outcome_of(saving[1]) is not None
        assert await outcome_of(saving[2]) is not None
        assert [await crowd.stored(number) for number in range(3)] == [1, 1, 1]

    async def test_a_shutdown_saves_what_waits(self, crowd: Crowd, batches: SaveBatches) -> None:
        saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(CROWD)]
        await asyncio.sleep(0)  # Each has put its request into the queue.
        await batches.close()
        assert all([await outcome_of(each) for each in saving])
        assert [await crowd.stored(number) for number in range(CROWD)] == [1] * CROWD

    async def test_a_full_queue_refuses_and_says_when_to_try_again(self, crowd: Crowd) -> None:
        batches = SaveBatches(ResponseLog(crowd.engine, pooled=False), most_waiting=2)
        saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(3)]
        answers = await asyncio.gather(*saving, return_exceptions=True)
        assert isinstance(answers[2], Unavailable)
        assert "Retry-After" in answers[2].headers
        assert [await crowd.stored(number) for number in range(3)] == [1, 1, 0]
        assert await batches.save(crowd.request(2)) is not None

    async def test_without_a_connection_each_request_fails_and_none_is_left(self, crowd: Crowd) -> None:
        batches = SaveBatches(WithoutConnection(crowd.engine, pooled=False), most_waiting=4)
        for _ in range(2):
            requests = [crowd.request(number) for number in (0, 0, 0, 1)]
            outcomes = await asyncio.gather(*map(batches.save, requests), return_exceptions=True)
            assert [type(each) for each in outcomes] == [ConnectionRefusedError] * 4
        await batches.close()

    async def test_a_database_that_hangs_does_not_hold_a_caller(self, crowd: Crowd) -> None:
        batches = SaveBatches(ResponseLog(crowd.engine, pooled=False), longest_wait=0.05)
        async with crowd.engine.connect() as holder, holder.begin():
            await holder.execute(text("lock table ias.response_events in exclusive mode"))
            together = (batches.save(crowd.request(number)) for number in range(3))
            told = await asyncio.gather(*together, return_exceptions=True)
            assert [type(each) for each in told] == [Unavailable] * 3
            with pytest.raises(Unavailable):
                await batches.save(crowd.request(3))
        await batches.close()
        assert await crowd.stored(4) == 0

    async def test_nobody_is_answered_whose_transaction_was_lost_before_its_commit(
        self, crowd: Crowd, batches: SaveBatches
    ) -> None:
        async with crowd.engine.connect() as holder, holder.begin():
            await holder.execute(text("lock table ias.response_events in exclusive mode"))
            saving = [asyncio.create_task(batches.save(crowd.request(number))) for number in range(3)]
            await until_waiting(crowd.engine, 1)
            assert not any(each.done() for each in saving)
            await holder.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where pg_backend_pid() = any(pg_blocking_pids(pid))"
                )
            )
            lost = await asyncio.gather(*saving, return_exceptions=True)
        assert all(isinstance(each, Exception) for each in lost)
        assert [await crowd.stored(number) for number in range(3)] == [0, 0, 0]
        again = await asyncio.gather(*(batches.save(crowd.request(number)) for number in range(3)))
        assert all(again)
