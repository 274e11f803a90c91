"""The answer to a change of a question says which older versions exams and running attempts keep."""

from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, MINUTE, body_of, hold_exam, take_paper
from tests.builders.people import People
from tests.conftest import TestClock

Json = dict[str, Any]


async def published(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


async def change(staff: httpx.AsyncClient, question_id: UUID, text: str) -> list[Json]:
    """Change what a question says; who keeps older versions of it."""
    answer = body_of(await staff.patch(f"/questions/{question_id}", json={"text": text}))
    return list(answer["kept_by"])


async def test_running_attempts_keep_the_version_they_began_with(
    engine: AsyncEngine, admin: httpx.AsyncClient, people: People
) -> None:
    made = await published(engine)
    question_id = made.question_ids[0]
    assert await change(admin, question_id, "Nobody sits it yet.") == []
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    question_id = made.question_ids[0]
    attempts = [await start(await people.candidate(), made) for _ in range(2)]
    kept = {"version": 1, "exams": [], "running_attempts": 2}
    assert await change(admin, question_id, "Which of these is right?") == [kept]
    assert await change(admin, question_id, "Which one is right?") == [kept]
    body_of(await attempts[0].submit())
    assert await change(admin, question_id, "Which?") == [kept | {"running_attempts": 1}]
    body_of(await attempts[1].submit())
    assert await change(admin, question_id, "What is right?") == []


async def test_what_changes_nothing_is_kept_by_nobody_else(
    engine: AsyncEngine, admin: httpx.AsyncClient, people: People
) -> None:
    made = await published(engine)
    await start(await people.candidate(), made)
    answer = body_of(await admin.patch(f"/questions/{made.question_ids[0]}", json={"source": "NCERT"}))
    assert (answer["version"], answer["kept_by"]) == (1, [])


async def test_an_exam_keeps_it_until_its_release(
    engine: AsyncEngine,
    admin: httpx.AsyncClient,
    author: httpx.AsyncClient,
    people: People,
    clock: TestClock,
) -> None:
    made = await published(engine)
    held = await hold_exam(author, made, starts_at=clock.now() - MINUTE, window=HOUR)
    exam = {"id": held.exam["id"], "title": held.exam["title"]}
    kept = {"version": 1, "exams": [exam], "running_attempts": 0}
    assert await change(admin, made.question_ids[0], "Which of these is right?") == [kept]
    await take_paper(await people.candidate(), held, {0: ["a"]})
    body_of(await held.staff.post(f"{held.paper_path()}/close", json={}))
    await held.release()
    assert await change(admin, made.question_ids[0], "Which?") == []


async def test_an_exam_of_others_is_not_named(
    admin: httpx.AsyncClient, author: httpx.AsyncClient, people: People, clock: TestClock
) -> None:
    """The question's own author may change it, and learns nothing of a test that is hidden from them."""
    other = await people.member("author")
    subject = body_of(await author.post("/subjects", json={"slug": f"s-{uuid4().hex}", "name": "Polity"}))
    body = {
        "subject_id": subject["id"],
        "type": "single_choice",
        "text": "Which?",
        "options": [{"id": letter, "text": letter} for letter in "abcd"],
        "key": ["a"],
    }
    question = body_of(await author.post("/questions", json=body))
    marking = {"correct": "2", "incorrect": "-2/3", "dropped": "prorate", "rounding": "upsc"}
    draft = {
        "title": "Theirs",
        "kind": "full",
        "duration_seconds": 600,
        "marking": marking,
        "sections": [{"name": "Paper", "question_ids": [question["id"]]}],
    }
    test = body_of(await other.post("/tests", json=draft))
    body_of(await other.post(f"/tests/{test['id']}/publish"))
    made = PublishedTest(UUID(test["id"]), [UUID(question["id"])])
    held = await hold_exam(other, made, starts_at=clock.now() + HOUR)
    assert await change(author, made.question_ids[0], "Which one?") == []
    [kept] = await change(admin, made.question_ids[0], "Which of them?")
    assert kept["exams"][0]["id"] == held.exam["id"]
