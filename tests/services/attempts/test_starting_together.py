"""Starts of many candidates in one transaction: who gets an attempt, and who is left to `start`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptScope
from app.models import AttemptLease, Role
from app.repositories.users import Enrolment
from app.services import attempts
from app.services.attempts import StartedAttempt, StartRequest
from app.services.attempts.starting_together import lock_starters, resume_or_start
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Account, Principal
from tests.builders.attempts import add_candidate, ref_of, response, target_of, until_blocking
from tests.builders.content import PublishedTest, publish_test


@dataclass(frozen=True)
class Hall:
    """A test, candidates who start it, and the time."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    candidates: Sequence[Principal]
    now: datetime

    def request(
        self, candidate: Principal, email: str | None = None, device: str = "Pixel 9"
    ) -> StartRequest:
        account = Account(candidate.id, email or candidate.email, "", self.now)
        return StartRequest(account, candidate.session_id, device, self.now)

    async def start(self, candidate: Principal, email: str | None = None) -> StartedAttempt | None:
        return await attempts.start_together(self.parts, self.made.id, self.request(candidate, email))

    async def start_all(self) -> list[StartedAttempt | None]:
        return list(await asyncio.gather(*map(self.start, self.candidates)))

    async def resume(self, *devices: str) -> list[StartedAttempt | None]:
        """The first candidates start on these devices, at the same moment."""
        requests = [
            self.request(candidate, device=device)
            for candidate, device in zip(self.candidates, devices, strict=False)
        ]
        start = partial(attempts.start_together, self.parts, self.made.id)
        return list(await asyncio.gather(*map(start, requests)))

    async def leases(self, started: StartedAttempt | None) -> list[tuple[int, str | None]]:
        """The leases of an attempt and their devices, as they are stored."""
        assert started is not None
        statement = select(AttemptLease).where(AttemptLease.attempt_id == started.attempt.id)
        async with reading(self.engine) as reads:
            rows = await reads.session.scalars(statement.order_by(AttemptLease.lease))
            return [(row.lease, row.device) for row in rows]

    async def transactions(self) -> int:
        query = text("select count(distinct xmin::text) from ias.attempts where test_id = :id")
        async with self.engine.connect() as connection:
            return int(await connection.scalar(query, {"id": self.made.id}) or 0)


@pytest.fixture
async def hall(engine: AsyncEngine, parts: Components) -> Hall:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, attempts_allowed=2)
        candidates = [await add_candidate(uow) for _ in range(5)]
    return Hall(engine, parts, made, candidates, parts.clock.now())


