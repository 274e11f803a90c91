"""`GET /analytics/overview` over HTTP."""

from datetime import timedelta

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from tests.builders.attempts import take_test
from tests.builders.content import publish_for
from tests.builders.exams import body_of, hold_exam, register
from tests.builders.people import People, user_id_of
from tests.builders.statistics import calculate
from tests.conftest import TestClock

MINUTE = timedelta(minutes=1)


async def test_a_result_that_an_exam_withholds_does_not_exist(
    engine: AsyncEngine,
    parts: Components,
    people: People,
    author: httpx.AsyncClient,
    clock: TestClock,
) -> None:
    """An official attempt before the release, and one at a test with a question of the exam."""
    candidate = await people.candidate()
    own, twin = await publish_for(engine, author), await publish_for(engine, author)
    await take_test(candidate, own, {0: ["a"], 1: ["a"]})
    before = body_of(await candidate.get("/analytics/overview"))
    user_id = await user_id_of(candidate)
    await take_test(candidate, twin, {0: ["a"], 1: ["b"]})
    held = await hold_exam(author, await publish_for(engine, author, twin), starts_at=clock.now() - MINUTE)
    entrant = await register(candidate, held)
    body_of(await entrant.enter())
    body_of(await entrant.submit())
    await calculate(engine, parts, user_id)
    shown = body_of(await candidate.get("/analytics/overview"))
    for field in ("attempts", "answered", "accuracy", "tests_taken", "confidence", "cutoffs", "guessing"):
        assert shown[field] == before[field], field
    assert (shown["pending"], shown["marks_gained"], shown["marks_lost"]) == (0, "2.00", "0.66")
    [point], [subject] = shown["trend"], shown["subjects"]
    assert (point["test"]["id"], point["score_percent"]) == (str(own.id), 22.22)
    assert (subject["answered"], subject["accuracy"], subject["strength"]) == (2, 0.5, "not_proven")
    assert set(subject["strength_reason"]) == {"en", "hi"}
    assert subject["ability"]["value"] is None
    advice = body_of(await candidate.get("/analytics/recommendations"))["items"]
    assert shown["next"] == advice[:3] != []
    assert subject["accuracy_interval"]["low"] < 0.5 < subject["accuracy_interval"]["high"]


async def test_what_single_outcomes_tell_waits_for_the_review(
    engine: AsyncEngine, parts: Components, people: People, author: httpx.AsyncClient
) -> None:
    """Where nobody may review, a single guess must not tell whether it was right."""
    candidate = await people.candidate()
    made = await publish_for(engine, author)
    await author.patch(f"/tests/{made.id}", json={"review": "never"})
    started = body_of(await candidate.post(f"{made.path}/start"))
    response = {
        "question_id": str(made.question_ids[0]),
        "revision": 1,
        "answer": ["a"],
        "confidence": "guess",
    }
    sent = {"attempt_id": started["id"], "lease": started["lease"], "responses": [response]}
    body_of(await candidate.post(f"{made.path}/responses", json=sent))
    body_of(await candidate.post(f"{made.path}/submit", json={"attempt_id": started["id"]}))
    await calculate(engine, parts, await user_id_of(candidate))

    async def guesses() -> int:
        shown = body_of(await candidate.get("/analytics/overview"))
        return int(next(each for each in shown["confidence"] if each["confidence"] == "guess")["answered"])

    assert await guesses() == 0
    await author.patch(f"/tests/{made.id}", json={"review": "after_submit"})
    assert await guesses() == 1
