"""`POST /tests/{id}/responses`: what is saved, what is refused, and that a refusal changes nothing."""

from collections.abc import AsyncIterator
from operator import itemgetter
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, log_rows, start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.people import People
from tests.conftest import TestClock

MAX_REVISION = 2**31 - 1


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    """Two questions to choose in and a numeric one."""
    keys: list[Any] = [["a"], ["b"], {"value": "3.14", "tolerance": "0.01"}]
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, keys, languages=["en", "hi"])


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, made: PublishedTest) -> AttemptClient:
    return await start(candidate, made)


async def set_status(engine: AsyncEngine, sitting: AttemptClient, status: str, closed_by: str | None) -> None:
    statement = text("update ias.attempts set status = :status, closed_by = :closed_by where id = :id")
    values = {"status": status, "closed_by": closed_by, "id": sitting.id}
    async with engine.begin() as connection:
        await connection.execute(statement, values)


class TestSaved:
    async def test_each_response_counts_once(self, sitting: AttemptClient) -> None:
        first = await sitting.save(sitting.response(0, ["a"], 2), sitting.response(1, ["b"]))
        assert first.status_code == 200, first.text
        assert first.json() == {
            "saved": 2,
            "known": 0,
            "superseded": [],
            "conflicts": [],
            "closed": [],
            "server_time": first.json()["server_time"],
            "deadline_at": sitting.attempt["deadline_at"],
            "receipt": first.json()["receipt"],
        }
        again = await sitting.save(
            sitting.response(0, ["a"], 2),
            sitting.response(0, ["c"], 1),
            sitting.response(1, None),
            sitting.response(2, "3.14"),
        )
        body = again.json()
        question_0, question_1 = (str(question_id) for question_id in sitting.made.question_ids[:2])
        assert (body["saved"], body["known"]) == (1, 1)
        assert body["superseded"] == [{"question_id": question_0, "lease": 1, "revision": 2, "answer": ["a"]}]
        assert body["conflicts"] == [{"question_id": question_1, "lease": 1, "revision": 1, "answer": ["b"]}]

    async def test_the_device_that_resumes_gets_what_stands(self, sitting: AttemptClient) -> None:
        await sitting.save(sitting.response(0, ["a"]), sitting.response(1, ["b"]))
        await sitting.save(
            sitting.response(0, ["c"], 2, marked_for_review=True, time_spent_ms=9, confidence="guess"),
            sitting.response(1, None, 2),
        )
        resumed = await start(sitting.client, sitting.made)
        assert (resumed.attempt["id"], resumed.attempt["lease"]) == (sitting.attempt["id"], 2)
        standing = {each["question_id"]: each for each in resumed.attempt["responses"]}
        assert standing[str(sitting.made.question_ids[0])] == {
            "question_id": str(sitting.made.question_ids[0]),
            "answer": ["c"],
            "lease": 1,
            "revision": 2,
            "marked_for_review": True,
            "time_spent_ms": 9,
            "confidence": "guess",
        }
        assert standing[str(sitting.made.question_ids[1])]["answer"] is None

    async def test_an_old_phone_fills_gaps_and_overwrites_nothing(self, sitting: AttemptClient) -> None:
        laptop = await start(sitting.client, sitting.made)
        await laptop.save(laptop.response(0, ["b"]))
        late_queue = await sitting.save(sitting.response(0, ["a"], 9), sitting.response(1, ["b"], 9))
        assert late_queue.json()["saved"] == 1
        assert [each["answer"] for each in late_queue.json()["superseded"]] == [["b"]]

    async def test_answers_that_are_taken(self, sitting: AttemptClient) -> None:
        answers: list[tuple[int, Any]] = [(0, ["a", "b"]), (0, ["d"]), (0, None)]
        answers += [(2, "3.14"), (2, "-22/7"), (2, ".5"), (2, " 3.14 ")]
        for revision, (number, answer) in enumerate(answers, 1):
            saved = await sitting.save(sitting.response(number, answer, revision))
            assert (saved.status_code, saved.json()["saved"]) == (200, 1), answer

    async def test_the_ends_of_revisions(self, sitting: AttemptClient) -> None:
        for revision in (1, MAX_REVISION):
            assert (await sitting.save(sitting.response(0, ["a"], revision))).json()["saved"] == 1

    async def test_two_hundred_at_once(self, engine: AsyncEngine, sitting: AttemptClient) -> None:
        sent = [sitting.response(0, ["a"], revision) for revision in range(1, 201)]
        saved = await sitting.save(*sent)
        assert saved.json()["saved"] == 200
        assert len(await log_rows(engine, sitting)) == 200


