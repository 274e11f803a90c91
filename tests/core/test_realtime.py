"""The hub: every listener hears exactly what is theirs, once, in order, whatever they missed."""

import asyncio
import json
import random
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.realtime.hub import REPLAY_LIMIT, SOCKETS_PER_PERSON, Hub
from app.core.realtime.inbox import MOVED, TOO_SLOW, Closing, Inbox, Listener
from app.core.realtime.messages import Posted, pack, position_of, unpack
from app.core.realtime.payloads import TimeData
from tests.thorough import count

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
ROOM = "exam:1"


class Wire:
    """Entries as they come out of the stream."""

    def __init__(self) -> None:
        self.count = 0

    def entry(self, room: str = ROOM, *, to: UUID | None = None, staff: bool = False, **data: Any) -> Posted:
        self.count += 1
        audience = "user" if to else "staff" if staff else "everybody"
        packed = pack(
            uuid4(), room=room, audience=audience, user_id=to, kind="announcement", at=NOW, data=data
        )
        return unpack(f"{1000 + self.count}-0", packed)


def listener(room: str = ROOM, *, user_id: UUID | None = None, **changes: Any) -> Listener:
    fields: dict[str, Any] = {"session_id": "s", "issued_at": NOW, "is_staff": False} | changes
    return Listener(room=room, user_id=user_id or uuid4(), **fields)


async def drained(inbox: Inbox) -> list[dict[str, Any]]:
    """What waits now, without the closing."""
    messages = []
    while inbox._waiting:
        text = await inbox.next()
        assert isinstance(text, str)
        messages.append(json.loads(text))
    return messages


async def heard(inbox: Inbox) -> list[str]:
    """The ids of the stream's messages that wait now, after a hello if there was one."""
    return [message["id"] for message in await drained(inbox) if message["type"] != "hello"]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def hub() -> Hub:
    return Hub()


class TestTake:
    async def test_tells_each_what_is_theirs(self, hub: Hub, wire: Wire) -> None:
        asha, ravi, proctor = listener(), listener(), listener(is_staff=True)
        inboxes = [hub.join(who, None, NOW, 15) for who in (asha, ravi, proctor)]
        elsewhere = hub.join(listener("exam:2", user_id=asha.user_id), None, NOW, 15)
        entries = [wire.entry(), wire.entry(staff=True), wire.entry(to=ravi.user_id), wire.entry("test:1")]
        for entry in entries:
            hub.deliver(entry)
        everybody, staff, to_ravi, _ = (entry.id for entry in entries)
        assert [await heard(inbox) for inbox in inboxes] == [
            [everybody],
            [everybody, to_ravi],
            [everybody, staff],
        ]
        assert await heard(elsewhere) == []

    async def test_tells_a_message_once_whatever_ids_it_comes_with(self, hub: Hub, wire: Wire) -> None:
        inbox = hub.join(listener(), None, NOW, 15)
        entry = wire.entry()
        hub.deliver(entry)
        again = Posted(**{name: getattr(entry, name) for name in Posted.__slots__} | {"id": "9000-0"})
        hub.deliver(again)
        assert await heard(inbox) == [entry.id]
        assert await heard(hub.join(listener(), "9000-0", NOW, 15)) == []

    async def test_remembers_history_and_tells_nobody(self, hub: Hub, wire: Wire) -> None:
        inbox = hub.join(listener(), None, NOW, 15)
        first, second = wire.entry(), wire.entry()
        hub.deliver(first, is_history=True)
        hub.deliver(second, is_history=True)
        assert await heard(inbox) == []
        assert await heard(hub.join(listener(), first.id, NOW, 15)) == [second.id]

    async def test_closes_those_of_other_sessions_after_they_were_told(self, hub: Hub, wire: Wire) -> None:
        user_id = uuid4()
        old = hub.join(listener(user_id=user_id, session_id="old"), None, NOW, 15)
        new = hub.join(listener(user_id=user_id, session_id="new"), None, NOW, 15)
        hub.deliver(wire.entry(to=user_id, session_id="new", lease=2))
        for inbox, closing in ((old, MOVED), (new, None)):
            told = [message["data"] for message in await drained(inbox)][1:]
            assert (told, inbox.closing) == ([{"lease": 2}], closing)
        assert hub.inboxes == [new]

    async def test_drops_who_is_too_slow_and_waits_for_nobody(self, wire: Wire) -> None:
        hub = Hub(queue_limit=3)
        slow, quick = hub.join(listener(), None, NOW, 15), hub.join(listener(), None, NOW, 15)
        quick_heard = []
        for entry in [wire.entry() for _ in range(10)]:
            hub.deliver(entry)
            quick_heard += await heard(quick)
        assert len(quick_heard) == 10
        assert await slow.next() == TOO_SLOW
        assert hub.inboxes == [quick]

    def test_survives_what_cannot_be_read(self, hub: Hub, wire: Wire) -> None:
        for number, packed in enumerate((None, b"", b"[]", b"{}", b'{"id": 1}', b"\xff")):
            hub.deliver(unpack(f"{number}-0", packed))
        assert hub.memory.cursor == "5-0"


