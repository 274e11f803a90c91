"""Roles: two administrators at once never leave an institute without one."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Conflict, Forbidden, Unavailable
from app.core.supabase_auth import SupabaseAuth
from app.models import Role
from app.services import accounts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate
from tests.two_connections import Work, alone, overlap

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


async def add_admin(engine: AsyncEngine) -> Principal:
    async with unit_of_work(engine) as uow:
        person = await add_candidate(uow)
        await uow.users.set_role(person.id, Role.ADMIN, NOW)
    return replace(person, role=Role.ADMIN)


def demote(admin: Principal, other: Principal) -> Work:
    return lambda uow: accounts.set_role(uow, admin, other.id, Role.AUTHOR, NOW)


def ban(parts: Components, admin: Principal, other: Principal) -> Work:
    now = parts.clock.now()
    return lambda uow: accounts.change_active(uow, admin, other.id, now, active=False)


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
        await uow.users.set_role(person.id, Role.ADMIN, NOW)
        return replace(person, role=Role.ADMIN)

    async def test_is_not_demoted_by_the_operator_either(self, uow: UnitOfWork, last: Principal) -> None:
        with pytest.raises(Conflict):
            await accounts.set_role(uow, operator(), last.id, Role.AUTHOR, NOW)

    async def test_is_not_banned_by_the_operator_either(
        self, uow: UnitOfWork, parts: Components, last: Principal
    ) -> None:
        with pytest.raises(Conflict):
            await accounts.change_active(uow, operator(), last.id, parts.clock.now(), active=False)

    async def test_can_be_demoted_once_there_is_another(self, uow: UnitOfWork, last: Principal) -> None:
        other = await add_candidate(uow)
        await accounts.set_role(uow, last, other.id, Role.ADMIN, NOW)
        second = replace(other, role=Role.ADMIN)
        member: Any = await accounts.set_role(uow, second, last.id, Role.AUTHOR, NOW)
        assert member.role == "author"

    async def test_who_was_demoted_changes_nobody(self, engine: AsyncEngine) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        assert (await alone(engine, demote(one, two))).code == "ok"
        assert (await alone(engine, demote(two, one))).code == "forbidden"


class AuthServer:
    """The wire to an auth server: counts what it is told, and may fail, or wait for the test."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_down = False
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("connection refused")
        self.told.append("lifted" if json.loads(request.content)["ban_duration"] == "none" else "banned")
        self.asked.set()
        await self.may_answer.wait()
        user = {"id": request.url.path.rpartition("/")[2], "created_at": "2026-05-24T09:30:00Z"}
        return httpx.Response(200, json=user)

    def seen_by(self, parts: Components) -> Components:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        return replace(parts, auth=SupabaseAuth("https://project.example.org/", "anon", "key", http))


class TestBansAndTheAuthServer:
    @pytest.fixture
    def server(self) -> AuthServer:
        return AuthServer()

    @pytest.mark.parametrize("active", [False, True])
    async def test_a_change_stands_while_the_auth_server_is_down_and_a_repetition_completes_it(
        self, engine: AsyncEngine, parts: Components, server: AuthServer, active: bool
    ) -> None:
        one, two, seen = await add_admin(engine), await add_admin(engine), server.seen_by(parts)
        await accounts.set_active(seen, one, two.id, active=not active)
        server.is_down = True
        with pytest.raises(Unavailable):
            await accounts.set_active(seen, one, two.id, active=active)
        assert await role_of(engine, two) == ("admin", active)
        server.is_down, server.told = False, []
        await accounts.set_active(seen, one, two.id, active=active)
        assert server.told == ["lifted" if active else "banned"]

    async def test_a_ban_is_enforced_while_the_auth_server_is_down(
        self, engine: AsyncEngine, parts: Components, server: AuthServer
    ) -> None:
        one, two, signed_in_at = await add_admin(engine), await add_admin(engine), parts.clock.now()
        server.is_down = True
        with pytest.raises(Unavailable):
            await accounts.set_active(server.seen_by(parts), one, two.id, active=False)
        assert parts.revocations.cover(two.id, "session", signed_in_at)

    async def test_no_lock_is_held_while_the_auth_server_is_asked(
        self, engine: AsyncEngine, parts: Components, server: AuthServer
    ) -> None:
        one, two, three = [await add_admin(engine) for _ in range(3)]
        server.may_answer.clear()
        banning = asyncio.create_task(accounts.set_active(server.seen_by(parts), one, two.id, active=False))
        await server.asked.wait()
        assert (await alone(engine, demote(one, three))).code == "ok"
        server.may_answer.set()
        assert not (await banning).user.active

    async def test_a_ban_that_is_lifted_meanwhile_is_told_again(
        self, engine: AsyncEngine, parts: Components, server: AuthServer
    ) -> None:
        one, two = await add_admin(engine), await add_admin(engine)
        server.may_answer.clear()
        banning = asyncio.create_task(accounts.set_active(server.seen_by(parts), one, two.id, active=False))
        await server.asked.wait()
        now = parts.clock.now()
        await alone(engine, lambda uow: accounts.change_active(uow, one, two.id, now, active=True))
        server.may_answer.set()
        await banning
        assert server.told == ["banned", "lifted"]
