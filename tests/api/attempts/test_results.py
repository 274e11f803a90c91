"""`GET /tests/{id}/results`: exact marks, rank and percentile, and what may be reviewed."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, add_candidate, graded_attempt, start, start_attempt, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.people import People
from tests.conftest import TestClock


async def publish(engine: AsyncEngine, **changes: Any) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, **changes)


def without_request_id(answer: httpx.Response) -> Json:
    return {name: value for name, value in answer.json().items() if name != "request_id"}


class TestResult:
    async def test_marks_counts_and_questions(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        sitting = await start(candidate, made)
        await sitting.save(
            sitting.response(0, ["a"], time_spent_ms=5000),
            sitting.response(1, ["c"]),
            sitting.response(2, ["c"]),
            sitting.response(2, None, 2),
        )
        submitted = await sitting.submit()
        assert submitted.json()["status"] == "graded"
        result = await sitting.result()
        questions = result.pop("questions")
        [section] = result.pop("sections")
        figures = {
            "score": "1.34",
            "score_exact": "4/3",
            "max_score": "6.00",
            "correct": 1,
            "incorrect": 1,
            "partial": 0,
            "unattempted": 1,
            "dropped": 0,
            "accuracy": 0.5,
            "marks_gained": "2.00",
            "marks_lost": "0.66",
        }
        minimum = {"minimum_marks": None, "minimum_reached": None}
        assert section == figures | minimum | {"id": section["id"], "name": {"en": "Paper"}}
        assert result == figures | {
            "attempt": {name: value for name, value in submitted.json().items() if name != "result"},
            "qualification": "qualified",
            "revisions": [],
            "rank": 1,
            "participants": 1,
            "percentile": 100.0,
            "cohort": {"exam_paper_id": None, "paper_version": 1, "paper_versions": [1]},
        }
        assert [(each["number"], each["answer"], each["outcome"], each["marks"]) for each in questions] == [
            (1, ["a"], "correct", "2.00"),
            (2, ["c"], "incorrect", "-0.66"),
            (3, None, "unattempted", "0.00"),
        ]
        assert [each["key"] for each in questions] == made.keys
        assert [each["time_spent_ms"] for each in questions] == [5000, 0, 0]
        assert questions[0]["explanation"] == {"en": "SECRET-EXPLANATION 1"}

    async def test_nothing_attempted(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        result = await take_test(candidate, await publish(engine), {})
        assert (result["score"], result["accuracy"], result["unattempted"]) == ("0.00", None, 3)

    async def test_submitting_again_gives_the_same(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        sitting = await start(candidate, await publish(engine))
        first = await sitting.submit()
        clock.advance(60)
        assert (await sitting.submit()).json() == first.json()
        assert (await sitting.result())["participants"] == 1

    async def test_submitting_many_times_at_once_gives_the_same(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        sitting = await start(candidate, await publish(engine))
        answers = await asyncio.gather(*(sitting.submit() for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert (await sitting.result())["participants"] == 1


class TestWhichAttempt:
    async def test_without_an_attempt(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine)
        answers = [
            await candidate.get(f"{path}/results", params=params)
            for path in (made.path, f"/tests/{uuid4()}")
            for params in ({}, {"attempt_id": str(uuid4())})
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({str(without_request_id(answer)) for answer in answers}) == 1

    async def test_another_persons_is_like_none(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, people: People
    ) -> None:
        made = await publish(engine)
        theirs = (await take_test(await people.candidate(), made, {0: ["a"]}))["attempt"]["id"]
        answers = [
            await candidate.get(f"{made.path}/results", params={"attempt_id": attempt_id})
            for attempt_id in (theirs, str(uuid4()))
        ]
        answers += [
            await candidate.post(f"{made.path}/submit", json={"attempt_id": attempt_id})
            for attempt_id in (theirs, str(uuid4()))
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({str(without_request_id(answer)) for answer in answers}) == 1

    async def test_not_graded_yet(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, parts: Components, clock: TestClock
    ) -> None:
        sitting = await start(candidate, await publish(engine))

        async def status() -> tuple[int, str | None]:
            answer = await candidate.get(f"{sitting.made.path}/results")
            return answer.status_code, answer.json().get("code")

        assert await status() == (409, "not_graded_yet")
        clock.advance(700)
        async with engine.begin() as connection:
            closing = "update ias.attempts set status = 'submitted', closed_by = 'deadline' where id = :id"
            await connection.execute(text(closing), {"id": sitting.id})
        assert await status() == (409, "not_graded_yet")
        async with unit_of_work(engine) as uow:
            await attempts.grade_batch(uow, parts, [sitting.id], clock.now())
        assert await status() == (200, None)

    async def test_the_latest_or_the_one_named(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        first = await take_test(candidate, made, {0: ["a"]})
        second = await take_test(candidate, made, {0: ["b"]})
        latest = (await candidate.get(f"{made.path}/results")).json()
        assert latest == second
        named = {"attempt_id": first["attempt"]["id"]}
        assert (await candidate.get(f"{made.path}/results", params=named)).json() == first

    async def test_a_void_one_is_not_the_latest(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        first = await take_test(candidate, made, {0: ["a"]})
        second = await start(candidate, made)
        async with engine.begin() as connection:
            await connection.execute(
                text("update ias.attempts set status = 'void' where id = :id"), {"id": second.id}
            )
        assert (await candidate.get(f"{made.path}/results")).json() == first


class TestReview:
    @pytest.mark.parametrize("review", ["after_submit", "after_release"])
    async def test_shown(self, engine: AsyncEngine, candidate: httpx.AsyncClient, review: str) -> None:
        """No exam holds the test, so nothing is to be released."""
        result = await take_test(candidate, await publish(engine, review=review), {0: ["a"]})
        assert [each["key"] for each in result["questions"]] == [{"accepted": [[key]]} for key in "abc"]

    async def test_never(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, review="never")
        result = await take_test(candidate, made, {0: ["a"]})
        assert (result["questions"], result["score"]) == (None, "2.00")
        shown = (await candidate.get(f"{made.path}/results")).text
        assert "SECRET" not in shown
        assert "accepted" not in shown


class TestRank:
    async def test_equal_scores_share_a_rank(self, engine: AsyncEngine, people: People) -> None:
        made = await publish(engine)
        sheets: list[dict[int, Any]] = [
            {0: ["a"], 1: ["b"], 2: ["c"]},  # 6
            {0: ["a"], 1: ["b"], 2: ["a"]},  # 4 - 2/3
            {0: ["a"], 1: ["a"], 2: ["c"]},  # 4 - 2/3, with other answers
            {},  # 0
        ]
        clients = [await people.candidate() for _ in sheets]
        for client, sheet in reversed(list(zip(clients, sheets, strict=True))):
            live = await take_test(client, made, sheet)
            assert live["rank"] == 1  # each is the best so far
        results = [(await client.get(f"{made.path}/results")).json() for client in clients]
        assert [result["rank"] for result in results] == [1, 2, 2, 4]
        assert [result["percentile"] for result in results] == [100.0, 75.0, 75.0, 25.0]
        assert {result["participants"] for result in results} == {4}

    async def test_ranks_compare_exact_scores(self, engine: AsyncEngine, people: People) -> None:
        """Both scores print as 0.00."""
        marking = {"correct": "1", "incorrect": "-0.001", "rounding": "half_up"}
        made = await publish(engine, marking=marking)
        lower = await take_test(await people.candidate(), made, {0: ["b"]})
        higher = await take_test(await people.candidate(), made, {})
        assert (lower["score"], higher["score"]) == ("0.00", "0.00")
        assert (lower["score_exact"], higher["score_exact"]) == ("-1/1000", "0")
        assert higher["rank"] == 1
        assert (await take_test(await people.candidate(), made, {0: ["b"]}))["rank"] == 2


class TestCorrectPercent:
    """Of the participants: official attempts that are graded and not void, not of staff."""

    async def test_of_all_participants_from_twenty_on(
        self, engine: AsyncEngine, parts: Components, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        await take_test(candidate, made, {0: ["a"]})
        await take_test(candidate, made, {1: ["b"]})  # practice
        await take_test(author, made, {1: ["b"]})  # of staff
        now = parts.clock.now()
        async with unit_of_work(engine) as uow:
            for number in range(18):
                answers = {0: ["a"] if number < 4 else ["b"], 2: ["c"]}
                await graded_attempt(uow, parts, await add_candidate(uow), made, answers, now)
        assert await self.shown(candidate, made) == [None, None, None]
        async with unit_of_work(engine) as uow:
            last = await graded_attempt(uow, parts, await add_candidate(uow), made, {2: ["c"]}, now)
        assert await self.shown(candidate, made) == [25.0, 0.0, 95.0]
        async with unit_of_work(engine) as uow:
            await attempts.withdraw_results(uow, [last.id])
        assert await self.shown(candidate, made) == [None, None, None]

    async def test_counted_as_the_histogram_counts(
        self, engine: AsyncEngine, parts: Components, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        await take_test(candidate, made, {0: ["a"]})
        async with unit_of_work(engine) as uow:
            sat = [await start_attempt(uow, parts, made, parts.clock.now()) for _ in range(3)]
            for attempt in sat:
                await attempts.close(uow, attempt, "staff", parts.clock.now())
            await uow.attempts.flush()
            await attempts.grade_batch(uow, parts, [attempt.id for attempt in sat], parts.clock.now())
        async with unit_of_work(engine) as uow:
            await uow.session.execute(
                text("delete from ias.attempts where id = :id"), {"id": sat[0].id}
            )  # its result goes with it
            shares = await uow.attempt_reviews.correct_shares(made.id)
        assert [shares[question] for question in made.question_ids] == [(1, 3), (0, 3), (0, 3)]

    async def test_a_dropped_question_has_none(
        self, engine: AsyncEngine, parts: Components, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine, keys=(["a"], {"dropped": True}))
        await take_test(candidate, made, {0: ["a"]})
        async with unit_of_work(engine) as uow:
            for _ in range(19):
                await graded_attempt(uow, parts, await add_candidate(uow), made, {}, parts.clock.now())
        assert await self.shown(candidate, made) == [5.0, None]

    async def shown(self, client: httpx.AsyncClient, made: PublishedTest) -> list[float | None]:
        answer = await client.get(f"{made.path}/results")
        return [each["correct_percent"] for each in answer.json()["questions"]]
