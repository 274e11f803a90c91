"""An account is deleted in the middle of everything: what is left of it, and where (docs/security.md).

The search asks PostgreSQL for its tables and columns, so that new ones are searched by themselves.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.supabase_errors import UserNotFound
from app.models import AuthMail, DeadAddress, Job, Kind, Message
from app.services import notifications
from app.services.auth.revocations import end_session
from app.services.components import Components
from app.services.notifications.creating import build_notice
from app.services.unit_of_work import unit_of_work
from tests.builders import traces
from tests.builders.accounts import DAY, Worker, delete_account
from tests.builders.attempts import start, take_test
from tests.builders.content import publish_test
from tests.builders.exams import HOUR, HeldExam, body_of, hold_exam, register, take_paper
from tests.builders.images import new_image
from tests.builders.objections import add_objection
from tests.builders.people import PASSWORD, People, new_email, user_id_of
from tests.conftest import TestClock

Json = dict[str, Any]
PSEUDONYM = "Deleted candidate"

BEFORE = {
    ("auth.users", "email"),
    ("auth.users", "user_metadata"),
    ("ias.auth_mails", "email"),
    ("ias.dead_addresses", "address"),
    ("ias.bookmarks", "note"),
    ("ias.deliveries", "target"),
    ("ias.registrations", "name"),
    ("ias.users", "email"),
    ("ias.users", "name"),
}
"""Where address and name stand before the deletion."""
BEFORE_BY_ID = {
    ("auth.sessions", "user_id"),
    ("ias.accommodations", "user_id"),
    ("ias.account_exports", "user_id"),
    ("ias.attempts", "user_id"),
    ("ias.bookmarks", "user_id"),
    ("ias.devices", "user_id"),
    ("ias.jobs", "arguments"),
    ("ias.memberships", "user_id"),
    ("ias.messages", "data"),
    ("ias.notifications", "user_id"),
    ("ias.notification_settings", "user_id"),
    ("ias.objections", "user_id"),
    ("ias.registrations", "user_id"),
    ("ias.results", "user_id"),
    ("ias.revocations", "user_id"),
    ("ias.socket_tickets", "user_id"),
}
LEFT_OF_ID = {("ias.audit_entries", column) for column in ("actor_id", "subject_id", "details")}
"""After the purge the id is in the audit log, which cannot be changed, and in nothing else."""


@dataclass
class Person:
    """Somebody who has used everything."""

    client: httpx.AsyncClient
    id: UUID
    email: str
    name: str
    held: HeldExam
    """An exam that they sat, with official results."""
    official: Json
    test_id: UUID
    others: list[httpx.AsyncClient]
    export_id: str = ""

    @property
    def needles(self) -> list[str]:
        return traces.needles_of(self.email, self.name)

    @property
    def id_needles(self) -> list[str]:
        return [str(self.id), self.id.hex]


@dataclass
class Place:
    """Everywhere that the product stores something."""

    connection: asyncpg.Connection
    parts: Components
    settings: Settings

    async def columns(self, needles: list[str]) -> set[traces.Column]:
        return await traces.in_tables(self.connection, needles)

    async def lasting_keys(self, needles: list[str]) -> dict[str, int]:
        """Keys of Valkey that would still be there a day later: sooner than any purge."""
        found = await traces.in_valkey(self.parts.redis, needles)
        return {key: ttl for key, ttl in found.items() if not 0 < ttl <= DAY.total_seconds()}

    def files(self, needles: list[str]) -> set[str]:
        return traces.in_files(str(self.settings.media_url), needles)


@pytest.fixture
async def place(
    superuser_url: str, database_url: str, parts: Components, settings: Settings
) -> AsyncIterator[Place]:
    inside = make_url(superuser_url).set(database=make_url(database_url).database)
    connection = await asyncpg.connect(inside.render_as_string(hide_password=False))
    yield Place(connection, parts, settings)
    await connection.close()


@pytest.fixture
def worker(parts: Components, engine: AsyncEngine, clock: TestClock) -> Worker:
    return Worker(parts, engine, clock)


@pytest.fixture
async def person(
    people: People, author: httpx.AsyncClient, engine: AsyncEngine, worker: Worker
) -> AsyncIterator[Person]:
    clock, email, name = worker.clock, new_email(), f"Yashodhara {uuid4().hex[:8]}"
    async with people.client() as anonymous:
        body = {"email": email, "password": PASSWORD, "name": name}
        token = body_of(await anonymous.post("/auth/register", json=body))["access_token"]
    async with unit_of_work(engine) as uow:
        tests = [await publish_test(uow) for _ in range(5)]
    now = clock.now()
    sat = await hold_exam(author, tests[0], starts_at=now - HOUR, window=2 * HOUR)
    running = await hold_exam(author, tests[1], starts_at=now - HOUR, window=3 * HOUR)
    coming = await hold_exam(author, tests[2], starts_at=now + 10 * DAY)
    async with people.client(token) as client:
        others = [await people.candidate() for _ in range(2)]
        await _use_the_account(client)
        for number, each in enumerate([*others, client]):
            await take_paper(each, sat, {0: ["a"], 1: ["b"] if number else ["c"]})
            await take_test(each, tests[3], {0: ["a"], 1: ["b"] if number else ["c"]})
        await take_test(client, tests[3], {0: ["b"]})  # practice
        async with unit_of_work(engine) as uow:
            user_id = await user_id_of(client)
            await add_objection(uow, tests[3].id, tests[3].question_ids[0], user_id)
        bookmark = f"/users/bookmarks/{tests[3].question_ids[0]}"
        body_of(await client.put(bookmark, json={"note": f"{name} asks {email}"}))
        await sat.release()
        entrant = await register(client, running)
        body_of(await entrant.enter())
        await entrant.save({0: ["a"]})
        body_of(await running.order("extend", entrant.attempt, seconds=60, reason="a fire alarm"), 200)
        extra = [{"email": email, "extra_seconds": 600, "reason": "scribe"}]
        body_of(await running.staff.put(f"{running.path}/accommodations", json={"items": extra}), 200)
        await register(client, coming)
        unfinished = await start(client, tests[4])
        await unfinished.save(unfinished.response(0, ["a"]))
        official = body_of(await client.get(f"{sat.path}/results"))
        me = body_of(await client.get("/auth/me"))
        made = Person(client, UUID(me["id"]), email, name, sat, official, tests[3].id, others)
        await _leave_traces(made, worker, engine)
        made.export_id = body_of(await client.post("/users/export"), 202)["id"]
        await worker.do_jobs("export_account")
        yield made


async def _use_the_account(client: httpx.AsyncClient) -> None:
    """A profile, a picture, a device, settings, and an answer that is kept for its idempotency key."""
    profile = {"preferences": {"theme": "dark"}, "category": "sc", "pwbd": 3}
    body_of(await client.put("/users/profile", json=profile))
    body_of(await client.put("/users/avatar", files={"file": ("me.png", new_image())}))
    body_of(await client.put(f"/devices/{uuid4().hex}", json={"platform": "android"}))
    body_of(await client.put("/notifications/preferences", json={"quiet_hours": None}))
    body_of(await client.post("/ws/ticket", json={"path": "/ws/notifications"}))


async def _leave_traces(person: Person, worker: Worker, engine: AsyncEngine) -> None:
    """What loops and jobs leave: notifications, mails, a failed job, messages, a session that was ended."""
    now, parts = worker.clock.now(), worker.parts
    async with unit_of_work(engine) as uow:
        notice = build_notice(Kind.WELCOME, "", {})
        await uow.notifications.create([(person.id, notice)], now, push=True)
        uow.session.add_all(
            [
                DeadAddress(address=person.email, reason="no such mailbox", since=now),
                AuthMail(kind="recovery", email=person.email, created_at=now, due_at=now),
                Job(task="send_welcome_mail", arguments={"user_id": str(person.id)}, error="it failed"),
                Message(room="staff", audience="staff", type="x", data={"user_id": str(person.id)}),
            ]
        )
        await end_session(uow, person.id, "another session", now)
    await notifications.deliver_due(parts)
    await parts.stream.publish([(uuid4(), str(person.id).encode())], fill=True)


class TestWhatIsLeft:
    async def test_ids_in_the_audit_log_and_official_results_under_a_pseudonym(
        self, person: Person, place: Place, worker: Worker
    ) -> None:
        assert await place.columns(person.needles) >= BEFORE
        assert await place.columns(person.id_needles) >= BEFORE_BY_ID
        assert place.files(person.needles) == {f"exports/{person.export_id}.zip"}
        assert await place.lasting_keys(person.id_needles)
        official = await _official(person, place)

        answer = await delete_account(person.client)
        assert answer.status_code == 202, answer.text
        assert await _official(person, place) == official
        await worker.do_jobs("inform_auth_server", "grade_attempts")
        await worker.purge()

        assert await place.columns(person.needles) == set()
        assert await place.columns(person.id_needles) <= LEFT_OF_ID
        assert await place.lasting_keys([*person.needles, *person.id_needles]) == {}
        assert place.files([*person.needles, *person.id_needles]) == set()
        with pytest.raises(UserNotFound):
            await worker.parts.auth.admin_get(person.id)
        assert await _official(person, place) == official
        merit = body_of(await person.held.staff.get(f"{person.held.path}/merit-list"))["items"]
        assert sorted(row["name"] for row in merit) == sorted(["Asha Rao", "Asha Rao", PSEUDONYM])

    async def test_a_table_that_is_new_is_searched_by_itself(self, place: Place) -> None:
        """A leak that is planted in a new table, in Valkey and in a file is found."""
        email, name = new_email(), f"Yashodhara {uuid4().hex[:8]}"
        needles = traces.needles_of(email, name)
        await place.connection.execute("create table ias.planted (id int, notes jsonb)")
        try:
            note = f'{{"of": ["about {email.upper()}"]}}'
            await place.connection.execute("insert into ias.planted values (1, $1)", note)
            assert await place.columns(needles) == {("ias.planted", "notes")}
        finally:
            await place.connection.execute("drop table ias.planted")
        await place.parts.redis.hset("planted", "field", name)
        assert await place.lasting_keys(needles) == {"planted": -1}
        await place.parts.redis.delete("planted")
        await place.parts.media.put("planted/file", name.encode())
        assert place.files(needles) == {"planted/file"}
        await place.parts.media.delete("planted/file")


async def _official(person: Person, place: Place) -> Json:
    """Ranks and results of the others, the histogram, and the log of official attempts."""
    tests = (person.test_id, UUID(person.held.exam["id"]))
    return {
        "results": [body_of(await each.get(f"{person.held.path}/results")) for each in person.others],
        "ranks": [body_of(await each.get(f"/tests/{person.test_id}/results")) for each in person.others],
        "exam_results": await place.connection.fetch(
            "select * from ias.exam_results where exam_id = $1 order by roll_number", tests[1]
        ),
        "histogram": await place.connection.fetch(
            "select * from ias.score_counts where cohort_id in (select cohort_id from ias.results join"
            " ias.attempts on attempts.id = attempt_id where test_id = $1) order by 1, 2, 3",
            person.test_id,
        ),
        "log": await place.connection.fetch(
            "select response_events.* from ias.response_events join ias.attempts on attempts.id = attempt_id"
            " where not practice and test_id = any(select test_id from ias.exam_papers where exam_id = $2"
            " union select $1) order by attempt_id, question_id, lease, revision",
            *tests,
        ),
    }