class TestJoin:
    async def test_says_hello_first(self, hub: Hub, wire: Wire) -> None:
        hub.deliver(wire.entry())
        (hello,) = await drained(hub.join(listener(), None, NOW, 15))
        assert hello == {
            "id": hello["id"],
            "type": "hello",
            "at": "2026-06-07T04:00:00Z",
            "data": {
                "room": ROOM,
                "server_time": "2026-06-07T04:00:00Z",
                "heartbeat_seconds": 15,
                "cursor": "1001-0",
                "replayed": 0,
                "gap": False,
            },
        }
        assert position_of(hello["id"]) == "1001-0"

    async def test_replays_what_came_after(self, hub: Hub, wire: Wire) -> None:
        person = listener()
        entries = [wire.entry(), wire.entry("exam:2"), wire.entry(staff=True), wire.entry(to=person.user_id)]
        for entry in entries:
            hub.deliver(entry)
        hello, last = await drained(hub.join(person, entries[0].id, NOW, 15))
        assert (last["id"], hello["data"]["replayed"], hello["data"]["gap"]) == (entries[3].id, 1, False)

    async def test_any_message_s_id_is_a_cursor(self, hub: Hub, wire: Wire) -> None:
        first, second = wire.entry(), wire.entry()
        hub.deliver(first)
        inbox = hub.join(listener(), None, NOW, 15)
        hub.send([inbox], NOW, TimeData(server_time=NOW))
        hub.deliver(second)
        hello, passing, _ = await drained(inbox)
        for since in (hello["id"], passing["id"], first.id):
            assert await heard(hub.join(listener(), since, NOW, 15)) == [second.id]

    async def test_hello_of_a_replay_is_a_cursor_before_it(self, hub: Hub, wire: Wire) -> None:
        entries = [wire.entry() for _ in range(3)]
        for entry in entries:
            hub.deliver(entry)
        hello, *_ = await drained(hub.join(listener(), entries[0].id, NOW, 15))
        assert len(await heard(hub.join(listener(), hello["id"], NOW, 15))) == 2

    @pytest.mark.parametrize("since", ["", "x", "0-0", "999-9", "1-0.ab", "5000-0", "1" * 300, "1-0; drop"])
    async def test_an_unknown_cursor_gets_all_there_is_and_is_told_of_the_gap(
        self, since: str, hub: Hub, wire: Wire
    ) -> None:
        entry = wire.entry()
        hub.deliver(entry)
        hello, told = await drained(hub.join(listener(), since, NOW, 15))
        assert (hello["data"]["gap"], told["id"]) == (True, entry.id)

    async def test_a_long_replay_is_cut_at_its_old_end(self, hub: Hub, wire: Wire) -> None:
        entries = [wire.entry() for _ in range(REPLAY_LIMIT + 10)]
        for entry in entries:
            hub.deliver(entry)
        hello, *told = await drained(hub.join(listener(), entries[0].id, NOW, 15))
        assert hello["data"]["gap"] is True
        assert [message["id"] for message in told] == [entry.id for entry in entries[-REPLAY_LIMIT:]]

    def test_a_person_has_a_few_sockets(self, hub: Hub) -> None:
        user_id = uuid4()
        inboxes = []
        for _ in range(SOCKETS_PER_PERSON):
            with hub.reserve_place(user_id) as has_place:
                assert has_place
                inboxes.append(hub.join(listener(user_id=user_id), None, NOW, 15))
        with hub.reserve_place(user_id) as has_place:
            assert not has_place
        hub.leave(inboxes[0])
        hub.leave(inboxes[0])
        with hub.reserve_place(user_id) as first, hub.reserve_place(user_id) as second:
            assert (first, second) == (True, False)

    def test_places_are_taken_before_anything_is_decided(self, hub: Hub) -> None:
        """Many at once are all still being let in: each counts from its first moment."""
        user_id = uuid4()
        with ExitStack() as waiting:
            places = [waiting.enter_context(hub.reserve_place(user_id)) for _ in range(45)]
            assert places.count(True) == SOCKETS_PER_PERSON
        with hub.reserve_place(user_id) as has_place:
            assert has_place

    def test_a_socket_that_is_refused_gives_its_place_back(self, hub: Hub) -> None:
        user_id = uuid4()
        for _ in range(SOCKETS_PER_PERSON + 1):
            with suppress(LookupError), hub.reserve_place(user_id) as has_place:
                assert has_place
                raise LookupError
        with hub.reserve_place(user_id) as has_place:
            assert has_place


