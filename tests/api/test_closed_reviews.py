"""A test whose review is `never`: no figure tells the outcome of a single question."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from tests.builders.attempts import Json, start
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import body_of
from tests.builders.people import People, user_id_of
from tests.builders.statistics import calculate

SPENT_MS = 7_777


@pytest.fixture
async def made(engine: AsyncEngine, author: httpx.AsyncClient) -> PublishedTest:
    """Three questions, each with a chapter, a tag and a difficulty of its own."""
    made = await publish_for(engine, author)
    question = body_of(await author.get(f"/questions/{made.question_ids[0]}"))
    for number, question_id in enumerate(made.question_ids):
        body = {"slug": f"chapter-{number}", "name": f"Chapter {number}"}
        chapter = body_of(await author.post(f"/subjects/{question['subject_id']}/chapters", json=body))
        changes = {
            "chapter_id": chapter["id"],
            "tags": [f"tag{number}"],
            "difficulty": ("easy", "medium", "hard")[number],
        }
        body_of(await author.patch(f"/questions/{question_id}", json=changes))
    body_of(await author.post(f"{made.path}/publish"))
    return made


async def taken(
    client: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, parts: Components, first: str
) -> None:
    attempt = await start(client, made)
    body_of(await attempt.save(attempt.response(0, [first], time_spent_ms=SPENT_MS)))
    body_of(await attempt.submit())
    await calculate(engine, parts, await user_id_of(client))


async def seen_by(client: httpx.AsyncClient, subject_id: str) -> tuple[Json, Json]:
    """The analysis and the progress of the subject, without what differs between any two attempts."""
    shown: Any = body_of(await client.get(f"/analytics/subject/{subject_id}"))
    progress: Any = body_of(await client.get(f"/subjects/{subject_id}/progress"))
    return shown, progress


async def test_only_totals_depend_on_what_was_right(
    engine: AsyncEngine, parts: Components, people: People, author: httpx.AsyncClient, made: PublishedTest
) -> None:
    """One candidate had the first question right, another wrong. What tells questions apart is the same."""
    subject_id = body_of(await author.get(f"/questions/{made.question_ids[0]}"))["subject_id"]
    body_of(await author.patch(made.path, json={"review": "never"}))
    right, wrong = await people.candidate(), await people.candidate()
    await taken(right, made, engine, parts, "a")
    await taken(wrong, made, engine, parts, "b")
    (first, progress), (second, other) = [await seen_by(each, subject_id) for each in (right, wrong)]
    assert (first["official"]["correct"], second["official"]["correct"]) == (1, 0)
    assert (progress["questions"]["correct"], other["questions"]["correct"]) == (1, 0)
    for name in ("chapters", "difficulties", "tags", "times", "missed"):
        assert first[name] == second[name], name
    assert (first["chapters"], first["difficulties"], first["tags"]) == ([], [], [])
    assert first["times"]["right_ms"] is second["times"]["wrong_ms"] is None
    assert first["trend"]["verdict"] == second["trend"]["verdict"]
    assert progress["chapters"] == other["chapters"]
    assert {each["questions"]["seen"] for each in progress["chapters"]} == {0}

    body_of(await author.patch(made.path, json={"review": "after_submit"}))
    shown, progress = await seen_by(right, subject_id)
    assert [each["official"]["correct"] for each in shown["chapters"]] == [1, 0, 0]
    assert [each["tag"] for each in shown["tags"]] == ["tag0", "tag1", "tag2"]
    assert shown["times"]["right_ms"] == SPENT_MS
    assert [each["questions"]["correct"] for each in progress["chapters"]] == [1, 0, 0]