class TestRefused:
    """What is refused changes nothing, so one sitting is enough for all of it."""

    @pytest.fixture(scope="class")
    async def sitting(self, people: People, made: PublishedTest) -> AttemptClient:
        sitting = await start(await people.candidate(), made)
        await sitting.save(sitting.response(0, ["a"]))
        return sitting

    @pytest.fixture(autouse=True)
    async def _nothing_changes(self, engine: AsyncEngine, sitting: AttemptClient) -> AsyncIterator[None]:
        before = await log_rows(engine, sitting)
        yield
        assert await log_rows(engine, sitting) == before

    async def test_one_wrong_response_refuses_all(self, sitting: AttemptClient) -> None:
        mistakes: list[tuple[Json, str]] = [
            ({"answer": []}, "answer"),
            ({"answer": ["a", "a"]}, "answer"),
            ({"answer": ["e"]}, "answer"),
            ({"answer": ["A"]}, "answer"),
            ({"answer": "a"}, "answer"),
            ({"answer": ["a", "b", "c", "d", "e"]}, "answer"),
            ({"answer": ["a"] * 21}, "answer"),
            ({"answer": ["a b"]}, "answer"),
            ({"answer": [1]}, "answer"),
            ({"answer": [None]}, "answer"),
            ({"answer": [["a"]]}, "answer"),
            ({"answer": 1}, "answer"),
            ({"answer": True}, "answer"),
            ({"answer": {"a": True}}, "answer"),
            ({"question_id": str(uuid4())}, "question_id"),
            ({"question_id": "1"}, "question_id"),
            ({"question_id": None}, "question_id"),
            ({"revision": 0}, "revision"),
            ({"revision": -1}, "revision"),
            ({"revision": 2**31}, "revision"),
            ({"revision": 10**30}, "revision"),
            ({"revision": 1.5}, "revision"),
            ({"revision": True}, "revision"),
            ({"revision": "1"}, "revision"),
            ({"revision": None}, "revision"),
            ({"language": "fr"}, "language"),
            ({"language": "english please"}, "language"),
            ({"language": 5}, "language"),
            ({"confidence": "certain"}, "confidence"),
            ({"time_spent_ms": -1}, "time_spent_ms"),
            ({"time_spent_ms": 2**31}, "time_spent_ms"),
            ({"time_spent_ms": 0.5}, "time_spent_ms"),
            ({"time_spent_ms": "soon"}, "time_spent_ms"),
            ({"time_spent_ms": None}, "time_spent_ms"),
            ({"marked_for_review": "perhaps"}, "marked_for_review"),
            ({"marked_for_review": None}, "marked_for_review"),
            ({"lease": 1}, "lease"),
            ({"correct": True}, "correct"),
        ]
        for changes, field in mistakes:
            wrong = sitting.response(1, ["b"]) | changes
            refused = await sitting.save(sitting.response(0, ["b"], 2), wrong)
            assert refused.status_code == 422, changes
            fields = {error["field"] for error in refused.json()["errors"]}
            assert fields == {f"responses.1.{field}"}, changes

    async def test_numbers(self, sitting: AttemptClient) -> None:
        wrong: list[Any] = [
            ["3.14"],
            ["a"],
            "",
            "three",
            "1e5",
            "1/0",
            "3,14",
            "0x10",
            "½",
            "1" * 33,
            "--1",
            "nan",
            "inf",
            "1 000",
        ]
        for answer in wrong:
            refused = await sitting.save(sitting.response(2, answer))
            assert refused.status_code == 422, answer
            assert [error["field"] for error in refused.json()["errors"]] == ["responses.0.answer"], answer

    async def test_the_rest_of_the_body(self, sitting: AttemptClient) -> None:
        mistakes: list[tuple[Json, str]] = [
            ({"responses": []}, "responses"),
            ({"responses": {}}, "responses"),
            ({"responses": None}, "responses"),
            ({"responses": ["a"]}, "responses.0"),
            ({"responses": [None]}, "responses.0"),
            ({"responses": [{}]}, "responses.0.question_id"),
            ({"lease": 0}, "lease"),
            ({"lease": 2}, "lease"),
            ({"lease": 2**31}, "lease"),
            ({"lease": True}, "lease"),
            ({"lease": "1"}, "lease"),
            ({"lease": None}, "lease"),
            ({"attempt_id": None}, "attempt_id"),
            ({"attempt_id": "first"}, "attempt_id"),
            ({"test_id": str(uuid4())}, "test_id"),
        ]
        for changes, field in mistakes:
            refused = await sitting.save(sitting.response(0, ["a"]), **changes)
            assert refused.status_code == 422, changes
            assert field in {error["field"] for error in refused.json()["errors"]}, changes

    async def test_201_responses(self, sitting: AttemptClient) -> None:
        refused = await sitting.save(*(sitting.response(0, ["a"], number) for number in range(1, 202)))
        assert refused.status_code == 422

    async def test_every_wrong_response_is_named(self, sitting: AttemptClient) -> None:
        refused = await sitting.save(
            sitting.response(0, ["x"]), sitting.response(1, ["b"]), sitting.response(2, ["a"], language="fr")
        )
        assert [error["field"] for error in refused.json()["errors"]] == [
            "responses.0.answer",
            "responses.2.language",
            "responses.2.answer",
        ]

    async def test_an_attempt_at_another_test(self, engine: AsyncEngine, sitting: AttemptClient) -> None:
        async with unit_of_work(engine) as uow:
            other_test = await publish_test(uow)
        other = await start(sitting.client, other_test)
        refused = await sitting.save(sitting.response(0, ["a"]), attempt_id=other.attempt["id"])
        assert refused.status_code == 404
        assert await log_rows(engine, other) == []

    async def test_another_persons_attempt_is_like_none(self, people: People, sitting: AttemptClient) -> None:
        stranger = await start(await people.candidate(), sitting.made)
        answers = [
            await stranger.save(stranger.response(0, ["a"]), attempt_id=attempt_id)
            for attempt_id in (str(sitting.id), str(uuid4()))
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert without_request_id(answers[0]) == without_request_id(answers[1])


def without_request_id(answer: httpx.Response) -> Json:
    return {name: value for name, value in answer.json().items() if name != "request_id"}


class TestLate:
    async def test_in_grace_it_counts(self, sitting: AttemptClient, clock: TestClock) -> None:
        clock.advance(605)
        assert (await sitting.save(sitting.response(0, ["a"]))).json()["saved"] == 1

    async def test_after_grace_it_is_kept_and_does_not_count(
        self, engine: AsyncEngine, sitting: AttemptClient, clock: TestClock
    ) -> None:
        await sitting.save(sitting.response(0, ["b"]))
        clock.advance(700)
        late = await sitting.save(sitting.response(0, ["a"], 2), sitting.response(1, ["b"]))
        assert late.status_code == 409, late.text
        problem = late.json()
        assert (problem["code"], problem["recorded"]) == ("deadline_passed", True)
        assert problem["deadline_at"] == sitting.attempt["deadline_at"]
        assert sorted(row[-1] for row in await log_rows(engine, sitting)) == [False, True, True]
        assert (await sitting.submit()).json()["submitted_at"] == sitting.attempt["deadline_at"]
        result = await sitting.result()
        assert [each["answer"] for each in result["questions"]] == [["b"], None, None]

    async def test_what_had_come_in_time_is_not_called_late_when_it_is_repeated(
        self, sitting: AttemptClient, clock: TestClock
    ) -> None:
        await sitting.save(sitting.response(0, ["a"]))
        clock.advance(700)
        repeated = await sitting.save(sitting.response(0, ["a"]))
        assert repeated.status_code == 409
        problem = repeated.json()
        assert (problem["code"], problem["recorded"], problem["known"]) == ("deadline_passed", False, 1)
        mixed = (await sitting.save(sitting.response(0, ["a"]), sitting.response(1, ["b"]))).json()
        assert (mixed["recorded"], mixed["known"]) == (True, 1)
        await sitting.submit()
        assert (await sitting.result())["correct"] == 1

    async def test_what_was_kept_as_late_is_recorded_and_another_content_is_not(
        self, engine: AsyncEngine, sitting: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(700)
        first, other, new = sitting.response(0, ["a"]), sitting.response(0, ["b"]), sitting.response(1, ["b"])
        sent = [[first], [first], [other], [first, other], [other, new], [other, new], [other]]
        problems = [(await sitting.save(*each)).json() for each in sent]
        assert [(each["code"], each["recorded"]) for each in problems] == [
            ("deadline_passed", recorded) for recorded in (True, True, False, True, True, True, False)
        ]
        assert {each["known"] for each in problems} == {0}
        assert "stored" not in problems[2]["detail"]
        assert [row[-2:] for row in sorted(await log_rows(engine, sitting), key=itemgetter(-2))] == [
            (["a"], True),
            (["b"], True),
        ]

    async def test_swept_and_graded_it_is_the_same(
        self, engine: AsyncEngine, parts: Components, sitting: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(700)
        for number in range(2):
            late = await sitting.save(sitting.response(number, ["a"]))
            assert (late.status_code, late.json()["code"]) == (409, "deadline_passed")
            assert late.json()["recorded"] is True
            await set_status(engine, sitting, "submitted", "deadline")
        async with unit_of_work(engine) as uow:
            assert await attempts.grade_batch(uow, parts, [sitting.id], clock.now())
        late = await sitting.save(sitting.response(2, "3.14"))
        assert (late.status_code, late.json()["recorded"]) == (409, True)
        assert [row[-1] for row in await log_rows(engine, sitting)] == [True, True, True]
        assert (await sitting.result())["correct"] == 0

    async def test_what_is_wrong_is_not_kept_either(
        self, engine: AsyncEngine, sitting: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(700)
        assert (await sitting.save(sitting.response(0, ["x"]))).status_code == 422
        assert await log_rows(engine, sitting) == []

    @pytest.mark.parametrize(
        ("status", "closed_by"),
        [("submitted", "candidate"), ("submitted", "staff"), ("paused", None), ("void", None)],
    )
    @pytest.mark.parametrize("seconds", [0, 700])
    async def test_ended_or_paused(
        self,
        engine: AsyncEngine,
        sitting: AttemptClient,
        clock: TestClock,
        status: str,
        closed_by: str | None,
        seconds: int,
    ) -> None:
        await set_status(engine, sitting, status, closed_by)
        clock.advance(seconds)
        refused = await sitting.save(sitting.response(0, ["a"]))
        assert (refused.status_code, refused.json()["code"]) == (409, "attempt_not_in_progress")
        assert await log_rows(engine, sitting) == []