class TestMemory:
    async def test_is_bounded(self, wire: Wire) -> None:
        hub = Hub(capacity=5)
        entries = [wire.entry(f"exam:{number % 3}") for number in range(20)]
        for entry in entries:
            hub.deliver(entry)
        assert not hub.memory.knows(entries[14].id)
        assert hub.memory.knows(entries[15].id)
        assert [posted.id for posted in hub.memory.after(None, "exam:1")] == [entries[19].id, entries[16].id]
        assert len(hub.memory._number_of_message) == len(hub.memory._number_of) == 5

    def test_finds_messages_of_their_room(self, wire: Wire) -> None:
        hub = Hub(capacity=5)
        entries = [wire.entry() for _ in range(8)]
        for entry in entries:
            hub.deliver(entry)
        assert hub.memory.find(ROOM, entries[6].id) == entries[6]
        assert hub.memory.find("exam:2", entries[6].id) is None
        assert hub.memory.find(ROOM, str(entries[6].message_id)) == entries[6]
        assert hub.memory.find("exam:2", str(entries[6].message_id)) is None
        assert hub.memory.find(ROOM, entries[0].id) is None
        assert hub.memory.find(ROOM, str(entries[0].message_id)) is None

    async def test_ids_that_begin_anew_are_kept_in_the_order_of_arrival(self, hub: Hub, wire: Wire) -> None:
        late = wire.entry()
        hub.deliver(late)
        wire.count = -500
        anew = wire.entry()
        hub.deliver(anew)
        assert await heard(hub.join(listener(), late.id, NOW, 15)) == [anew.id]


class Client:
    """Somebody whose connection breaks now and then, and who comes back with the last id they have seen."""

    def __init__(self, hub: Hub, chance: random.Random) -> None:
        self.hub, self.chance = hub, chance
        self.who = listener(is_staff=chance.random() < 0.2)
        self.seen: list[str] = []
        self.cursor: str | None = None
        self.joined_after = len(hub.memory._kept)

    async def live(self, until: asyncio.Event) -> None:
        while not until.is_set():
            inbox = self.hub.join(self.who, self.cursor, NOW, 15)
            for _ in range(self.chance.randrange(1, 40)):
                if until.is_set() and not inbox._waiting:
                    break
                await self.hear(inbox)
                if self.chance.random() < 0.2:
                    await asyncio.sleep(0)
            self.hub.leave(inbox)  # What still waits in it is lost.
        inbox = self.hub.join(self.who, self.cursor, NOW, 15)
        while inbox._waiting:
            await self.hear(inbox)
        self.hub.leave(inbox)

    async def hear(self, inbox: Inbox) -> None:
        try:
            async with asyncio.timeout(0.05):
                text = await inbox.next()
        except TimeoutError:
            return
        assert not isinstance(text, Closing)
        message = json.loads(text)
        assert message["data"].get("gap") is not True
        self.cursor = message["id"]
        if message["type"] == "announcement":
            self.seen.append(message["id"])


@pytest.mark.parametrize("seed", range(count(2, thorough=5)))
async def test_everybody_sees_exactly_what_came_after_they_joined(seed: int) -> None:
    """Forty people lose their connections at random while messages come: no gap, no duplicate, in order."""
    chance = random.Random(seed)
    hub, wire, over = Hub(), Wire(), asyncio.Event()
    clients: list[Client] = []
    entries: list[Posted] = []
    tasks = []
    hub.deliver(wire.entry("exam:2"))  # a place to stand at
    for _ in range(400):
        if len(clients) < 40 and chance.random() < 0.3:
            clients.append(Client(hub, chance))
            tasks.append(asyncio.create_task(clients[-1].live(over)))
            clients[-1].joined_after = len(entries)
            await asyncio.sleep(0)  # It joins before the next message.
        someone = chance.choice(clients).who.user_id if clients else None
        kinds: list[dict[str, Any]] = [{}, {}, {"staff": True}, {"to": someone}]
        entries.append(wire.entry(chance.choice([ROOM, ROOM, "exam:2"]), **chance.choice(kinds)))
        hub.deliver(entries[-1])
        if chance.random() < 0.5:
            await asyncio.sleep(0)
    over.set()
    await asyncio.gather(*tasks)
    for client in clients:
        theirs = [
            entry.id
            for entry in entries[client.joined_after :]
            if entry.room == ROOM
            and (
                entry.audience == "everybody"
                or (entry.audience == "staff" and client.who.is_staff)
                or entry.user_id == client.who.user_id
            )
        ]
        assert client.seen == theirs
    assert hub.rooms == {}
