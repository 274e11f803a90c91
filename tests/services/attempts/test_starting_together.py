"""Starts of many candidates in one transaction: who gets an attempt, and who is left to `start`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Role
from app.repositories.users import Enrolment
from app.services import attempts
from app.services.attempts import StartedAttempt, StartRequest
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Account, Principal
from tests.builders.attempts import add_candidate, until_blocking
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
        assert await hall.start(candidate) is None

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

    async def test_numbers_practice_and_the_attempts_allowed(self, hall: Hall) -> None:
        [candidate, *_] = hall.candidates
        seen = []
        for _ in range(3):
            started = await hall.start(candidate)
            seen.append(started and (started.attempt.number, started.attempt.practice))
            async with unit_of_work(hall.engine) as uow:
                await attempts.end_all(uow, hall.parts, candidate.id, hall.now)
        assert seen == [(1, False), (2, True), None]


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
