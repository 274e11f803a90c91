"""`GET /attempts/{id}/timeline`: what happened in an attempt, for its staff."""

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.attempts import take_test
from tests.builders.content import publish_for
from tests.builders.exams import HeldExam, Json, body_of, register
from tests.builders.people import People
from tests.conftest import TestClock


async def events(client: httpx.AsyncClient, attempt: Json, limit: int = 100) -> list[Json]:
    """All pages of a timeline."""
    found: list[Json] = []
    params = {"limit": str(limit)}
    while True:
        page = body_of(await client.get(f"/attempts/{attempt['id']}/timeline", params=params))
        assert 0 < len(page["items"]) <= limit
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def test_it_replays_an_attempt(
    people: People, candidate: httpx.AsyncClient, held: HeldExam, clock: TestClock
) -> None:
    entrant = await register(candidate, held)
    body_of(await entrant.enter())
    await entrant.save({0: ["a"]}, revision=2)
    await entrant.save({0: ["c"]}, revision=1)
    body_of(await entrant.enter())
    await entrant.save({0: ["b"]})
    body_of(await held.order("extend", entrant.attempt, seconds=60, reason="a fire alarm"))
    path = f"/attempts/{entrant.attempt['id']}/timeline"
    assert (await held.staff.get(path)).status_code == 409
    body_of(await entrant.submit())
    assert (await held.staff.get(path)).status_code == 409
    body_of(await held.staff.post(f"{held.paper_path()}/close"))
    shown = await events(held.staff, entrant.attempt, limit=2)
    assert shown == await events(await people.member("proctor"), entrant.attempt)
    assert [(each["kind"], each["outcome"] or each["action"] or each["lease"]) for each in shown] == [
        ("lease", 1),
        ("response", "saved"),
        ("response", "superseded"),
        ("lease", 2),
        ("response", "saved"),
        ("order", "extend"),
        ("ended", None),
    ]
    assert [each["answer"] for each in shown if each["kind"] == "response"] == [["a"], ["c"], ["b"]]
    assert {each["number"] for each in shown if each["kind"] == "response"} == {1}
    assert (shown[5]["reason"], shown[5]["seconds"]) == ("a fire alarm", 60)
    assert shown[6]["closed_by"] == "candidate"
    elapsed = [each["elapsed_ms"] for each in shown]
    assert elapsed == sorted(elapsed)
    assert elapsed[0] == 0
    assert not {"key", "marks", "score"} & set(shown[1])


async def test_who_may_read_it(
    engine: AsyncEngine, people: People, candidate: httpx.AsyncClient, held: HeldExam
) -> None:
    owner = await people.member("author")
    made = await publish_for(engine, owner)
    attempt = (await take_test(candidate, made, {0: ["a"]}))["attempt"]
    path = f"/attempts/{attempt['id']}/timeline"
    assert [each["kind"] for each in await events(owner, attempt)] == ["lease", "response", "ended"]
    assert await events(await people.member("evaluator"), attempt) == await events(owner, attempt)
    assert (await (await people.member("author")).get(path)).status_code == 403
    assert (await (await people.member("proctor")).get(path)).status_code == 404
    assert (await candidate.get(path)).status_code == 403
    wrong = await owner.get(path, params={"cursor": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "cursor")
    beyond = await owner.get(path, params={"cursor": "WzkwXQ"})  # [90]
    assert body_of(beyond) == {"items": [], "next_cursor": None}
