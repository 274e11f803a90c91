"""Conversations over real sockets: what is told to whom, what is heard, and how they end."""

import asyncio
import json
import socket as sockets
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import connect

from app.api.socket_examples import EXAMPLES
from app.core import socket_protocol
from app.repositories.realtime.messages import exam_room, user_room
from app.services import realtime
from app.services.components import Components
from app.services.realtime.room_updates import RoomUpdates
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start, take_test
from tests.builders.content import publish_test
from tests.builders.exams import add_exam
from tests.builders.messages import announcement, number_of
from tests.builders.people import People, user_id_of
from tests.sockets import Socket, joined, refusal, ticket_for
from tests.waiting import eventually

NOTIFICATIONS = "/ws/notifications"


class Room:
    """An exam with two candidates and a proctor."""

    def __init__(self, exam_id: UUID, paper_id: UUID, people: list[httpx.AsyncClient]) -> None:
        self.exam_id, self.paper_id = exam_id, paper_id
        self.asha, self.ravi, self.proctor = people
        self.path = f"/ws/exam/{exam_id}"
        self.name = exam_room(exam_id)


@pytest.fixture
async def room(people: People, engine: AsyncEngine) -> Room:
    members = [await people.candidate(), await people.candidate(), await people.member("proctor")]
    async with unit_of_work(engine) as uow:
        candidates = [await user_id_of(member) for member in members[:2]]
        made, now = await publish_test(uow), datetime.now(UTC)
        paper = await add_exam(uow, made.id, now, candidates=candidates, published_at=now)
    return Room(paper.exam_id, paper.id, members)


async def announce(parts: Components, room: Room, *numbers: int) -> UUID:
    async with unit_of_work(parts.engine, parts.new_messages) as uow:
        for number in numbers:
            message_id = uow.messages.to_everybody(room.name, announcement(number))
    return message_id


