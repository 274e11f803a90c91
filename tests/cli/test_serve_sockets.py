"""Sockets of real API processes that share one Redis: it is lost and comes back, and so do processes."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.clock import SystemClock
from app.core.realtime.stream import Stream
from app.repositories.realtime.messages import exam_room
from app.services.realtime import Publisher
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.builders.content import publish_test
from tests.builders.exams import add_exam
from tests.builders.messages import announcement, number_of
from tests.builders.people import People, user_id_of
from tests.cli.api_processes import Api, StartApi, api_starter
from tests.fork_server import ForkServer, Program
from tests.sockets import Socket, opened
from tests.thorough import thorough_only
from tests.waiting import PATIENCE, eventually


@pytest.fixture
def start_api(
    settings: Settings, valkey: Valkey, tmp_path: Path, fork_server: ForkServer
) -> Iterator[StartApi]:
    """Start API processes of this test."""
    with api_starter(settings, valkey, tmp_path, fork_server) as start:
        yield start


@pytest.fixture(scope="module")
def api(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer
) -> Iterator[Api]:
    """One process for several tests, the last of which stops it."""
    folder = tmp_path_factory.mktemp("api")
    own = Valkey(folder / "valkey", durable=False)
    own.start()
    with api_starter(settings, own, folder, fork_server) as start:
        (api,) = start(SOCKET_HEARTBEAT_SECONDS="0.5")
        yield api
    own.stop()


@pytest.fixture
async def publish(engine: AsyncEngine, valkey: Valkey) -> AsyncIterator[Callable[[], Any]]:
    """What the worker's loop does."""
    stream = Stream(valkey.url)
    yield Publisher(engine, stream, SystemClock()).publish_all
    await stream.close()


@pytest.fixture
async def exam_id(engine: AsyncEngine, candidate: httpx.AsyncClient) -> UUID:
    async with unit_of_work(engine) as uow:
        made, now, candidates = await publish_test(uow), datetime.now(UTC), [await user_id_of(candidate)]
        paper = await add_exam(uow, made.id, now, candidates=candidates, published_at=now)
    return paper.exam_id


async def announce(engine: AsyncEngine, exam_id: UUID, *numbers: int) -> None:
    async with unit_of_work(engine) as uow:
        for number in numbers:
            uow.messages.to_everybody(exam_room(exam_id), announcement(number))


async def numbers(socket: Socket, count: int) -> list[int]:
    return [number_of(message) for message in await socket.told(count)]


async def test_two_processes_are_one_room_and_outlive_their_redis(
    start_api: StartApi,
    valkey: Valkey,
    engine: AsyncEngine,
    publish: Callable[[], Any],
    exam_id: UUID,
    candidate: httpx.AsyncClient,
    people: People,
) -> None:
    one, other = await asyncio.to_thread(start_api, 2)
    path, proctor = f"/ws/exam/{exam_id}", await people.member("proctor")
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(opened(api.url, path, ticket=await _ticket(one, client, path)))
            for api, client in ((one, candidate), (other, proctor))
        ]
        await announce(engine, exam_id, 1, 2, 3)
        await publish()
        assert [await numbers(socket, 3) for socket in sockets] == [[1, 2, 3]] * 2

        valkey.stop()
        await announce(engine, exam_id, 4, 5)
        for socket in sockets:
            assert await socket.silent()
        async with httpx.AsyncClient() as http:  # Nothing else suffers.
            ready = (await http.get(f"{one.http}/health/ready")).json()
            assert ready["status"] == "degraded"
        # Who comes now is let in, and is replayed what the process remembers.
        since = (await _last(sockets[0]))["id"]
        again = await stack.enter_async_context(
            opened(one.url, path, ticket=await _ticket(other, proctor, path), since=since)
        )
        assert again.hello["data"]["gap"] is False

        valkey.start()
        await publish()
        await announce(engine, exam_id, 6)
        await publish()
        for socket in (*sockets, again):
            assert await numbers(socket, 3) == [4, 5, 6]
            assert await socket.silent()


async def test_the_time_is_told_again_and_again_and_logs_hold_no_ticket(
    api: Api, candidate: httpx.AsyncClient
) -> None:
    """It counts the sockets in the log, so that it is the first of those that share the process."""
    path = "/ws/notifications"
    ticket = await _ticket(api, candidate, path)
    async with opened(api.url, path, ticket=ticket) as socket:
        assert socket.hello["data"]["heartbeat_seconds"] == 0.5
        first, second = await socket.next_of("time"), await socket.next_of("time")
        assert first["data"]["server_time"] < second["data"]["server_time"]
        async with httpx.AsyncClient() as http:
            metrics = (await http.get(f"{api.http}/metrics")).text
        assert 'ias_sockets_open{kind="user"} 1.0' in metrics
        assert "ias_realtime_readers 1.0" in metrics

    async def closed() -> bool:
        return any(line["event"] == "socket_closed" for line in api.lines())

    await eventually(closed)
    opening, closing = (line for line in api.lines() if line["event"] in ("socket_opened", "socket_closed"))
    assert opening["request_id"] == closing["request_id"]
    assert (closing["code"], closing["sent"] >= 3) == (1000, True)
    assert ticket not in api.log.read_text()
    assert "ticket=" not in api.log.read_text()


async def test_what_an_api_commits_it_publishes_without_a_worker(
    api: Api, candidate: httpx.AsyncClient, exam_id: UUID, fork_server: ForkServer
) -> None:
    """The process under test has no route that writes a message yet; a program of its own parts does it."""
    path = f"/ws/exam/{exam_id}"
    async with opened(api.url, path, ticket=await _ticket(api, candidate, path)) as socket:
        writer = fork_server.start(
            Program("tests.cli.message_writer", [str(exam_id)], api.environment, api.log, api.log)
        )
        try:
            assert await asyncio.to_thread(writer.wait, PATIENCE) == 0, api.log.read_text()
        finally:
            writer.kill()
        assert await numbers(socket, 1) == [1]


async def stop_with_sockets(api: Api, candidate: httpx.AsyncClient) -> None:
    """Stop a server while it has sockets, each of which is asked to come back."""
    path = "/ws/notifications"
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(opened(api.url, path, ticket=await _ticket(api, candidate, path)))
            for _ in range(3)
        ]
        api.process.send_signal(signal.SIGTERM)
        for socket in sockets:
            message = await socket.next_of("reconnect")
            assert 0 <= message["data"]["after_ms"] < 5000
            assert await socket.closed() == (1012, "restarting")
    assert await asyncio.to_thread(api.process.wait, PATIENCE) == 0


async def test_a_server_that_stops_asks_everybody_to_come_back(
    api: Api, candidate: httpx.AsyncClient
) -> None:
    """It ends the process of the module. A later test of the module would need its own."""
    await stop_with_sockets(api, candidate)


@thorough_only
async def test_two_processes_of_a_server_that_stops_ask_everybody_to_come_back(
    start_api: StartApi, candidate: httpx.AsyncClient
) -> None:
    (api,) = await asyncio.to_thread(start_api, API_WORKERS="2")
    await stop_with_sockets(api, candidate)


async def _last(socket: Socket) -> dict[str, Any]:
    await socket.send({"type": "ping"})
    return await socket.next_of("time")


async def _ticket(api: Api, client: httpx.AsyncClient, path: str) -> str:
    """From the process itself, with the login of a client of the application."""
    headers = {"Authorization": client.headers["Authorization"]}
    async with httpx.AsyncClient(base_url=f"{api.http}/v1", headers=headers) as http:
        answer = await http.post("/ws/ticket", json={"path": path})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])
