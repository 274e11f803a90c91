"""An exam while Redis is down: answers are saved, limits hold, dead tokens stay dead, sockets hear later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.services import realtime
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.api.document import create_documented_app
from tests.builders.auth_accounts import AuthAccounts
from tests.builders.content import publish_test
from tests.builders.exams import HeldExam, body_of, hold_exam, register
from tests.builders.people import PASSWORD, People, new_email
from tests.conftest import TestClock, running
from tests.sockets import joined, serving
from tests.waiting import eventually


@dataclass(frozen=True)
class Process:
    """One of several API processes, as far as this test is concerned: its application and its people."""

    app: FastAPI
    people: People


@asynccontextmanager
async def a_process(
    settings: Settings, engine: AsyncEngine, accounts: AuthAccounts
) -> AsyncIterator[Process]:
    clock = TestClock()
    app = create_documented_app(settings, clock=clock, monotonic=clock.monotonic)
    async with running(app), People(app, engine, accounts) as people:
        yield Process(app, people)


@pytest.fixture
async def processes(
    settings: Settings, valkey: Valkey, engine: AsyncEngine, auth_accounts: AuthAccounts
) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes on one database and one Redis."""
    changes = {"redis_url": SecretStr(valkey.url), "login_limit_per_account": "3/minute"}
    own = settings.model_copy(update=changes)
    async with a_process(own, engine, auth_accounts) as one, a_process(own, engine, auth_accounts) as other:
        yield one, other


async def exam_of(process: Process, engine: AsyncEngine) -> HeldExam:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    author = await process.people.member("author")
    return await hold_exam(author, made, starts_at=process.app.state.components.clock.now())


async def test_the_exam_goes_on_and_its_sockets_are_told_later(
    processes: tuple[Process, Process], valkey: Valkey, engine: AsyncEngine
) -> None:
    one, other = processes
    held = await exam_of(one, engine)
    entrant = await register(await one.people.candidate(), held)
    body_of(await entrant.enter(), 201)
    room = f"/ws/exam/{held.exam['id']}"
    async with serving(one.app) as url, joined(url, entrant.client, room) as socket:
        assert body_of(await entrant.save({0: ["a"]}))["saved"] == 1
        valkey.stop()

        # Another device, at another process: it starts, saves and submits without Redis.
        token = entrant.client.headers["Authorization"].removeprefix("Bearer ")
        async with other.people.client(token) as elsewhere:
            entrant.client = elsewhere
            assert body_of(await entrant.enter(), 200)["lease"] == 2
            assert body_of(await entrant.save({1: ["b"]}))["saved"] == 1
            said = {"text": "The network is being mended."}
            body_of(await held.staff.post(f"{held.path}/announcements", json=said), 201)
            body_of(await held.order("extend", entrant.attempt, seconds=60, reason="network"))
            assert body_of(await entrant.submit())["status"] == "submitted"

        valkey.start()
        parts = one.app.state.components
        publisher = realtime.Publisher(engine, parts.stream, parts.clock)
        await publisher.publish_all()  # what a worker's loop does every half second
        told = [message["type"] for message in await socket.told(3)]
        assert told == ["attempt_changed", "announcement", "extended"]
    await held.release()
    assert body_of(await held.staff.get(f"{held.path}/merit-list"))["items"][0]["total"] == "4.00"


async def test_a_token_that_was_logged_out_is_dead_in_the_other_process_too(
    processes: tuple[Process, Process], valkey: Valkey
) -> None:
    one, other = processes
    client = await one.people.candidate()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    async with other.people.client(token) as elsewhere:
        assert (await elsewhere.get("/auth/me")).status_code == 200
        valkey.stop()
        assert (await client.post("/auth/logout")).status_code == 204
        assert (await client.get("/auth/me")).json()["code"] == "session_revoked"

        async def is_dead() -> bool:
            return (await elsewhere.get("/auth/me")).status_code == 401

        await eventually(is_dead)
        valkey.start()
        assert (await elsewhere.get("/auth/me")).json()["code"] == "session_revoked"


async def test_logins_are_limited_all_the_same(processes: tuple[Process, Process], valkey: Valkey) -> None:
    one, _ = processes
    valkey.stop()
    email = new_email()
    async with one.people.client() as anonymous:
        body = {"email": email, "password": PASSWORD}
        statuses = [(await anonymous.post("/auth/login", json=body)).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


async def test_a_client_reads_that_redis_is_away(processes: tuple[Process, Process], valkey: Valkey) -> None:
    one, _ = processes
    valkey.stop()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(one.app), base_url="http://api.test/v1"
    ) as anonymous:
        ready = await anonymous.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["redis"] == "unavailable"