class TestWhatIsTold:
    async def test_each_hears_what_is_theirs_and_nothing_else(
        self, sockets_url: str, parts: Components, room: Room, people: People
    ) -> None:
        asha_id, ravi_id = await user_id_of(room.asha), await user_id_of(room.ravi)
        async with (
            joined(sockets_url, room.asha, room.path) as asha,
            joined(sockets_url, room.ravi, room.path) as ravi,
            joined(sockets_url, room.proctor, room.path) as proctor,
            joined(sockets_url, room.asha, NOTIFICATIONS) as notified,
        ):
            async with unit_of_work(parts.engine, parts.new_messages) as uow:
                uow.messages.to_everybody(room.name, announcement(1))
                uow.messages.to_user(room.name, asha_id, EXAMPLES["extended"])
                uow.messages.to_user(room.name, ravi_id, EXAMPLES["paused"])
                uow.messages.to_staff(room.name, EXAMPLES["attempt_changed"])
                uow.messages.to_user(user_room(asha_id), asha_id, EXAMPLES["notification"])
                uow.messages.to_everybody(exam_room(uuid4()), announcement(2))
            types = [
                [message["type"] for message in await socket.told(count)]
                for socket, count in ((asha, 2), (ravi, 2), (proctor, 2), (notified, 1))
            ]
            assert types == [
                ["announcement", "extended"],
                ["announcement", "paused"],
                ["announcement", "attempt_changed"],
                ["notification"],
            ]
            for socket in (asha, ravi, proctor, notified):
                assert await socket.silent()

    async def test_a_message_is_as_documented(self, sockets_url: str, parts: Components, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            assert asha.hello.keys() == {"id", "type", "at", "data"}
            await announce(parts, room, 7)
            (message,) = await asha.told(1)
            assert message == {
                "id": message["id"],
                "type": "announcement",
                "at": message["at"],
                "data": announcement(7).document(),
            }
            assert message["at"].endswith("Z")

    async def test_order_is_kept_and_nothing_is_missed_by_those_who_come_and_go(
        self, sockets_url: str, parts: Components, room: Room
    ) -> None:
        async def talk() -> None:
            for number in range(0, 300, 3):
                await announce(parts, room, number, number + 1, number + 2)

        heard: list[int] = []
        since = None
        talking: asyncio.Task[None] | None = None
        while len(heard) < 300:
            async with joined(sockets_url, room.asha, room.path, since) as asha:
                talking = talking or asyncio.create_task(talk())
                assert asha.hello["data"]["gap"] is False
                since = asha.hello["id"]
                while len(heard) < 300:
                    message = await asha.next()
                    since = message["id"]
                    if message["type"] == "announcement":
                        heard.append(number_of(message))
                        if len(heard) % 40 == 0:
                            break
        assert heard == list(range(300))
        assert talking is not None
        await talking

    async def test_the_time_is_told_in_answer_to_a_ping(self, sockets_url: str, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            await asha.send({"type": "ping"})
            message = await asha.next()
            assert message["type"] == "time"
            assert message["data"]["server_time"].endswith("Z")

    async def test_of_who_has_moved_only_the_new_session_stays(
        self, sockets_url: str, parts: Components, room: Room, people: People
    ) -> None:
        email = (await room.asha.get("/auth/me")).json()["email"]
        async with people.client() as anonymous:
            login = await anonymous.post("/auth/login", json={"email": email, "password": "testpassword"})
        async with (
            people.client(login.json()["access_token"]) as tablet,
            joined(sockets_url, room.asha, room.path) as old,
            joined(sockets_url, tablet, room.path) as new,
            joined(sockets_url, room.ravi, room.path) as ravi,
            joined(sockets_url, room.asha, NOTIFICATIONS) as elsewhere,
        ):
            session = next(
                inbox.listener.session_id
                for inbox in parts.hub.rooms[room.name].of_user[await user_id_of(tablet)]
                if inbox.listener.session_id != _session_of(room.asha)
            )
            async with unit_of_work(parts.engine, parts.new_messages) as uow:
                data = EXAMPLES["attempt_changed"]
                uow.messages.to_user(room.name, await user_id_of(tablet), data, keeps_session=session)
            for socket in (old, new):
                assert (await socket.next_of("attempt_changed"))["data"] == data.document()
            assert await old.closed() == (4403, "moved")
            for socket in (new, ravi, elsewhere):
                assert await socket.silent()


def _session_of(client: httpx.AsyncClient) -> str:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return str(jwt.decode(token, options={"verify_signature": False})["session_id"])


class TestWhatIsWatched:
    async def test_staff_see_how_an_exam_goes_and_candidates_do_not(
        self, sockets_url: str, parts: Components, room: Room
    ) -> None:
        async with (
            joined(sockets_url, room.asha, room.path) as asha,
            joined(sockets_url, room.proctor, room.path) as proctor,
        ):
            path = f"/exams/{room.exam_id}/announcements"
            made = await room.proctor.post(path, json={"text": "Question 7 is dropped."})
            (message,) = await asha.told(1)
            announcement_id = message["data"]["announcement_id"]
            listed = (await room.asha.get(path)).json()["items"]
            assert announcement_id == made.json()["id"] == listed[0]["id"]
            await asha.send({"type": "ack", "id": announcement_id})
            while True:
                data = (await proctor.next_of("monitor"))["data"]
                if data["connected"] == 1 and data["announcements"] == [
                    {"id": announcement_id, "acknowledged": 1}
                ]:
                    break
            nothing_yet = dict.fromkeys(("in_progress", "paused", "submitted", "graded", "void"), 0)
            assert data["registered"] == 2
            assert data["papers"] == [{"paper_id": str(room.paper_id), "code": "GS1", **nothing_yet}]
            await asha.send({"type": "ping"})
            assert (await asha.next())["type"] == "time"
            assert await realtime.connected(parts, room.exam_id) == {await user_id_of(room.asha)}

    async def test_those_in_a_test_s_room_see_how_many_are_ranked(
        self, sockets_url: str, engine: AsyncEngine, people: People
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        asha, ravi = await people.candidate(), await people.candidate()
        async with joined(sockets_url, asha, f"/ws/test/{made.id}") as socket:
            assert (await socket.next_of("leaderboard"))["data"] == {"participants": 0, "paper_version": 1}
            await take_test(ravi, made, {0: ["a"]})
            assert (await socket.next_of("leaderboard"))["data"] == {"participants": 1, "paper_version": 1}

    async def test_of_a_test_that_an_exam_holds_back_nothing_is_told(
        self, engine: AsyncEngine, people: People
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        await take_test(await people.candidate(), made, {0: ["a"]})
        async with unit_of_work(engine) as uow:
            assert await uow.rooms.participants([made.id]) == {made.id: (1, 1)}
            await add_exam(uow, made.id, datetime.now(UTC), published_at=datetime.now(UTC))
            assert await uow.rooms.participants([made.id]) == {}

    async def test_who_is_staff_no_more_is_let_go(
        self, parts: Components, sockets_url: str, room: Room, engine: AsyncEngine
    ) -> None:
        async with (
            joined(sockets_url, room.proctor, room.path) as proctor,
            joined(sockets_url, room.asha, room.path) as asha,
        ):
            async with unit_of_work(engine) as uow:
                await uow.users.set_role(await user_id_of(room.proctor), "student", parts.clock.now())
            await RoomUpdates(parts).review_staff()
            assert await proctor.closed() == (4403, "not allowed")
            assert await asha.silent()

    async def test_counts_are_of_official_attempts_by_paper(
        self, engine: AsyncEngine, room: Room, people: People
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        attempt = (await start(await people.candidate(), made)).attempt
        async with unit_of_work(engine) as uow:
            await uow.session.execute(
                text("update ias.attempts set exam_paper_id = :paper where id = :id"),
                {"paper": room.paper_id, "id": UUID(attempt["id"])},
            )
            (counts,) = await uow.rooms.counts(room.exam_id)
            assert (counts.paper_id, counts.by_status["in_progress"]) == (room.paper_id, 1)
            assert sum(counts.by_status.values()) == 1


class TestWhatIsHeard:
    async def test_anything_but_pings_and_acknowledgements_closes(self, sockets_url: str, room: Room) -> None:
        messages: list[str | bytes] = [
            "",
            "ping",
            "[]",
            "null",
            '{"type": "chat", "text": "the answer is b"}',
            '{"type": "ack"}',
            '{"type": "ack", "id": 7}',
            '{"type": ["ping"]}',
            b'{"type": "ping"}',
            "[" * 2000,
        ]
        async with joined(sockets_url, room.ravi, room.path) as ravi:
            for message in messages:
                async with joined(sockets_url, room.asha, room.path) as asha:
                    await asha.send(message)
                    assert await asha.closed() == (1008, "unknown message"), message[:50]
                assert await ravi.silent(), message[:50]

    async def test_too_large(self, sockets_url: str, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            await asha.send(json.dumps({"type": "ack", "id": "x" * 5000}))
            assert (await asha.closed())[0] == 1009

    async def test_too_many(self, sockets_url: str, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            for _ in range(21):
                await asha.send({"type": "ping"})
            assert await asha.closed() == (1008, "too many messages")

    async def test_too_many_control_frames(self, sockets_url: str, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            for _ in range(200):
                await asha.connection.ping()
            assert await asha.closed() == (1008, "too many messages")

    async def test_a_message_of_empty_parts_that_never_ends(self, sockets_url: str, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            await asha.connection.send(["{", *[""] * 200])
            assert await asha.closed() == (1008, "too many messages")

    async def test_a_ping_and_a_message_in_parts_are_answered(self, sockets_url: str, room: Room) -> None:
        async with joined(sockets_url, room.asha, room.path) as asha:
            await (await asha.connection.ping())
            await asha.connection.send(['{"type"', ': "ping"}'])
            assert (await asha.next_of("time"))["data"]

    async def test_unknown_and_others_messages_are_acknowledged_in_vain(
        self, sockets_url: str, parts: Components, room: Room
    ) -> None:
        async with (
            joined(sockets_url, room.asha, room.path) as asha,
            joined(sockets_url, room.proctor, room.path) as proctor,
        ):
            async with unit_of_work(parts.engine, parts.new_messages) as uow:
                for_staff = uow.messages.to_staff(room.name, EXAMPLES["attempt_changed"])
            message = await proctor.next_of("attempt_changed")
            for entry_id in (message["id"], "0-0", "", "1-1.abc", asha.hello["id"]):
                await asha.send({"type": "ack", "id": entry_id})
            last = await announce(parts, room, 1)
            (told,) = await asha.told(1)
            for known_id in (told["id"], str(last), str(last).upper()):
                await asha.send({"type": "ack", "id": known_id})

            async def counted() -> bool:
                return (await realtime.acknowledged(parts, [last]))[last] == 1

            await eventually(counted)
            assert await realtime.acknowledged(parts, [for_staff]) == {for_staff: 0}


class TestSlowSocket:
    async def test_is_dropped_while_others_hear_everything(
        self, sockets_url: str, parts: Components, room: Room, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # On a busy machine it takes longer until the slow one reads why it was dropped.
        monkeypatch.setattr(socket_protocol, "FLUSH_SECONDS", 600)
        long = "x" * 20_000
        ticket = await ticket_for(room.ravi, room.path)
        host, port = sockets_url.removeprefix("ws://").split(":")
        narrow = sockets.socket()
        narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
        address = f"{sockets_url}{room.path}?ticket={ticket}"
        async with (
            joined(sockets_url, room.asha, room.path) as asha,
            connect(address, sock=narrow, max_queue=1, proxy=None, ping_interval=None) as slow,
        ):
            for first in range(0, 1000, 100):
                async with unit_of_work(parts.engine, parts.new_messages) as uow:
                    for number in range(first, first + 100):
                        uow.messages.to_everybody(room.name, announcement(number, long))
                numbers = [number_of(message) for message in await asha.told(100)]
                assert numbers == list(range(first, first + 100))
            assert len(parts.hub.rooms[room.name].everybody) == 1
            end = await Socket(slow, {}).closed()  # It reads at last: what was under way, and why it ends.
            assert end == (1013, "too slow")


class TestOpening:
    async def test_refusals_tell_nothing_of_what_exists(
        self, sockets_url: str, room: Room, candidate: httpx.AsyncClient
    ) -> None:
        headers = {"Authorization": candidate.headers["Authorization"]}
        theirs = await refusal(sockets_url, room.path, **headers)
        nobodys = await refusal(sockets_url, f"/ws/exam/{uuid4()}", **headers)
        assert theirs == nobodys == (4404, "no such room")

    async def test_leaves_no_trace_behind(self, sockets_url: str, parts: Components, room: Room) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(10):
                await stack.enter_async_context(joined(sockets_url, room.asha, room.path))
            assert len(parts.hub.rooms[room.name].everybody) == 10

        async def empty() -> bool:
            return room.name not in parts.hub.rooms

        await eventually(empty)
