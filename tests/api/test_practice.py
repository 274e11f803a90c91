"""`POST /practice` over HTTP: practice tests that one person alone can see (docs/decisions/0069)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotPublishable
from app.models import Subject
from app.services import tests as test_services
from app.services.analytics import practice, taking_in
from app.services.analytics.practice import MAX_OPEN_TESTS, PracticeRequest
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.analytics import Given, add_chapter, add_test, principal_of_client, sit
from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, add_subject, publish_test
from tests.builders.exams import body_of, hold_exam
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

Json = dict[str, Any]
DAY = timedelta(days=1)


async def publish(engine: AsyncEngine, questions: int = 12, **changes: Any) -> tuple[PublishedTest, Subject]:
    """A test of one subject, with two chapters."""
    async with unit_of_work(engine) as uow:
        subject = await add_subject(uow, f"Lakes {uuid4().hex[:6]}")
        chapters = [
            await add_chapter(uow, subject, f"{name} {uuid4().hex[:6]}") for name in ("Salt", "Sweet")
        ]
        half = questions // 2
        places = [chapters[0]] * half + [chapters[1]] * (questions - half)
        return await add_test(uow, subject, places, **{"kind": "chapter", **changes}), subject


async def questions_of(client: httpx.AsyncClient, test_id: str) -> list[str]:
    paper = body_of(await client.get(f"/tests/{test_id}/questions"))
    return [question["id"] for question in paper["questions"]]


async def test_a_practice_test_is_its_owners_alone(
    engine: AsyncEngine, people: People, author: httpx.AsyncClient
) -> None:
    made, subject = await publish(engine)
    owner, stranger, admin = await people.candidate(), await people.candidate(), await people.member("admin")
    key = {"Idempotency-Key": uuid4().hex}
    body = {"subject_id": str(subject.id), "count": 5}
    first = await owner.post("/practice", json=body, headers=key)
    assert first.status_code == 201, first.text
    again = await owner.post("/practice", json=body, headers=key)
    assert again.json() == first.json()
    test = first.json()
    path = f"/tests/{test['id']}"
    assert test["kind"] == "practice"
    assert test["question_count"] == 5
    assert test["title"]["en"] == f"Practice: {subject.name['en']}"
    assert body_of(await owner.get(path)) == test

    for other in (stranger, author, admin):
        assert (await other.get(path)).status_code == 404
        assert (await other.post(f"{path}/start")).status_code == 404
        assert (await other.get(f"{path}/questions")).status_code == 404
        for query in ("", "&sort=title", "&sort=popular", "&kind=practice"):
            listed = body_of(await other.get(f"/tests?limit=100{query}"))["items"]
            assert test["id"] not in {each["id"] for each in listed}
    for staff in (author, admin):
        for method, tail in (
            ("PATCH", ""),
            ("POST", "/publish"),
            ("POST", "/clone"),
            ("POST", "/archive"),
            ("GET", "/preview"),
            ("GET", "/attempts"),
        ):
            sent = {"kind": "full"} if method == "PATCH" else None
            answer = await staff.request(method, path + tail, json=sent)
            assert answer.status_code == 404, (method, tail, answer.text)

    started = body_of(await owner.post(f"{path}/start"), 201)
    assert started["practice"] is True
    assert set(await questions_of(owner, test["id"])) <= {str(each) for each in made.question_ids}
    body_of(await owner.post(f"{path}/submit", json={"attempt_id": started["id"]}))
    result = body_of(await owner.get(f"{path}/results"))
    assert result["rank"] is None
    assert len(result["questions"]) == 5
    for other in (stranger, author, admin):
        assert (await other.get(f"{path}/results")).status_code == 404


async def test_a_subject_without_an_english_name(
    engine: AsyncEngine, candidate: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    _, subject = await publish(engine)
    body_of(await author.patch(f"/subjects/{subject.id}", json={"name": {"hi": "झीलें"}}))
    test = body_of(await candidate.post("/practice", json={"subject_id": str(subject.id)}), 201)
    assert test["title"] == {"en": "Practice: झीलें", "hi": "अभ्यास: झीलें"}


async def test_a_practice_test_is_not_placed_in_an_exam(
    engine: AsyncEngine, people: People, clock: TestClock
) -> None:
    """Not even by its owner who is staff."""
    _, subject = await publish(engine)
    author = await people.member("author")
    test = body_of(await author.post("/practice", json={"subject_id": str(subject.id)}), 201)
    assert body_of(await author.get(f"/tests/{test['id']}"))["id"] == test["id"]
    assert (await author.patch(f"/tests/{test['id']}", json={"kind": "full"})).status_code == 404
    times = {"opens_at": clock.now().isoformat(), "closes_at": (clock.now() + DAY).isoformat()}
    exam = body_of(await author.post("/exams", json={"title": "Final", **times}), 201)
    paper = {
        "code": "GS1",
        "title": "GS",
        "test_id": test["id"],
        "starts_at": clock.now().isoformat(),
        "entry_closes_at": clock.now().isoformat(),
        "ends_at": (clock.now() + DAY).isoformat(),
        "counts_for_merit": True,
    }
    assert (await author.post(f"/exams/{exam['id']}/papers", json=paper)).status_code in (404, 422)


async def test_which_questions_it_has(
    engine: AsyncEngine, parts: Components, people: People, author: httpx.AsyncClient, clock: TestClock
) -> None:
    """None of a test that is never reviewed, of a running attempt, or of a published exam."""
    made, subject = await publish(engine, questions=6)
    candidate = await people.candidate()
    body = {"subject_id": str(subject.id)}

    too_many = await candidate.post("/practice", json={**body, "count": 7})
    assert too_many.status_code == 422
    assert "There are 6 questions" in too_many.text
    assert body_of(await candidate.post("/practice", json=body), 201)["question_count"] == 6
    assert (await candidate.post("/practice", json={"subject_id": str(uuid4())})).status_code == 422
    assert (await candidate.post("/practice", json={})).status_code == 422
    assert (await candidate.post("/practice", json={"recommendation_id": str(uuid4())})).status_code == 404
    elsewhere = await candidate.post("/practice", json={**body, "chapter_id": str(uuid4())})
    assert elsewhere.status_code == 409

    admin = await people.member("admin")
    for changes, status in (
        ({"review": "never"}, 409),
        ({"review": "after_submit", "access": "enrolled"}, 409),
        ({"access": "free"}, 201),
    ):
        body_of(await admin.patch(f"/tests/{made.id}", json=changes))
        assert (await candidate.post("/practice", json=body)).status_code == status, changes

    running = body_of(await candidate.post(f"{made.path}/start"), 201)
    assert (await candidate.post("/practice", json=body)).status_code == 409
    body_of(await candidate.post(f"{made.path}/submit", json={"attempt_id": running["id"]}))
    adaptive = body_of(await candidate.post("/practice", json={**body, "count": 4, "adaptive": True}), 201)
    assert adaptive["question_count"] == 4

    async with unit_of_work(engine) as uow:
        twin = await publish_test(uow, same_as=made, created_by=await user_id_of(author))
    await hold_exam(author, twin, starts_at=clock.now() + DAY)
    assert (await candidate.post("/practice", json=body)).status_code == 409
    # The embargo came between the creation and the start.
    assert (await candidate.get(f"/tests/{adaptive['id']}")).status_code == 404
    assert (await candidate.post(f"/tests/{adaptive['id']}/start")).status_code == 404


@pytest.mark.parametrize("kind", ["full", "sectional"])
async def test_a_mock_test_is_practised_after_it_was_taken(
    engine: AsyncEngine, people: People, kind: str
) -> None:
    """Nobody learns its keys before the attempt that is ranked."""
    made, subject = await publish(engine, kind=kind)
    candidate = await people.candidate()
    body = {"subject_id": str(subject.id), "count": 5}
    assert (await candidate.post("/practice", json=body)).status_code == 409
    await take_test(candidate, made, {0: ["a"]})
    assert (await candidate.post("/practice", json=body)).status_code == 201


async def test_a_revision_has_the_questions_that_are_due(
    engine: AsyncEngine, parts: Components, people: People, clock: TestClock
) -> None:
    candidate = await people.candidate()
    made, _ = await publish(engine)
    async with unit_of_work(engine) as uow:
        user = await principal_of_client(uow, candidate)
        answers = {number: Given(["b"], 9_000) for number in range(3)}
        attempt = await sit(uow, parts, user, made, answers, clock.now() - 2 * DAY)
    async with unit_of_work(engine) as uow:
        await taking_in.take_in(uow, parts, [attempt.id])
    found = body_of(await candidate.get("/analytics/recommendations"))["items"]
    for each in found:
        answer = await candidate.post("/practice", json={"recommendation_id": each["id"]})
        assert answer.status_code == (201 if each["kind"] in ("revise", "practice", "chapter") else 422)
        if each["kind"] == "revise":
            test = answer.json()
            body_of(await candidate.post(f"/tests/{test['id']}/start"), 201)
            wrong = {str(question_id) for question_id in made.question_ids[:3]}
            assert set(await questions_of(candidate, test["id"])) >= wrong


async def test_open_practice_tests_are_limited(engine: AsyncEngine, people: People, clock: TestClock) -> None:
    _, subject = await publish(engine, questions=2)
    candidate = await people.candidate()
    async with unit_of_work(engine) as uow:
        user = await principal_of_client(uow, candidate)
        for _ in range(MAX_OPEN_TESTS - 1):
            await practice.create(uow, user, PracticeRequest(subject_id=subject.id), clock.now())
    body = {"subject_id": str(subject.id)}
    answers = await asyncio.gather(*(candidate.post("/practice", json=body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    clock.advance(31 * DAY.total_seconds())
    async with unit_of_work(engine) as uow:
        assert await uow.practice.count_open(user.id, clock.now()) == 0


async def test_an_exam_published_between_choice_and_creation(
    engine: AsyncEngine,
    people: People,
    author: httpx.AsyncClient,
    clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two connections: the exam is committed after the questions were chosen."""
    made, subject = await publish(engine, questions=3)
    candidate = await people.candidate()
    async with unit_of_work(engine) as uow:
        twin = await publish_test(uow, same_as=made, created_by=await user_id_of(author))
    create: Callable[..., Awaitable[Any]] = test_services.create

    async def create_after_exam(*arguments: Any) -> Any:
        await hold_exam(author, twin, starts_at=clock.now() + DAY)
        return await create(*arguments)

    monkeypatch.setattr(test_services, "create", create_after_exam)
    async with unit_of_work(engine) as uow:
        user = await principal_of_client(uow, candidate)
        with pytest.raises(NotPublishable):
            await practice.create(uow, user, PracticeRequest(subject_id=subject.id), clock.now())
        await uow.session.rollback()


async def test_nobody_inherits_the_practice_tests_of_an_account_that_is_gone(
    engine: AsyncEngine, people: People
) -> None:
    _, subject = await publish(engine, questions=2)
    candidate, admin = await people.candidate(), await people.member("admin")
    test = body_of(await candidate.post("/practice", json={"subject_id": str(subject.id)}), 201)
    async with engine.begin() as connection:
        await connection.execute(
            text("update ias.tests set owner_id = null, created_by = null where id = :id"),
            {"id": UUID(test["id"])},
        )
    for other in (candidate, admin):
        assert (await other.get(f"/tests/{test['id']}")).status_code == 404
