"""Roles: two administrators at once never leave an institute without one."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Conflict, Forbidden
from app.models import Role
from app.services import accounts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate
from tests.two_connections import Work, alone, overlap


async def add_admin(engine: AsyncEngine) -> Principal:
    async with unit_of_work(engine) as uow:
        person = await add_candidate(uow)
        await uow.users.set_role(person.id, Role.ADMIN)
    return replace(person, role=Role.ADMIN)


def demote(admin: Principal, other: Principal) -> Work:
    return lambda uow: accounts.set_role(uow, admin, other.id, Role.AUTHOR)


def ban(parts: Components, admin: Principal, other: Principal) -> Work:
    return lambda uow: accounts.set_active(uow, parts, admin, other.id, active=False)


async def role_of(engine: AsyncEngine, person: Principal) -> tuple[str, bool]:
    async with reading(engine) as reads:
        member = await reads.users.member(person.id)
    assert member is not None
    return member.role, member.user.active


class TestTwoAdmins:
    async def test_who_demote_each_other_leave_the_first_one(self, engine: AsyncEngine) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        both = await overlap(engine, demote(one, two), demote(two, one))
        assert both.waited
        with pytest.raises(Forbidden):
            both.second.result()
        assert await role_of(engine, one) == ("admin", True)

    async def test_who_ban_each_other_leave_the_first_one(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        both = await overlap(engine, ban(parts, one, two), ban(parts, two, one))
        assert both.waited
        with pytest.raises(Forbidden):
            both.second.result()
        assert await role_of(engine, one) == ("admin", True)

    async def test_one_of_whom_is_demoted_while_they_ban_the_other(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        both = await overlap(engine, demote(one, two), ban(parts, two, one))
        assert both.waited
        with pytest.raises(Forbidden):
            both.second.result()

    async def test_who_change_different_people_both_succeed(self, engine: AsyncEngine) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        first, second = await add_admin(engine), await add_admin(engine)
        both = await overlap(engine, demote(one, first), demote(two, second))
        assert (both.first.code, both.second.code) == ("ok", "ok")


class TestTheLastAdmin:
    @pytest.fixture
    async def last(self, uow: UnitOfWork) -> Principal:
        """The only admin, in a transaction that is rolled back."""
        person = await add_candidate(uow)
        await uow.session.execute(text("update ias.memberships set role = 'student' where role = 'admin'"))
        await uow.users.set_role(person.id, Role.ADMIN)
        return replace(person, role=Role.ADMIN)

    async def test_is_not_demoted_by_the_operator_either(self, uow: UnitOfWork, last: Principal) -> None:
        with pytest.raises(Conflict):
            await accounts.set_role(uow, operator(), last.id, Role.AUTHOR)

    async def test_is_not_banned_by_the_operator_either(
        self, uow: UnitOfWork, parts: Components, last: Principal
    ) -> None:
        with pytest.raises(Conflict):
            await accounts.set_active(uow, parts, operator(), last.id, active=False)

    async def test_can_be_demoted_once_there_is_another(self, uow: UnitOfWork, last: Principal) -> None:
        other = await add_candidate(uow)
        await accounts.set_role(uow, last, other.id, Role.ADMIN)
        member: Any = await accounts.set_role(uow, replace(other, role=Role.ADMIN), last.id, Role.AUTHOR)
        assert member.role == "author"

    async def test_who_was_demoted_changes_nobody(self, engine: AsyncEngine) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        assert (await alone(engine, demote(one, two))).code == "ok"
        assert (await alone(engine, demote(two, one))).code == "forbidden"
