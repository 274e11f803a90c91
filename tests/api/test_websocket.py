"""Tickets, and who is let in to which socket."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.core.realtime.hub import SOCKETS_PER_PERSON
from app.models import DEFAULT_INSTITUTE_ID
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.content import publish_test
from tests.builders.exams import add_exam
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock
from tests.sockets import joined, opened, refusal, ticket_for

NOTIFICATIONS = "/ws/notifications"
UNAUTHENTICATED = (4401, "unauthenticated")
NO_SUCH_ROOM = (4404, "no such room")


def token_of(client: httpx.AsyncClient) -> str:
    return str(client.headers["Authorization"])


class TestTicket:
    async def test_opens_a_socket(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        answer = await candidate.post("/ws/ticket", json={"path": NOTIFICATIONS})
        assert answer.status_code == 201
        assert answer.json() == {"ticket": answer.json()["ticket"], "expires_in": 30}
        async with opened(sockets_url, NOTIFICATIONS, ticket=answer.json()["ticket"]) as socket:
            assert socket.hello["data"]["room"] == f"user:{await user_id_of(candidate)}"
            assert socket.hello["data"]["heartbeat_seconds"] == 15
            assert socket.hello["data"]["gap"] is False

    async def test_works_once(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        ticket = await ticket_for(candidate, NOTIFICATIONS)
        async with opened(sockets_url, NOTIFICATIONS, ticket=ticket):
            assert await refusal(sockets_url, NOTIFICATIONS, f"ticket={ticket}") == UNAUTHENTICATED
        assert await refusal(sockets_url, NOTIFICATIONS, f"ticket={ticket}") == UNAUTHENTICATED

    async def test_two_of_one_person_open_two_sockets(
        self, sockets_url: str, candidate: httpx.AsyncClient
    ) -> None:
        async with (
            joined(sockets_url, candidate, NOTIFICATIONS) as first,
            joined(sockets_url, candidate, NOTIFICATIONS) as second,
        ):
            assert first.hello["id"] != second.hello["id"]

    async def test_45_at_once_open_no_more_than_20_sockets(
        self, app: FastAPI, sockets_url: str, candidate: httpx.AsyncClient
    ) -> None:
        """They are let in or refused side by side, in the middle of each other's waits for the database."""
        user_id = await user_id_of(candidate)
        tickets = [await ticket_for(candidate, NOTIFICATIONS) for _ in range(45)]
        addresses = [f"{sockets_url}{NOTIFICATIONS}?ticket={ticket}" for ticket in tickets]
        connections = await asyncio.gather(*(connect(address, proxy=None) for address in addresses))
        receiving = (connection.recv() for connection in connections)
        first = await asyncio.gather(*receiving, return_exceptions=True)
        inboxes = app.state.realtime.parts.hub.inboxes
        seated = [inbox for inbox in inboxes if inbox.listener.user_id == user_id]
        refused = [each for each in first if isinstance(each, ConnectionClosed)]
        assert (len(seated), len(refused)) == (SOCKETS_PER_PERSON, 45 - SOCKETS_PER_PERSON)
        await asyncio.gather(*(connection.close() for connection in connections))

    async def test_expires(self, sockets_url: str, candidate: httpx.AsyncClient, clock: TestClock) -> None:
        ticket = await ticket_for(candidate, NOTIFICATIONS)
        clock.advance(seconds=31)
        assert await refusal(sockets_url, NOTIFICATIONS, f"ticket={ticket}") == UNAUTHENTICATED

    async def test_is_good_for_30_seconds(
        self, sockets_url: str, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        ticket = await ticket_for(candidate, NOTIFICATIONS)
        clock.advance(seconds=25)
        async with opened(sockets_url, NOTIFICATIONS, ticket=ticket):
            pass

    async def test_opens_its_own_path_alone_and_is_gone_after_the_attempt(
        self, sockets_url: str, candidate: httpx.AsyncClient
    ) -> None:
        ticket = await ticket_for(candidate, f"/ws/exam/{uuid4()}")
        assert await refusal(sockets_url, NOTIFICATIONS, f"ticket={ticket}") == UNAUTHENTICATED

    @pytest.mark.parametrize(("asked", "used"), [("", "/v1"), ("/v1", ""), ("/v1", "/v1")])
    async def test_v1_in_front_is_the_same_path(
        self, asked: str, used: str, sockets_url: str, candidate: httpx.AsyncClient
    ) -> None:
        ticket = await ticket_for(candidate, asked + NOTIFICATIONS)
        async with opened(sockets_url, used + NOTIFICATIONS, ticket=ticket):
            pass

    async def test_dies_with_its_session(
        self, sockets_url: str, people: People, candidate: httpx.AsyncClient
    ) -> None:
        ticket = await ticket_for(candidate, NOTIFICATIONS)
        assert (await candidate.post("/auth/logout", json={})).status_code == 204
        assert await refusal(sockets_url, NOTIFICATIONS, f"ticket={ticket}") == UNAUTHENTICATED

    async def test_other_paths_have_no_ticket(self, candidate: httpx.AsyncClient) -> None:
        for path in [
            "",
            "/ws/exam/not-a-uuid",
            "/ws/notifications/",
            "/ws/notifications?since=1-1",
            "wss://api.example.org/ws/notifications",
            "/v2/ws/notifications",
        ]:
            answer = await candidate.post("/ws/ticket", json={"path": path})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "path"), path

    async def test_needs_a_login(self, api: httpx.AsyncClient) -> None:
        assert (await api.post("/ws/ticket", json={"path": NOTIFICATIONS})).status_code == 401

    async def test_is_limited_by_person(self, candidate: httpx.AsyncClient, parts: Components) -> None:
        """All sockets of a person share 600 tickets a minute."""
        person, limit = await user_id_of(candidate), parts.settings.socket_ticket_limit
        for _ in range(598):
            await parts.limiter.hit(limit, f"ticket:{person}")
        answers = [await candidate.post("/ws/ticket", json={"path": NOTIFICATIONS}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert answers[-1].headers["Retry-After"]


class TestWhoIsLetIn:
    async def test_by_header(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        async with opened(sockets_url, NOTIFICATIONS, Authorization=token_of(candidate)) as socket:
            assert socket.connection.response is not None
            assert socket.connection.response.headers["X-Request-ID"]

    async def test_nobody(self, sockets_url: str) -> None:
        for query in ["", "ticket=", "ticket=nonsense", f"ticket={'a' * 43}", "ticket=%00", "since=1-1"]:
            assert await refusal(sockets_url, NOTIFICATIONS, query) == UNAUTHENTICATED, query

    async def test_nobody_by_a_token_in_the_address(
        self, sockets_url: str, candidate: httpx.AsyncClient
    ) -> None:
        token = token_of(candidate).removeprefix("Bearer ")
        for name in ["token", "access_token", "authorization", "jwt", "ticket"]:
            assert await refusal(sockets_url, NOTIFICATIONS, f"{name}={token}") == UNAUTHENTICATED, name

    async def test_nobody_by_another_header(self, sockets_url: str) -> None:
        for header in ["Bearer nonsense", "Bearer ", "Basic YTpi"]:
            assert await refusal(sockets_url, NOTIFICATIONS, Authorization=header) == UNAUTHENTICATED, header

    async def test_no_session_that_was_ended(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        assert (await candidate.post("/auth/logout", json={})).status_code == 204
        end = await refusal(sockets_url, NOTIFICATIONS, Authorization=token_of(candidate))
        assert end == UNAUTHENTICATED

    async def test_no_foreign_page(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        for origin in ["https://evil.example", "null", "http://[", "http://127.0.0.1:1"]:
            end = await refusal(sockets_url, NOTIFICATIONS, Authorization=token_of(candidate), Origin=origin)
            assert end == (4403, "foreign origin"), origin

    async def test_a_page_of_our_own_host(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        origin = sockets_url.replace("ws://", "http://")
        headers = {"Authorization": token_of(candidate), "Origin": origin}
        async with opened(sockets_url, NOTIFICATIONS, **headers):
            pass

    async def test_no_such_socket(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        for path in ["/ws/exam/not-a-uuid", "/ws/test/1", "/v1/ws/exam/x", "/ws/nothing"]:
            assert await refusal(sockets_url, path, Authorization=token_of(candidate)) == NO_SUCH_ROOM, path

    async def test_too_many_of_one_person(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        headers = {"Authorization": token_of(candidate)}
        sockets: list[Any] = [opened(sockets_url, NOTIFICATIONS, **headers) for _ in range(20)]
        for socket in sockets:
            await socket.__aenter__()
        assert await refusal(sockets_url, NOTIFICATIONS, **headers) == (1013, "try again later")
        for socket in sockets:
            await socket.__aexit__(None, None, None)


async def published_exam(uow: UnitOfWork, candidate_id: UUID, **changes: Any) -> UUID:
    """A published exam for which this candidate is registered."""
    made, now = await publish_test(uow), datetime.now(UTC)
    columns = {"published_at": now} | changes
    return (await add_exam(uow, made.id, now, candidates=[candidate_id], **columns)).exam_id


class TestRooms:
    async def test_an_exam_s_is_for_those_registered_and_staff(
        self, sockets_url: str, people: People, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        async with unit_of_work(engine) as uow:
            exam_id = await published_exam(uow, await user_id_of(candidate))
        path = f"/ws/exam/{exam_id}"
        for member in (candidate, await people.member("proctor"), await people.member("evaluator")):
            async with joined(sockets_url, member, path) as socket:
                assert socket.hello["data"]["room"] == f"exam:{exam_id}"
        stranger = await people.candidate()
        assert await refusal(sockets_url, path, Authorization=token_of(stranger)) == NO_SUCH_ROOM

    @pytest.mark.parametrize("state", ["draft", "cancelled"])
    async def test_an_exam_s_is_closed_to_candidates_while_it_is_not_on(
        self, state: str, sockets_url: str, engine: AsyncEngine, clock: TestClock, people: People
    ) -> None:
        candidate, proctor = await people.candidate(), await people.member("proctor")
        changes = {"published_at": None} if state == "draft" else {"cancelled_at": clock.now()}
        async with unit_of_work(engine) as uow:
            exam_id = await published_exam(uow, await user_id_of(candidate), **changes)
        path = f"/ws/exam/{exam_id}"
        assert await refusal(sockets_url, path, Authorization=token_of(candidate)) == NO_SUCH_ROOM
        async with joined(sockets_url, proctor, path):
            pass

    async def test_a_test_s_is_for_those_who_may_take_it(
        self, sockets_url: str, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        async with unit_of_work(engine) as uow:
            free = await publish_test(uow)
            enrolled = await publish_test(uow, access="enrolled")
        async with joined(sockets_url, candidate, f"/ws/test/{free.id}"):
            pass
        for test_id in (enrolled.id, uuid4()):
            end = await refusal(sockets_url, f"/ws/test/{test_id}", Authorization=token_of(candidate))
            assert end == NO_SUCH_ROOM

    async def test_a_test_s_stays_open_to_those_who_are_taking_it(
        self, sockets_url: str, engine: AsyncEngine, clock: TestClock, candidate: httpx.AsyncClient
    ) -> None:
        until = clock.now().replace(microsecond=0)
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, available_until=until.replace(year=until.year + 1))
        assert (await candidate.post(f"{made.path}/start")).status_code == 201
        async with unit_of_work(engine) as uow:
            (await uow.tests.draft(DEFAULT_INSTITUTE_ID, made.id)).available_until = until
        async with joined(sockets_url, candidate, f"/ws/test/{made.id}"):
            pass
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, clock.now(), published_at=clock.now())
        end = await refusal(sockets_url, f"/ws/test/{made.id}", Authorization=token_of(candidate))
        assert end == NO_SUCH_ROOM


class TestEndOfASession:
    async def test_closes_its_sockets(
        self, sockets_url: str, people: People, candidate: httpx.AsyncClient
    ) -> None:
        other = await people.candidate()
        async with (
            joined(sockets_url, candidate, NOTIFICATIONS) as mine,
            joined(sockets_url, other, NOTIFICATIONS) as theirs,
        ):
            await candidate.post("/auth/logout", json={})
            assert await mine.closed() == (4401, "session ended")
            assert await theirs.silent()

    async def test_a_ban_too(
        self, sockets_url: str, admin: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        user_id = await user_id_of(candidate)
        async with joined(sockets_url, candidate, NOTIFICATIONS) as socket:
            answer = await admin.put(f"/users/{user_id}/status", json={"active": False})
            assert answer.status_code == 200
            assert await socket.closed() == (4401, "session ended")
