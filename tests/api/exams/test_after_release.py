"""Starting a paper after the release of its exam: practice, for whoever may start the test."""

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import publish_for, publish_test
from tests.builders.exams import HOUR, MINUTE, Entrant, HeldExam, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


async def status_of_start(client: httpx.AsyncClient, held: HeldExam) -> int:
    answer = await Entrant(client, held).enter()
    assert answer.is_success or answer.json()["code"] == "not_found"
    return answer.status_code


async def test_the_access_of_the_test_counts_again(
    engine: AsyncEngine, people: People, author: httpx.AsyncClient, admin: httpx.AsyncClient, clock: TestClock
) -> None:
    """Also for those who were registered: an exam does not ask for an enrolment, its test does."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, access="enrolled")
    held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
    sat, stranger, enrolled = [await people.candidate() for _ in range(3)]
    await take_paper(sat, held, {0: ["a"]})
    body_of(await admin.put(f"/users/{await user_id_of(enrolled)}/enrolment", json={"enrolled": True}))
    await held.release()
    assert await status_of_start(sat, held) == 404
    assert await status_of_start(stranger, held) == 404
    assert await status_of_start(author, held) == 201
    entrant = Entrant(enrolled, held)
    assert body_of(await entrant.enter(), 201)["practice"]
    body_of(await admin.put(f"/users/{await user_id_of(enrolled)}/enrolment", json={"enrolled": False}))
    body_of(await entrant.enter(), 200)  # An attempt in progress goes on.
    body_of(await entrant.submit())
    assert await status_of_start(enrolled, held) == 404


async def test_an_archived_test_is_not_started(
    engine: AsyncEngine, candidate: httpx.AsyncClient, author: httpx.AsyncClient, clock: TestClock
) -> None:
    made = await publish_for(engine, author)
    held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
    await held.release()
    body_of(await author.post(f"{made.path}/archive"))
    assert await status_of_start(candidate, held) == 404


async def test_what_another_exam_holds_is_not_shown_before_it(
    engine: AsyncEngine, people: People, author: httpx.AsyncClient, clock: TestClock
) -> None:
    """One test is the paper of an exam that is released and of one to come, whose candidates wait for it."""
    made = await publish_for(engine, author)
    over = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
    coming = await hold_exam(author, made, starts_at=clock.now() + HOUR)
    waiting, evaluator = await people.candidate(), await people.member("evaluator")
    await register(waiting, coming)
    await over.release()
    assert await status_of_start(waiting, over) == 404
    assert await status_of_start(evaluator, over) == 404
    assert await status_of_start(author, over) == 201
    await coming.release()
    assert await status_of_start(waiting, over) == 201


async def test_the_version_of_the_exam_decides(
    engine: AsyncEngine, candidate: httpx.AsyncClient, author: httpx.AsyncClient, clock: TestClock
) -> None:
    """The test was published again without the questions that the other exam holds."""
    made = await publish_for(engine, author)
    over = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
    await over.release()
    other = await publish_for(engine, author)
    sections = [{"name": "Paper", "question_ids": [str(each) for each in other.question_ids]}]
    body_of(await author.patch(made.path, json={"sections": sections}))
    body_of(await author.post(f"{made.path}/publish"))
    twin = await publish_for(engine, author, made)
    coming = await hold_exam(author, twin, starts_at=clock.now() + HOUR)
    body_of(await candidate.get(made.path))
    assert await status_of_start(candidate, over) == 404
    await coming.release()
    assert await status_of_start(candidate, over) == 201
