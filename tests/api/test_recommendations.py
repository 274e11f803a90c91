"""`GET /analytics/recommendations` and dismissals over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.ratings import Candidate, RatingState
from app.engine.recommending import Ground
from app.engine.statistics.elo import Rating
from app.models import DEFAULT_INSTITUTE_ID, Subject
from app.services.analytics import taking_in
from app.services.analytics.recommendation_wording import _TEXTS, LANGUAGES
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.analytics import Given, add_chapter, add_test, principal_of_client, sit
from tests.builders.content import PublishedTest, add_subject, publish_test
from tests.builders.exams import body_of, hold_exam
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

Json = dict[str, Any]
PATH = "/analytics/recommendations"
DAY = timedelta(days=1)


async def items(client: httpx.AsyncClient) -> list[Json]:
    return list(body_of(await client.get(PATH))["items"])


async def publish(engine: AsyncEngine, name: str, questions: int = 12) -> tuple[PublishedTest, Subject]:
    """A test of one subject and one chapter."""
    async with unit_of_work(engine) as uow:
        subject = await add_subject(uow, name)
        chapter = await add_chapter(uow, subject, f"{name} of old")
        return await add_test(uow, subject, [chapter] * questions), subject


def test_each_ground_has_its_sentences() -> None:
    assert set(_TEXTS) == set(Ground)
    assert all(set(texts) == set(LANGUAGES) for texts in _TEXTS.values())


async def test_first_steps_then_advice_from_answers(
    engine: AsyncEngine, parts: Components, people: People, clock: TestClock
) -> None:
    """A newcomer is sent to a test; whoever has missed questions revises them when they are due."""
    candidate = await people.candidate()
    made, subject = await publish(engine, f"Rivers {uuid4().hex[:6]}")
    first = await items(candidate)
    assert first[0]["kind"] == "test"
    assert first[0]["ground"] == "first_test"
    assert {each["kind"] for each in first} <= {"test", "practice"}
    for each in first:
        assert each["expected_gain_marks"]["value"] is None
        assert set(each["expected_gain_marks"]["reason"]) == {"en", "hi"}
        assert set(each["title"]) == set(each["reason"]) == set(each["basis"]) == {"en", "hi"}
    assert first[0]["action"]["path"].startswith("/v1/tests/")
    assert (await candidate.get(first[0]["action"]["path"].removeprefix("/v1"))).status_code == 200

    async with unit_of_work(engine) as uow:
        user = await principal_of_client(uow, candidate)
        answers = {number: Given(["b"], 9_000, "guess") for number in range(12)}
        attempt = await sit(uow, parts, user, made, answers, clock.now() - 2 * DAY)
    async with unit_of_work(engine) as uow:
        await taking_in.take_in(uow, parts, [attempt.id])
    found = {each["ground"]: each for each in await items(candidate)}
    assert found["due"]["title"]["en"] == "Revise 12 questions"
    assert found["due"]["minutes"] == 12
    gain = found["due"]["expected_gain_marks"]
    assert 0 <= gain["low"] <= gain["value"] <= gain["high"]
    assert found["due"]["action"]["body"] == {"recommendation_id": found["due"]["id"]}
    assert "0 %" in found["blind_guesses"]["reason"]["en"]
    assert subject.name["en"] not in str([each for each in first if each["kind"] == "revise"])


async def test_what_is_withheld_or_closed_is_not_recommended(
    engine: AsyncEngine,
    parts: Components,
    people: People,
    author: httpx.AsyncClient,
    clock: TestClock,
) -> None:
    candidate = await people.candidate()
    made, _ = await publish(engine, f"Dams {uuid4().hex[:6]}")
    async with unit_of_work(engine) as uow:
        user = await principal_of_client(uow, candidate)
        answers = {number: Given(["b"], 9_000) for number in range(3)}
        attempt = await sit(uow, parts, user, made, answers, clock.now() - 2 * DAY)
        untaken = await publish_test(uow, created_by=await user_id_of(author))
    async with unit_of_work(engine) as uow:
        await taking_in.take_in(uow, parts, [attempt.id])

    async def kinds() -> set[str]:
        return {each["kind"] for each in await items(candidate)}

    def opens(found: list[Json]) -> bool:
        return any(str(untaken.id) in each["action"]["path"] for each in found)

    assert "revise" in await kinds()
    admin = await people.member("admin")
    for policy, is_shown in (("never", False), ("after_submit", True)):
        body_of(await admin.patch(f"/tests/{made.id}", json={"review": policy}))
        assert ("revise" in await kinds()) is is_shown

    async with unit_of_work(engine) as uow:
        twin = await publish_test(uow, same_as=made, created_by=await user_id_of(author))
    await hold_exam(author, twin, starts_at=clock.now() + DAY)
    assert "revise" not in await kinds()
    await hold_exam(author, untaken, starts_at=clock.now() + DAY)
    assert not opens(await items(candidate))


async def test_dismissed_until_there_is_something_new(
    engine: AsyncEngine, people: People, clock: TestClock
) -> None:
    candidate, stranger = await people.candidate(), await people.candidate()
    made, _ = await publish(engine, f"Coasts {uuid4().hex[:6]}")
    async with unit_of_work(engine) as uow:
        await publish_test(uow, same_as=made, kind="chapter")
    [chosen, *_] = [each for each in await items(candidate) if each["kind"] == "practice"]
    path = f"{PATH}/{chosen['id']}/dismiss"
    answers = await asyncio.gather(*(candidate.post(path) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [204] * 3
    assert chosen["id"] not in {each["id"] for each in await items(candidate)}
    assert (await stranger.post(path)).status_code == 404
    assert (await candidate.post(f"{PATH}/{uuid4()}/dismiss")).status_code == 404
    assert (await candidate.post(path)).status_code == 204

    async with unit_of_work(engine) as uow:
        user_id, subject_id = await user_id_of(candidate), await _subject_of(uow, chosen)
        board = RatingState({user_id: Candidate(Rating(0.1, 20))}, {(user_id, subject_id): Rating(0.1, 20)})
        await uow.ratings.store(board, {user_id: clock.now()})
    assert chosen["id"] in {each["id"] for each in await items(candidate)}


async def _subject_of(uow: UnitOfWork, chosen: Json) -> UUID:
    """The subject that the title names."""
    subjects = await uow.subjects.every(DEFAULT_INSTITUTE_ID)
    begun = {f"Begin with {each.name.get('en') or each.name['hi']}": each.id for each in subjects}
    return begun[chosen["title"]["en"]]
