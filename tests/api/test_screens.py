"""The screens of an app, each drawn by at most two calls, and what the home screen shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, start, take_test
from tests.builders.content import PublishedTest, add_subject, publish_for, publish_test
from tests.builders.exams import MINUTE, HeldExam, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

MAX_CALLS = 2


@dataclass
class App:
    """A client of the API that counts its calls."""

    client: httpx.AsyncClient
    calls: list[str] = field(default_factory=list)

    async def get(self, path: str, **params: Any) -> Json:
        self.calls.append(path)
        assert len(self.calls) <= MAX_CALLS, self.calls
        return body_of(await self.client.get(path, params=params))


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    """A test of a subject."""
    async with unit_of_work(engine) as uow:
        subject = await add_subject(uow)
        return await publish_test(uow, subject_id=subject.id, title={"en": "Rights", "hi": "अधिकार"})


@pytest.fixture
async def held(engine: AsyncEngine, author: httpx.AsyncClient, clock: TestClock) -> HeldExam:
    """An exam in ten minutes."""
    made = await publish_for(engine, author)
    return await hold_exam(author, made, starts_at=clock.now() + 10 * MINUTE, window=20 * MINUTE)


async def home(client: httpx.AsyncClient) -> Json:
    return body_of(await client.get("/users/home"))


def ids(items: Sequence[Json]) -> list[str]:
    return [item["id"] for item in items]


class TestScreens:
    async def test_home(self, candidate: httpx.AsyncClient, made: PublishedTest, held: HeldExam) -> None:
        await register(candidate, held)
        await take_test(candidate, made, {0: ["a"]})
        await start(candidate, made)
        app = App(candidate)
        screen = await app.get("/users/home")
        [running] = screen["in_progress"]
        [result] = screen["recent"]
        mine = screen["exams"][0]
        drawn = [
            f"{screen['profile']['name']}, {screen['unread']} new, {screen['streak_days']} day",
            f"Continue {running['test']['title']['hi']} until {running['deadline_at']}",
            f"{mine['title']['en']} begins at {mine['next_start_at']}, roll number {mine['my_roll_number']}",
            f"{result['test']['title']['en']}: {result['score']} of {result['max_score']}",
            *(f"{test['title']['en']}, {test['question_count']}" for test in screen["suggestions"]),
        ]
        assert drawn[0].endswith("0 new, 1 day")
        assert drawn[3] == "Rights: 2.00 of 6.00"
        assert app.calls == ["/users/home"]

    async def test_list_of_tests(self, candidate: httpx.AsyncClient, made: PublishedTest) -> None:
        """With the chips of all subjects, and for each test what a card shows."""
        await take_test(candidate, made, {0: ["a"]})
        app = App(candidate)
        chips = (await app.get("/subjects", limit=100))["items"]
        cards = (await app.get("/tests", sort="newest", taken=True))["items"]
        assert all(chip["name"]["en"] for chip in chips)
        drawn = [
            f"{card['subject']['name']['en']}: {card['title']['en']}, {card['sections'][0]['name']['en']}, "
            f"{card['duration_seconds'] // 60} min, {card['participants']} took it, "
            f"your best {card['my']['best_score']} of {card['max_marks']}"
            for card in cards
        ]
        assert drawn == ["Polity: Rights, Paper, 10 min, 1 took it, your best 2.00 of 6.00"]

    async def test_a_test(self, candidate: httpx.AsyncClient, made: PublishedTest) -> None:
        app = App(candidate)
        test = await app.get(made.path)
        assert (test["subject"]["name"], test["review"], test["my"]["attempts"]) == (
            {"en": "Polity"},
            "after_submit",
            0,
        )

    async def test_list_of_exams(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        await register(candidate, held)
        app = App(candidate)
        [mine] = (await app.get("/exams", registered=True))["items"]
        others = (await app.get("/exams", registered=False, status="scheduled"))["items"]
        assert mine["next_start_at"] == held.papers[0]["starts_at"]
        assert mine["id"] not in ids(others)

    async def test_an_exam(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        app = App(candidate)
        exam = await app.get(held.path)
        [paper] = (await app.get(f"{held.path}/papers"))["items"]
        drawn = (
            f"{exam['title']['en']}: {paper['title']['en']}, {paper['question_count']} questions, "
            f"{paper['max_marks']} marks, {paper['marking']['incorrect']} for a wrong one, "
            f"{paper['duration_seconds'] // 60} minutes, in {' and '.join(paper['languages'])}"
        )
        assert (
            drawn
            == "All-India mock: Paper 1, 3 questions, 6.00 marks, -2/3 for a wrong one, 10 minutes, in en"
        )


class TestHome:
    async def test_of_somebody_new(self, candidate: httpx.AsyncClient, made: PublishedTest) -> None:
        screen = await home(candidate)
        assert screen["profile"] == body_of(await candidate.get("/users/profile"))
        assert (screen["unread"], screen["in_progress"], screen["recent"], screen["streak_days"]) == (
            0,
            [],
            [],
            0,
        )
        assert len(screen["suggestions"]) <= 5

    async def test_its_parts_are_those_of_the_lists(
        self, candidate: httpx.AsyncClient, made: PublishedTest, held: HeldExam, engine: AsyncEngine
    ) -> None:
        await register(candidate, held)
        await take_test(candidate, made, {0: ["a"]})
        running = await start(candidate, made)
        await _notify(engine, await user_id_of(candidate))
        screen = await home(candidate)
        attempts = body_of(await candidate.get("/users/attempts"))["items"]
        assert [*screen["in_progress"], *screen["recent"]] == attempts
        assert ids(screen["in_progress"]) == [str(running.id)]
        assert screen["exams"][0] == body_of(await candidate.get(held.path))
        listed = body_of(
            await candidate.get("/tests", params={"sort": "popular", "taken": False, "limit": 5})
        )
        assert screen["suggestions"] == listed["items"]
        assert (screen["unread"], screen["streak_days"]) == (1, 1)

    async def test_a_result_that_an_exam_withholds_is_not_recent(
        self, people: People, held: HeldExam, clock: TestClock
    ) -> None:
        candidate = await people.candidate()
        clock.advance(seconds=600)
        await take_paper(candidate, held, {0: ["a"]})
        screen = await home(candidate)
        assert (screen["recent"], screen["in_progress"], screen["streak_days"]) == ([], [], 1)
        assert ids(screen["exams"])[0] == held.exam["id"]
        await held.release()
        screen = await home(candidate)
        assert [each["score"] for each in screen["recent"]] == ["2.00"]
        assert held.exam["id"] not in ids(screen["exams"])

    async def test_suggestions_are_open_to_the_person_and_not_taken(
        self, people: People, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        """The newest tests, which come first as long as nobody has taken any of them."""
        async with unit_of_work(engine) as uow:
            await uow.session.execute(text("delete from ias.test_popularity"))
            names = ("taken", "free", "for the enrolled", "archived")
            taken, free, enrolled, archived = [await publish_test(uow, title={"en": name}) for name in names]
        candidate = await people.candidate()
        await start(candidate, taken)
        await _set(engine, enrolled, "access = 'enrolled'")
        await _set(engine, archived, "status = 'archived'")
        for person in (candidate, author):
            suggested = ids((await home(person))["suggestions"])
            assert str(archived.id) not in suggested
        suggested = ids((await home(candidate))["suggestions"])
        assert suggested[0] == str(free.id)
        assert not {str(taken.id), str(enrolled.id)} & set(suggested)

    async def test_a_streak_counts_days_of_the_profile(
        self, people: People, made: PublishedTest, engine: AsyncEngine, clock: TestClock
    ) -> None:
        """Answers saved after midnight count for their day, although the deadline ended the attempt."""
        candidate = await people.candidate()
        zone = ZoneInfo("Asia/Kolkata")
        midnight = clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        sitting = await start(candidate, made)
        body_of(await sitting.save(sitting.response(0, ["a"])))
        await _move(
            engine, sitting.id, midnight - timedelta(minutes=5), saved_at=midnight + timedelta(minutes=5)
        )
        assert (await home(candidate))["streak_days"] == 2
        await _move(
            engine, sitting.id, midnight - timedelta(minutes=5), saved_at=midnight - timedelta(minutes=1)
        )
        assert (await home(candidate))["streak_days"] == 1
        await candidate.put("/users/profile", json={"timezone": "Pacific/Kiritimati"})
        assert (await home(candidate))["streak_days"] <= 1
        progress = body_of(await candidate.get("/users/progress"))
        assert progress["streak_days"] == (await home(candidate))["streak_days"]

    async def test_it_takes_as_many_statements_for_much_as_for_little(
        self, people: People, engine: AsyncEngine, parts: Components, made: PublishedTest, held: HeldExam
    ) -> None:
        candidate = await people.candidate()
        for _ in range(2):
            await take_test(candidate, made, {0: ["a"]})
        await register(candidate, held)
        little = await self._statements(parts, candidate)
        for _ in range(3):
            await take_test(candidate, await publish_for(engine), {0: ["a"]})
        await start(candidate, made)
        much = await self._statements(parts, candidate)
        assert len(little) == len(much) <= 16

    async def _statements(self, parts: Components, client: httpx.AsyncClient) -> list[str]:
        statements: list[str] = []

        def keep(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        engine = parts.engine.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        await home(client)
        event.remove(engine, "before_cursor_execute", keep)
        # The process polls for revocations by itself, at any moment.
        polled = "ias.revocations.created_at >"
        return [each for each in statements if "ias." in each and polled not in each]


async def _notify(engine: AsyncEngine, user_id: UUID) -> None:
    statement = """
        insert into ias.notifications (id, user_id, kind, dedupe_key, title, body, data)
        values (gen_random_uuid(), :id, 'welcome', 'screen', '{}', '{}', '{}')"""
    async with engine.begin() as connection:
        await connection.execute(text(statement), {"id": user_id})


async def _set(engine: AsyncEngine, made: PublishedTest, change: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"update ias.tests set {change} where id = :id"), {"id": made.id})


async def _move(engine: AsyncEngine, attempt_id: UUID, started_at: datetime, saved_at: datetime) -> None:
    """An attempt that was started then, and ended by its deadline."""
    values = {
        "id": attempt_id,
        "at": started_at,
        "end": started_at + timedelta(minutes=10),
        "saved": saved_at,
    }
    async with engine.begin() as connection:
        ended = """update ias.attempts set started_at = :at, submitted_at = :end, status = 'submitted',
            closed_by = 'deadline' where id = :id"""
        await connection.execute(text(ended), {name: values[name] for name in ("id", "at", "end")})
        moved = "update ias.response_events set received_at = :saved where attempt_id = :id"
        await connection.execute(text(moved), {name: values[name] for name in ("id", "saved")})