class TestCrowd:
    async def test_all_start_in_one_transaction(self, hall: Hall) -> None:
        started = await hall.start_all()
        assert await hall.transactions() == 1
        async with unit_of_work(hall.engine) as uow:
            for candidate, each in zip(hall.candidates, started, strict=True):
                assert each is not None
                assert each.is_new
                again = await attempts.start(uow, hall.parts, candidate, hall.made.id, None, hall.now)
                assert (again.is_new, again.attempt.id) == (False, each.attempt.id)
                assert (again.attempt.lease, again.attempt.number) == (2, 1)
                assert again.question_order == each.question_order
                assert again.attempt.deadline_at == each.attempt.deadline_at

    async def test_a_second_start_of_a_person_is_left(self, hall: Hall) -> None:
        [candidate, *_] = hall.candidates
        both = await asyncio.gather(hall.start(candidate), hall.start(candidate))
        assert [each is not None for each in both] == [True, False]

    async def test_a_new_address_counts_if_the_request_that_has_it_is_the_first(self, hall: Hall) -> None:
        [candidate, *_] = hall.candidates
        both = await asyncio.gather(hall.start(candidate, "new@example.org"), hall.start(candidate))
        assert [each is not None for each in both] == [False, False]

    async def test_one_who_is_locked_is_left_and_the_others_start(self, hall: Hall) -> None:
        [locked, *others] = hall.candidates
        async with unit_of_work(hall.engine) as uow:
            await attempts.lock_candidate(uow, locked.id)
            started = await hall.start_all()
        assert [each is not None for each in started] == [False] + [True] * len(others)

    async def test_staff_strangers_the_banned_and_new_addresses_are_left(self, hall: Hall) -> None:
        staff, banned, moved, stranger, plain = hall.candidates
        async with unit_of_work(hall.engine) as uow:
            await uow.users.set_role(staff.id, Role.AUTHOR, hall.now)
            await uow.users.change(banned.id, {"active": False})
            await uow.session.execute(
                text("delete from ias.memberships where user_id = :id"), {"id": stranger.id}
            )
        started = await asyncio.gather(
            *map(hall.start, (staff, banned, stranger, plain)), hall.start(moved, "new@example.org")
        )
        assert [each is not None for each in started] == [False, False, False, True, False]

    async def test_a_batch_that_postgresql_refuses_is_left(self, hall: Hall) -> None:
        refused = hall.request(hall.candidates[0], device="not \0 storable")
        request = attempts.start_together(hall.parts, hall.made.id, refused)
        assert await asyncio.gather(request, *map(hall.start, hall.candidates[1:])) == [None] * 5
        assert all(await asyncio.gather(*map(hall.start, hall.candidates[1:])))

    async def test_in_an_outage_all_fail(self, hall: Hall) -> None:
        read_only = hall.parts.batch_engine.execution_options(postgresql_readonly=True)  # As on a full disk.
        crowded = replace(hall, parts=replace(hall.parts, batch_engine=read_only))
        outcomes = await asyncio.gather(*map(crowded.start, hall.candidates), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {DBAPIError}

    async def test_numbers_practice_and_the_attempts_allowed(self, hall: Hall) -> None:
        [candidate, *_] = hall.candidates
        seen = []
        for _ in range(3):
            started = await hall.start(candidate)
            seen.append(started and (started.attempt.number, started.attempt.practice))
            async with unit_of_work(hall.engine) as uow:
                await attempts.end_all(uow, hall.parts, candidate.id, hall.now)
        assert seen == [(1, False), (2, True), None]


class TestResumed:
    async def test_all_get_the_next_lease_and_their_answers_in_one_transaction(self, hall: Hall) -> None:
        first = await hall.start_all()
        assert first[0] is not None
        sent = [response(hall.made, position, ["a"]) for position in range(3)]
        await attempts.save_and_commit(hall.parts, target_of(first[0].attempt), sent, hall.now)
        again = await hall.resume(*"vwxyz")
        assert await hall.transactions() == 1
        for before, after, device in zip(first, again, "vwxyz", strict=True):
            assert before is not None
            assert after is not None
            assert not after.is_new
            assert (after.attempt.id, after.attempt.lease) == (before.attempt.id, 2)
            assert after.question_order == before.question_order
            assert hall.parts.attempt_tokens.read(after.token).lease == 2
            assert await hall.leases(after) == [(1, "Pixel 9"), (2, device)]
        assert [len(each.responses) for each in again if each] == [3, 0, 0, 0, 0]

    async def test_new_and_resumed_ones_are_one_batch(self, hall: Hall) -> None:
        await hall.resume("a", "b")
        started = await hall.start_all()
        assert [each and (each.is_new, each.attempt.lease) for each in started] == [
            (False, 2),
            (False, 2),
            (True, 1),
            (True, 1),
            (True, 1),
        ]
        assert await hall.transactions() == 1

    async def test_of_two_requests_of_a_person_the_first_is_served(self, hall: Hall) -> None:
        [candidate, *_] = hall.candidates
        started = await hall.start(candidate)
        start = partial(attempts.start_together, hall.parts, hall.made.id)
        requests = [hall.request(candidate, device=device) for device in ("phone", "tablet")]
        both = await asyncio.gather(*map(start, requests))
        assert [each is not None for each in both] == [True, False]
        assert await hall.leases(started) == [(1, "Pixel 9"), (2, "phone")]

    async def test_what_is_over_is_left_and_what_is_paused_is_not(self, hall: Hall) -> None:
        started = await hall.start_all()
        changes = [
            "deadline_at = now() - interval '1 hour'",
            "deadline_at = now() - interval '1 hour', status = 'paused', paused_at = now()",
            "status = 'submitted', submitted_at = now(), closed_by = 'staff'",
            "status = 'void', submitted_at = now(), closed_by = 'staff', voided_from = 'in_progress'",
        ]
        async with unit_of_work(hall.engine) as uow:
            for each, change in zip(started, changes, strict=False):
                assert each is not None
                await uow.session.execute(
                    text(f"update ias.attempts set {change} where id = :id"), {"id": each.attempt.id}
                )
        again = await hall.start_all()
        assert [each and (each.attempt.number, each.attempt.lease) for each in again] == [
            None,
            (1, 2),
            (2, 1),
            (2, 1),
            (1, 2),
        ]

    async def test_one_that_ends_after_it_was_looked_up_is_left(self, hall: Hall) -> None:
        ended, goes_on, *_ = await hall.start_all()
        assert ended is not None
        assert goes_on is not None
        async with unit_of_work(hall.engine) as uow:
            requests = list(map(hall.request, hall.candidates[:2]))
            starters = await lock_starters(uow, requests, AttemptScope(hall.made.id))
            async with unit_of_work(hall.engine) as other:
                await attempts.submit(other, hall.parts, ref_of(ended.attempt), hall.now)
            given = await resume_or_start(uow, hall.parts, ended.paper, requests, starters, {}, hall.now)
            assert uow.session.info["locks"] == sorted(uow.session.info["locks"])
        assert [each and each.attempt.id for each in given] == [None, goes_on.attempt.id]
        assert await hall.leases(ended) == [(1, "Pixel 9")]

    async def test_a_batch_that_postgresql_refuses_gives_no_lease(self, hall: Hall) -> None:
        started = await hall.start_all()
        assert await hall.resume("x", "not \0 storable", "z") == [None] * 3
        assert [await hall.leases(each) for each in started] == [[(1, "Pixel 9")]] * 5


class TestTest:
    async def test_an_enrolment_is_read_under_the_lock(self, hall: Hall) -> None:
        enrolled, over, *_ = hall.candidates
        async with unit_of_work(hall.engine) as uow:
            await uow.session.execute(
                text("update ias.tests set access = 'enrolled' where id = :id"), {"id": hall.made.id}
            )
            since = hall.now - timedelta(days=9)
            await uow.users.set_enrolment(enrolled.id, Enrolment(since, hall.now + timedelta(days=1)))
            await uow.users.set_enrolment(over.id, Enrolment(since, hall.now - timedelta(days=1)))
        started = await hall.start_all()
        assert [each is not None for each in started] == [True, False, False, False, False]

    @pytest.mark.parametrize(
        "change",
        ["status = 'archived'", "available_from = now() + interval '9 days'", "is_personal = true"],
    )
    async def test_one_that_is_not_offered_to_all_is_left(self, hall: Hall, change: str) -> None:
        async with unit_of_work(hall.engine) as uow:
            await uow.session.execute(
                text(f"update ias.tests set {change} where id = :id"), {"id": hall.made.id}
            )
        assert await hall.start_all() == [None] * 5

    async def test_a_crowd_waits_for_whoever_changes_the_test_and_sees_the_change(self, hall: Hall) -> None:
        async def archive(uow: UnitOfWork) -> None:
            test = await uow.tests.draft(hall.candidates[0].institute_id, hall.made.id, lock=True)
            test.status = "archived"
            await uow.tests.flush()

        async with unit_of_work(hall.engine) as uow:
            await archive(uow)
            starting = asyncio.create_task(hall.start_all())
            await until_blocking(hall.engine, uow)
        assert await starting == [None] * 5
