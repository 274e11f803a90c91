"""Releasing results over HTTP: held until then, exact, for everybody at once, and for nobody else."""

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, HeldExam, Json, body_of, hold_exam, moment, register, take_paper
from tests.builders.people import People
from tests.builders.prelims import RIGHT, prelims, sit_both
from tests.conftest import TestClock

__all__ = ["prelims"]


async def result(client: httpx.AsyncClient, held: HeldExam) -> Json:
    return body_of(await client.get(f"{held.path}/results"))


class TestResults:
    async def test_over_all_papers(self, people: People, prelims: HeldExam) -> None:
        best = await sit_both(people, prelims, RIGHT, RIGHT)
        third = await sit_both(people, prelims, {0: ["a"], 1: ["a"]}, RIGHT, category="obc")
        failed = await sit_both(people, prelims, RIGHT, {0: ["b"]})
        missed = await sit_both(people, prelims, RIGHT, None)
        absent = await people.candidate()
        await register(absent, prelims)
        released = await prelims.release()
        assert (released["status"], released["participants"], released["version"]) == ("released", 2, 1)

        first = await result(best, prelims)
        assert (first["outcome"], first["rank"], first["participants"]) == ("ranked", 1, 2)
        assert (first["total"], first["total_exact"], first["percentile"]) == ("6.00", "6", 100.0)
        assert first["cutoff"] == {
            "category": "general",
            "marks": "3.00",
            "cleared": True,
            "reason": None,
            "papers": [],
        }
        assert [(p["code"], p["score"], p["max_score"], p["qualified"]) for p in first["papers"]] == [
            ("CSAT", "6.00", "6.00", True),
            ("GS", "6.00", "6.00", True),
        ]
        second = await result(third, prelims)
        assert (second["rank"], second["category_rank"], second["percentile"]) == (2, 1, 50.0)
        assert (second["total"], second["total_exact"]) == ("1.34", "4/3")
        assert (second["cutoff"]["cleared"], second["cutoff"]["reason"]) == (False, "below_marks")
        out = await result(failed, prelims)
        assert (out["outcome"], out["qualified"], out["rank"], out["total"]) == (
            "not_qualified",
            False,
            None,
            "6.00",
        )
        assert out["cutoff"] == {
            "category": "general",
            "marks": "3.00",
            "cleared": False,
            "reason": "not_qualified",
            "papers": ["CSAT"],
        }
        half = await result(missed, prelims)
        assert (half["outcome"], half["rank"]) == ("not_qualified", None)
        assert [paper["score"] for paper in half["papers"]] == [None, "6.00"]
        nothing = await result(absent, prelims)
        assert (nothing["outcome"], nothing["total"], nothing["rank"]) == ("absent", None, None)

    async def test_the_paper_is_reviewed_question_by_question(
        self, people: People, prelims: HeldExam, made: PublishedTest
    ) -> None:
        client = await sit_both(people, prelims, {0: ["a"], 1: ["a"]}, RIGHT)
        await prelims.release()
        review = body_of(await client.get(f"{made.path}/results"))
        assert [question["outcome"] for question in review["questions"]] == [
            "correct",
            "incorrect",
            "unattempted",
        ]
        assert (review["attempt"]["status"], review["rank"], review["participants"]) == ("graded", 1, 1)
        listed = body_of(await client.get("/users/attempts"))["items"]
        assert {row["status"] for row in listed} == {"graded"}

    async def test_who_was_not_registered_has_none(
        self, people: People, candidate: httpx.AsyncClient, prelims: HeldExam
    ) -> None:
        await sit_both(people, prelims, RIGHT, RIGHT)
        await prelims.release()
        assert (await candidate.get(f"{prelims.path}/results")).status_code == 404

    async def test_equal_marks_share_a_rank(self, people: People, prelims: HeldExam) -> None:
        clients = [await sit_both(people, prelims, gs, RIGHT) for gs in (RIGHT, {0: ["a"]}, {1: ["b"]}, {})]
        await prelims.release()
        assert [(await result(client, prelims))["rank"] for client in clients] == [1, 2, 2, 4]


class TestRelease:
    async def test_not_while_somebody_sits(
        self, candidate: httpx.AsyncClient, prelims: HeldExam, clock: TestClock
    ) -> None:
        entrant = await register(candidate, prelims)
        body_of(await entrant.enter())
        body = {"early": True, "reason": "a mistake"}
        early = await prelims.staff.post(f"{prelims.path}/release-results", json=body)
        assert (early.status_code, early.json()["code"]) == (409, "attempts_in_progress")
        assert (early.json()["running"], early.json()["paused"]) == (1, 0)
        assert moment(early.json()["last_deadline_at"]) == moment(entrant.attempt["deadline_at"])
        # Nothing has changed: the next candidate still enters.
        assert body_of(await candidate.get(f"{prelims.path}/papers"))["items"][0]["status"] == "open"
        clock.advance(600 + 20)  # over, and no worker has swept
        await prelims.release()
        assert (await result(candidate, prelims))["outcome"] == "not_qualified"

    async def test_again_is_the_same(self, people: People, prelims: HeldExam) -> None:
        client = await sit_both(people, prelims, RIGHT, RIGHT)
        first, second = await prelims.release(), await prelims.release()
        assert first == second
        assert (await result(client, prelims))["version"] == 1

    async def test_entry_is_closed_with_it(self, candidate: httpx.AsyncClient, prelims: HeldExam) -> None:
        await prelims.release()
        answer = await candidate.post(f"{prelims.path}/register")
        assert (answer.status_code, answer.json()["code"]) == (409, "entry_closed")

    async def test_what_was_never_held_is_not_released(
        self, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now(), publish=False)
        assert (await author.post(f"{held.path}/release-results")).status_code == 409

    async def test_then_attempts_stand_as_they_are(self, people: People, prelims: HeldExam) -> None:
        entrant = await take_paper(await people.candidate(), prelims, RIGHT)
        await prelims.release()
        answer = await prelims.order("void", entrant.attempt, reason="late doubt")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")

    async def test_attempts_outside_the_exam_stay_as_they_are(
        self,
        author: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        engine: AsyncEngine,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        """Only the worker closes what is overdue elsewhere."""
        held = await hold_exam(author, made, starts_at=clock.now(), window=HOUR / 4)
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        overdue = await start(candidate, other)
        clock.advance(HOUR.total_seconds() / 2)
        await held.release()

        async with engine.connect() as connection:
            status = await connection.scalar(select(Attempt.status).where(Attempt.id == overdue.id))
        assert status == "in_progress"


class TestTimes:
    async def test_the_stage_is_released_whatever_the_clock_says(
        self, candidate: httpx.AsyncClient, prelims: HeldExam, clock: TestClock
    ) -> None:
        released = await prelims.release()
        assert moment(released["released_at"]) <= clock.now()
        assert body_of(await candidate.get(prelims.path))["status"] == "released"
