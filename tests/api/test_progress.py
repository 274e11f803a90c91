"""`GET /users/progress` and `GET /subjects/{id}/progress` over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Question
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import add_exam, body_of
from tests.builders.people import People

COUNTS = {
    "seen": 3,
    "attempted": 2,
    "correct": 1,
    "incorrect": 1,
    "partial": 0,
    "unattempted": 1,
    "dropped": 0,
    "accuracy": 0.5,
}
NONE_SEEN = dict.fromkeys(COUNTS, 0) | {"accuracy": None}


async def publish(engine: AsyncEngine) -> tuple[PublishedTest, UUID]:
    """A test, and the subject of its questions."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        question = await uow.session.get_one(Question, made.question_ids[0])
        (await uow.tests.draft(question.institute_id, made.id)).subject_id = question.subject_id
        return made, question.subject_id


async def take(client: httpx.AsyncClient, made: PublishedTest, *answers: Any) -> Json:
    """Answer the first questions, five seconds each, and submit."""
    sitting = await start(client, made)
    await sitting.save(
        *(sitting.response(at, answer, time_spent_ms=5000) for at, answer in enumerate(answers))
    )
    submitted = await sitting.submit()
    assert submitted.json()["status"] == "graded"
    return dict(submitted.json())


async def read(client: httpx.AsyncClient, path: str) -> Json:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def of(subject_id: UUID, progress: Json) -> Json:
    return next(dict(each) for each in progress["subjects"] if each["subject_id"] == str(subject_id))


class TestProgress:
    async def test_of_somebody_new(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        _, subject_id = await publish(engine)
        progress = await read(candidate, "/users/progress")
        assert of(subject_id, progress).items() >= {"tests_taken": 0, "tests_available": 1}.items()
        assert (progress["attempts"], progress["tests_taken"], progress["time_spent_ms"]) == (0, 0, 0)
        assert (progress["last_activity_at"], progress["streak_days"]) == (None, 0)
        assert progress["questions"] == NONE_SEEN

    async def test_in_all_and_by_subject(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made, subject_id = await publish(engine)
        await take(candidate, made, ["a"], ["c"])
        last = await take(candidate, made)
        progress = await read(candidate, "/users/progress")
        part = of(subject_id, progress)
        figures = {"tests_taken": 1, "questions": COUNTS, "time_spent_ms": 10_000}
        name = {"en": "Polity"}
        assert part == figures | {"subject_id": str(subject_id), "name": name, "tests_available": 1}
        assert {each: progress[each] for each in figures} == figures
        assert (progress["attempts"], progress["practice_attempts"]) == (2, 1)
        assert (progress["last_activity_at"], progress["streak_days"]) == (last["submitted_at"], 1)


class TestSubjectProgress:
    async def test_by_chapter(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        made, subject_id = await publish(engine)
        path = f"/subjects/{subject_id}"
        chapter = (await author.post(f"{path}/chapters", json={"slug": "rights", "name": "Rights"})).json()
        moved = await author.patch(f"/questions/{made.question_ids[0]}", json={"chapter_id": chapter["id"]})
        assert moved.status_code == 200, moved.text
        await take(candidate, made, ["a"], ["c"])
        one = NONE_SEEN | {"total": 1, "seen": 1, "attempted": 1, "correct": 1, "accuracy": 1.0}
        two = NONE_SEEN | {"total": 2, "seen": 2, "attempted": 1, "incorrect": 1, "unattempted": 1}
        assert await read(candidate, f"{path}/progress") == {
            "subject_id": str(subject_id),
            "name": {"en": "Polity"},
            "tests_taken": 1,
            "tests_available": 1,
            "questions": COUNTS | {"total": 3},
            "time_spent_ms": 10_000,
            "chapters": [
                {
                    "chapter_id": chapter["id"],
                    "parent_id": None,
                    "name": {"en": "Rights"},
                    "questions": one,
                    "time_spent_ms": 5000,
                },
                {
                    "chapter_id": None,
                    "parent_id": None,
                    "name": None,
                    "questions": two | {"accuracy": 0.0},
                    "time_spent_ms": 5000,
                },
            ],
        }

    async def test_no_such_subject(self, candidate: httpx.AsyncClient) -> None:
        assert (await candidate.get(f"/subjects/{uuid4()}/progress")).status_code == 404


class TestEmbargo:
    async def test_nothing_depends_on_what_is_right(self, engine: AsyncEngine, people: People) -> None:
        """Somebody who had all right, who had all wrong and who was never there read the same."""
        made, subject_id = await publish(engine)
        clients = [await people.candidate() for _ in range(3)]
        await take(clients[0], made, ["a"], ["b"], ["c"])
        await take(clients[1], made, ["b"], ["c"], ["a"])
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, datetime.now(UTC))
        for path in ("/users/progress", f"/subjects/{subject_id}/progress"):
            # When somebody was there depends on nothing that is right.
            own = {"last_activity_at": None, "streak_days": 0}
            read_by_each = [body_of(await client.get(path)) | own for client in clients]
            assert read_by_each == [read_by_each[0]] * 3
        part = of(subject_id, await read(clients[0], "/users/progress"))
        assert (part["tests_taken"], part["tests_available"]) == (0, 0)


class TestWhoMayRead:
    async def test_needs_an_account(self, api: httpx.AsyncClient) -> None:
        for path in ["/users/progress", f"/subjects/{UUID(int=1)}/progress"]:
            assert (await api.get(path)).status_code == 401, path
