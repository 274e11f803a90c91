"""The review of an older attempt: `GET /tests/{id}/questions?attempt_id=`, and the state of a running one."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, start, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, body_of, hold_exam, take_paper
from tests.builders.images import uploaded
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


async def publish_next(author: httpx.AsyncClient, made: PublishedTest, **changes: Any) -> None:
    """Change the first question and publish the next version."""
    body = {"text": "Version 2?", "explanation": "Explained anew."} | changes
    body_of(await author.patch(f"/questions/{made.question_ids[0]}", json=body))
    body_of(await author.post(f"{made.path}/publish"))


async def paper(client: httpx.AsyncClient, made: PublishedTest, attempt_id: str | None = None) -> Json:
    params = {"attempt_id": attempt_id} if attempt_id else {}
    return body_of(await client.get(f"{made.path}/questions", params=params))


async def status_of(client: httpx.AsyncClient, made: PublishedTest, attempt_id: str) -> int:
    answer = await client.get(f"{made.path}/questions", params={"attempt_id": attempt_id})
    return answer.status_code


async def void(engine: AsyncEngine, attempt_id: str) -> None:
    async with engine.begin() as connection:
        statement = text("update ias.attempts set status = 'void' where id = :id")
        await connection.execute(statement, {"id": attempt_id})


class TestOlderAttempts:
    async def test_each_attempt_has_the_texts_that_it_was_graded_by(
        self, made: PublishedTest, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        first = await take_test(candidate, made, {0: ["a"]})
        image = await uploaded(author)
        passage = body_of(await author.post("/passages", json={"text": "A passage of version 2."}))
        options = [{"id": letter, "text": f"New {letter}"} for letter in "abcd"]
        more = {"media": [image["id"]], "passage_id": passage["id"], "options": options, "key": ["d"]}
        await publish_next(author, made, **more)
        second = await take_test(candidate, made, {0: ["a"]})

        old = await paper(candidate, made, first["attempt"]["id"])
        assert (old["paper_version"], old["passages"]) == (1, [])
        question = old["questions"][0]
        assert (question["text"], question["media"]) == ({"en": "Question 1"}, [])
        assert question["options"][0]["text"] == {"en": "Option a"}
        new = await paper(candidate, made, second["attempt"]["id"])
        assert new == await paper(candidate, made)
        assert (new["paper_version"], new["questions"][0]["text"]) == (2, {"en": "Version 2?"})
        assert [each["text"] for each in new["passages"]] == [{"en": "A passage of version 2."}]

        results = f"{made.path}/results"
        before, after = [
            body_of(await candidate.get(results, params={"attempt_id": each["attempt"]["id"]}))
            for each in (first, second)
        ]
        before, after = before["questions"][0], after["questions"][0]
        assert (before["key"], before["outcome"]) == ({"accepted": [["a"]]}, "correct")
        assert (after["key"], after["outcome"]) == ({"accepted": [["d"]]}, "incorrect")

    async def test_images_of_the_older_version_are_served_to_its_candidate_alone(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, people: People, made: PublishedTest
    ) -> None:
        image, other = await uploaded(author), await uploaded(author)
        await publish_next(author, made, media=[image["id"]])
        first = await take_test(candidate, made, {})
        await publish_next(author, made, media=[other["id"]])
        newcomer = await people.candidate()
        await take_test(newcomer, made, {})
        [shown] = (await paper(candidate, made, first["attempt"]["id"]))["questions"][0]["media"]
        assert shown["id"] == image["id"]
        statuses = [
            (await client.get(f"/media/{each['id']}")).status_code
            for client in (candidate, newcomer)
            for each in (image, other)
        ]
        assert statuses == [200, 404, 404, 200]

    async def test_stored_by_the_etag_and_compressed(
        self, made: PublishedTest, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        first = await take_test(candidate, made, {})
        await publish_next(author, made)
        await take_test(candidate, made, {})
        url, params = f"{made.path}/questions", {"attempt_id": first["attempt"]["id"]}
        answer = await candidate.get(url, params=params, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        held = {"If-None-Match": answer.headers["etag"]}
        assert (await candidate.get(url, params=params, headers=held)).status_code == 304
        assert (await candidate.get(url, headers=held)).status_code == 200

    async def test_a_running_attempt_keeps_its_version_and_is_the_default(
        self, made: PublishedTest, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        first = await take_test(candidate, made, {})
        sitting = await start(candidate, made)
        await publish_next(author, made)
        assert (await paper(candidate, made))["paper_version"] == 1
        assert (await paper(candidate, made, sitting.attempt["id"]))["paper_version"] == 1
        token = {"Authorization": f"Bearer {sitting.attempt['attempt_token']}"}
        url = f"{made.path}/questions"
        own = await candidate.get(url, params={"attempt_id": sitting.attempt["id"]}, headers=token)
        assert own.json()["paper_version"] == 1
        another = await candidate.get(url, params={"attempt_id": first["attempt"]["id"]}, headers=token)
        assert another.status_code == 404

    async def test_an_archived_test_can_be_reviewed(
        self, made: PublishedTest, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        first = await take_test(candidate, made, {})
        body_of(await author.post(f"{made.path}/archive"))
        assert (await paper(candidate, made, first["attempt"]["id"]))["paper_version"] == 1

    async def test_not_of_others_of_other_tests_or_void(
        self, engine: AsyncEngine, made: PublishedTest, candidate: httpx.AsyncClient, people: People
    ) -> None:
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        elsewhere = (await take_test(candidate, other, {}))["attempt"]["id"]
        theirs = (await take_test(await people.candidate(), made, {}))["attempt"]["id"]
        first = (await take_test(candidate, made, {}))["attempt"]["id"]
        voided = (await start(candidate, made)).attempt["id"]
        await void(engine, voided)
        for refused in (elsewhere, theirs, voided, str(uuid4())):
            assert await status_of(candidate, made, refused) == 404
        assert await status_of(candidate, made, first) == 200
        assert (await candidate.get(f"{made.path}/questions")).status_code == 200


class TestExams:
    async def test_served_with_the_test_from_the_release_on(
        self, made: PublishedTest, author: httpx.AsyncClient, people: People, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now(), window=HOUR)
        candidate, absent = await people.candidate(), await people.candidate()
        entrant = await take_paper(candidate, held, {0: ["a"]})
        attempt_id = entrant.attempt["id"]
        assert await status_of(candidate, made, attempt_id) == 404
        assert (await candidate.get(f"{made.path}/questions")).status_code == 404
        await held.release()
        await publish_next(author, made, key=["d"])

        shown = await paper(candidate, made, attempt_id)
        assert shown == await paper(candidate, made)
        assert (shown["paper_version"], shown["questions"][0]["text"]) == (1, {"en": "Question 1"})
        params = {"attempt_id": attempt_id}
        result = body_of(await candidate.get(f"{made.path}/results", params=params))
        assert result["questions"][0]["key"] == {"accepted": [["a"]]}
        assert await status_of(absent, made, attempt_id) == 404
        assert (await absent.get(f"{made.path}/questions")).status_code == 404


class TestQuestionsOfResults:
    async def test_section_flags_and_changes(self, made: PublishedTest, candidate: httpx.AsyncClient) -> None:
        sitting = await start(candidate, made)
        await sitting.save(
            sitting.response(0, ["b"], 1, confidence="guess", time_spent_ms=100),
            sitting.response(0, ["a"], 2, marked_for_review=True, confidence="sure", time_spent_ms=300),
            sitting.response(1, None, 1, marked_for_review=True),
        )
        again = await start(candidate, made)
        await again.save(again.response(0, ["c"], confidence="doubtful", time_spent_ms=50))
        await again.submit()
        result = await again.result()
        names = ("answer", "marked_for_review", "confidence", "changes", "time_spent_ms")
        assert [[each[name] for name in names] for each in result["questions"]] == [
            [["c"], False, "doubtful", 2, 350],
            [None, True, None, 0, 0],
            [None, False, None, 0, 0],
        ]
        [section] = result["sections"]
        assert {each["section_id"] for each in result["questions"]} == {section["id"]}


class TestStateOfARunningAttempt:
    async def test_answers_without_a_new_lease(
        self, made: PublishedTest, candidate: httpx.AsyncClient
    ) -> None:
        sitting = await start(candidate, made)
        await sitting.save(
            sitting.response(0, ["a"]),
            sitting.response(1, ["b"], marked_for_review=True),
            sitting.response(2, None, marked_for_review=True),
        )
        state = await self.state(sitting)
        assert (state["lease"], state["answered"], state["marked_for_review"]) == (1, 2, 2)
        assert "attempt_token" not in state
        by_token = await self.state(sitting, sitting.attempt["attempt_token"])
        resumed = (await start(candidate, made)).attempt
        for shown in (state, by_token):
            names = ("id", "question_order", "option_orders", "responses", "paper_version", "deadline_at")
            assert [shown[name] for name in names] == [resumed[name] for name in names]
        assert resumed["lease"] == 2
        assert (await sitting.save(sitting.response(0, ["b"], 2))).json()["saved"] == 1

    async def test_none_is_in_progress(
        self, made: PublishedTest, candidate: httpx.AsyncClient, people: People
    ) -> None:
        url = f"{made.path}/attempt"
        assert (await candidate.get(url)).status_code == 404
        sitting = await start(candidate, made)
        assert (await (await people.candidate()).get(url)).status_code == 404
        await sitting.submit()
        assert (await candidate.get(url)).status_code == 404
        await start(candidate, made)
        token = {"Authorization": f"Bearer {sitting.attempt['attempt_token']}"}
        assert (await candidate.get(url, headers=token)).status_code == 404

    async def test_at_an_exam_paper(
        self, made: PublishedTest, author: httpx.AsyncClient, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now(), window=HOUR)
        entrant = await take_paper(candidate, held, {0: ["a"], 2: ["b"]})
        state = body_of(await candidate.get(f"{entrant.path}/attempt"))
        assert (state["status"], state["answered"], state["marked_for_review"]) == ("submitted", 2, 0)
        answers = {each["question_id"]: each["answer"] for each in state["responses"]}
        assert answers == {str(made.question_ids[0]): ["a"], str(made.question_ids[2]): ["b"]}
        assert (await candidate.get(f"{made.path}/attempt")).status_code == 404

    async def state(self, sitting: AttemptClient, token: str | None = None) -> Json:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return body_of(await sitting.client.get(f"{sitting.made.path}/attempt", headers=headers))
