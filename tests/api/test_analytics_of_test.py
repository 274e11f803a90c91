"""`GET /analytics/test/{test_id}` over HTTP: it exists exactly if the result does."""

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


async def test_where_the_result_is_and_nowhere_else(
    engine: AsyncEngine, parts: Components, people: People, author: httpx.AsyncClient, clock: TestClock
) -> None:
    """At an own test, in an exam before and after the release, at a test with its questions; and others'."""
    candidate, other = await people.candidate(), await people.candidate()
    own, placed = await publish_for(engine, author), await publish_for(engine, author)
    twin = await publish_for(engine, author, placed)
    result = await take_test(candidate, own, {0: ["a"], 1: ["a"]})
    await take_test(candidate, twin, {0: ["a"]})
    held = await hold_exam(author, placed, starts_at=clock.now() - MINUTE)
    entrant = await register(candidate, held)
    body_of(await entrant.enter())
    body_of(await entrant.submit())
    await calculate(engine, parts, await user_id_of(candidate))

    async def read(client: httpx.AsyncClient, test_id: object, **params: str) -> tuple[int, str]:
        found = await client.get(f"/analytics/test/{test_id}", params=params)
        alike = await client.get(f"/tests/{test_id}/results", params=params)
        assert (found.status_code, found.json().get("code")) == (
            alike.status_code,
            alike.json().get("code"),
        )
        return found.status_code, found.json().get("code", "")

    assert await read(candidate, own.id) == (200, "")
    assert await read(candidate, own.id, attempt_id=result["attempt"]["id"]) == (200, "")
    assert await read(other, own.id) == (404, "not_found")
    assert await read(other, own.id, attempt_id=result["attempt"]["id"]) == (404, "not_found")
    assert await read(candidate, own.id, attempt_id=entrant.attempt["id"]) == (404, "not_found")
    assert await read(candidate, twin.id) == (409, "not_graded_yet")
    assert (await read(candidate, placed.id))[0] == 404

    shown = body_of(await candidate.get(f"/analytics/test/{own.id}"))
    for field in ("score", "score_exact", "rank", "percentile", "participants", "attempt"):
        assert shown[field] == result[field], field
    assert shown["band"]["score"]["basis"] == "answers"
    assert [question["outcome"] for question in shown["questions"]] == [
        question["outcome"] for question in result["questions"]
    ]
    assert set(shown["distribution_reason"]) == {"en", "hi"}

    await held.release()
    assert (await read(candidate, placed.id))[0] == 200
    assert (await read(candidate, twin.id))[0] == 200
