"""Enrolments: what they open, when they end, and what happens to starts at the same moment."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotFound
from app.models import Role
from app.repositories.users import Enrolment
from app.services import attempts, enrolments
from app.services.components import Components
from app.services.enrolments import EnrolmentOrder
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator, principal_of
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, publish_test
from tests.two_connections import overlap

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENDED = EnrolmentOrder(enrolled=False)


class TestIsActive:
    @pytest.mark.parametrize(
        ("enrolment", "active"),
        [
            (Enrolment(), False),
            (Enrolment(NOW), True),
            (Enrolment(NOW - HOUR, NOW + HOUR), True),
            (Enrolment(NOW - HOUR, NOW), False),
            (Enrolment(None, NOW + HOUR), False),
        ],
    )
    def test_it_is(self, enrolment: Enrolment, active: bool) -> None:
        assert enrolment.is_active(NOW) is active


class TestOrdered:
    def test_one_that_is_active_keeps_its_beginning(self) -> None:
        before = Enrolment(NOW - HOUR, NOW + HOUR, ["A"])
        after = enrolments.ordered(before, EnrolmentOrder(True, None, ["C", "B", "C"]), NOW)
        assert after == Enrolment(NOW - HOUR, None, ["B", "C"])

    def test_one_that_is_over_begins_again(self) -> None:
        before = Enrolment(NOW - 2 * HOUR, NOW - HOUR)
        assert enrolments.ordered(before, EnrolmentOrder(True), NOW).since == NOW


@pytest.fixture
async def enrolled(engine: AsyncEngine) -> Principal:
    async with unit_of_work(engine) as uow:
        person = await add_candidate(uow)
        member = await enrolments.enrol(uow, operator(), person.id, EnrolmentOrder(True), datetime.now(UTC))
    return principal_of(member.summary, "session", datetime.now(UTC))


@pytest.fixture
async def for_enrolled(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, access="enrolled")


class TestAtTheSameMoment:
    """The candidate was authenticated while the enrolment stood."""

    async def test_a_start_after_the_end_is_refused(
        self, engine: AsyncEngine, parts: Components, enrolled: Principal, for_enrolled: PublishedTest
    ) -> None:
        now = datetime.now(UTC)

        async def end(uow: UnitOfWork) -> None:
            await enrolments.enrol(uow, operator(), enrolled.id, ENDED, now)

        async def start(uow: UnitOfWork) -> None:
            await attempts.start(uow, parts, enrolled, for_enrolled.id, None, now)

        both = await overlap(engine, end, start)
        assert both.waited
        assert isinstance(both.second.error, NotFound)

    async def test_a_start_before_the_end_goes_on(
        self, engine: AsyncEngine, parts: Components, enrolled: Principal, for_enrolled: PublishedTest
    ) -> None:
        now = datetime.now(UTC)

        async def end(uow: UnitOfWork) -> None:
            await enrolments.enrol(uow, operator(), enrolled.id, ENDED, now)

        async def start(uow: UnitOfWork) -> attempts.StartedAttempt:
            return await attempts.start(uow, parts, enrolled, for_enrolled.id, None, now)

        both = await overlap(engine, start, end)
        assert (both.waited, both.second.code) == (True, "ok")
        async with unit_of_work(engine) as uow:
            again = await start(uow)
        assert again.attempt.id == both.first.result().attempt.id
        assert not again.is_new

    async def test_staff_need_none(
        self, engine: AsyncEngine, parts: Components, for_enrolled: PublishedTest
    ) -> None:
        async with unit_of_work(engine) as uow:
            person = await add_candidate(uow)
            await uow.users.set_role(person.id, Role.AUTHOR, NOW)
            member = await uow.users.member(person.id)
            assert member is not None
            staff = principal_of(member.summary, "session", NOW)
            started = await attempts.start(uow, parts, staff, for_enrolled.id, None, datetime.now(UTC))
        assert started.is_new
