"""The audit log only grows, and admins alone read it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import audit
from app.services.audit import AuditSubject
from app.services.unit_of_work import reading
from app.services.users import Principal, operator
from tests.api.audit.scenarios import World
from tests.builders.exams import MINUTE, body_of
from tests.builders.people import People, user_id_of


async def change_role(world: World) -> None:
    path = f"/users/{await world.person()}/role"
    body_of(await world.admin.put(path, json={"role": "author"}))


async def execute(engine: AsyncEngine, statement: str, values: dict[str, Any]) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def read_as(reader: Principal, engine: AsyncEngine) -> None:
    async with reading(engine) as reads:
        audit.record(reads, reader, "read_key", AuditSubject("question"))


class TestOnlyGrows:
    async def test_the_applications_role_cannot_change_it(self, world: World) -> None:
        await change_role(world)
        entry = (await world.entries())[0]
        for statement in (
            "update ias.audit_entries set reason = 'other'",
            "update ias.audit_entries set actor_id = null where id = :id",
            "delete from ias.audit_entries where id = :id",
            "truncate ias.audit_entries",
            "truncate ias.audit_entries cascade",
            "truncate ias.institutes cascade",
        ):
            values = {"id": UUID(entry["id"])} if ":id" in statement else {}
            with pytest.raises(DBAPIError, match="audit log only grows"):
                await execute(world.engine, statement, values)
        assert (await world.entries())[0] == entry

    async def test_a_read_that_cannot_be_recorded_fails(self, world: World) -> None:
        nobody = replace(operator(), institute_id=uuid4())  # there is no such institute
        with pytest.raises(DBAPIError):
            await read_as(nobody, world.engine)


class TestListing:
    async def test_is_for_admins(self, people: People) -> None:
        for role in ["student", "author", "evaluator", "proctor"]:
            assert (await (await people.member(role)).get("/audit")).status_code == 403, role

    async def test_is_narrowed_by_time(self, world: World) -> None:
        await change_role(world)
        me = str(await user_id_of(world.admin))
        now = datetime.now(UTC)
        early, late = (now - MINUTE).isoformat(), (now + MINUTE).isoformat()
        assert len(await world.entries(actor=me, **{"from": early, "to": late})) == 1
        assert await world.entries(actor=me, **{"from": late}) == []
        assert await world.entries(actor=me, to=early) == []
        assert await world.entries(actor=me, to="0001-01-01T00:00:00Z") == []
        assert len(await world.entries(actor=me, **{"from": "0001-01-01T00:00:00Z"})) == 1

    async def test_comes_in_pages(self, world: World) -> None:
        person = await world.person()
        for role in ("author", "proctor", "student"):
            body_of(await world.admin.put(f"/users/{person}/role", json={"role": role}))
        seen, cursor = [], None
        while True:
            params = {"limit": "2", "subject": f"user:{person}"} | ({"cursor": cursor} if cursor else {})
            page = body_of(await world.admin.get("/audit", params=params))
            seen += [entry["details"]["after"] for entry in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == ["student", "proctor", "author"]

    async def test_a_subject_that_is_none_is_refused(self, admin: httpx.AsyncClient) -> None:
        for subject in ["king", "user:", "user:1", f"{'user'}:{'-' * 36}"]:
            assert (await admin.get("/audit", params={"subject": subject})).status_code == 422, subject
