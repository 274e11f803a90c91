"""Releasing before papers are over, and the dry run of a release."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, HeldExam, Json, body_of, hold_exam, moment, register, take_paper
from tests.builders.people import People
from tests.conftest import TestClock
from tests.written_rows import everything

EARLY: Json = {"early": True, "reason": "the second paper is cancelled"}


@pytest.fixture
async def two(
    admin: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, clock: TestClock
) -> HeldExam:
    """The first paper is open, and the second one is tomorrow."""
    async with unit_of_work(engine) as uow:
        second = await publish_test(uow)
    later = clock.now() + 24 * HOUR
    times = {
        "starts_at": later.isoformat(),
        "entry_closes_at": (later + HOUR / 2).isoformat(),
        "ends_at": (later + HOUR / 2).isoformat(),
    }
    papers: list[Json] = [{}, {"counts_for_merit": False} | times]
    closes_at = (later + HOUR).isoformat()
    return await hold_exam(
        admin, made, second, starts_at=clock.now(), window=HOUR / 2, papers=papers, closes_at=closes_at
    )


async def release(held: HeldExam, **body: object) -> httpx.Response:
    return await held.staff.post(f"{held.path}/release-results", json=body)


class TestPapersNotOver:
    async def test_one_empty_call_releases_nothing(self, two: HeldExam, clock: TestClock) -> None:
        refused = await release(two)
        assert (refused.status_code, refused.json()["code"]) == (409, "papers_not_over")
        named = {paper["code"]: moment(paper["ends_at"]) for paper in refused.json()["papers"]}
        assert named == {paper["code"]: moment(paper["ends_at"]) for paper in two.papers}
        clock.advance(1801)  # the first one is over
        assert [paper["code"] for paper in (await release(two)).json()["papers"]] == ["GS2"]
        assert body_of(await two.staff.get(two.path))["released_at"] is None

    async def test_early_with_a_reason_it_is_released_and_audited(self, two: HeldExam) -> None:
        assert body_of(await release(two, **EARLY))["status"] == "released"
        entry = body_of(await two.staff.get(f"{two.path}/audit"))["items"][0]
        assert (entry["action"], entry["reason"]) == ("release", EARLY["reason"])
        assert entry["details"]["closed_early"] == ["GS1", "GS2"]
        again = await release(two)
        assert again.status_code == 200

    @pytest.mark.parametrize("body", [{"early": True}, {"reason": "x"}, {"early": 1, "reason": "x"}])
    async def test_early_and_reason_belong_together(self, two: HeldExam, body: Json) -> None:
        assert (await release(two, **body)).status_code == 422


class TestDryRun:
    async def test_says_what_would_be_and_changes_nothing(
        self, two: HeldExam, people: People, engine: AsyncEngine
    ) -> None:
        for answers in ({0: ["a"], 1: ["b"]}, {0: ["a"]}, {0: ["b"]}):
            await take_paper(await people.candidate(), two, answers)
        await register(await people.candidate(), two)
        before = await everything(engine)
        seen = body_of(await release(two, **EARLY, dry_run=True))
        assert await everything(engine) == before
        assert (seen["dry_run"], seen["closes"], seen["registered"]) == (True, ["GS1", "GS2"], 4)
        assert (seen["participants"], seen["graded_now"]) == (3, 3)
        assert seen["outcomes"] == {"ranked": 3, "absent": 1}
        assert [(place["rank"], place["total"]) for place in seen["first_ranks"]] == [
            (1, "4.00"),
            (2, "2.00"),
            (3, "-0.66"),
        ]
        released = body_of(await release(two, **EARLY))
        assert released["participants"] == 3

    async def test_is_refused_like_the_release(self, two: HeldExam, people: People) -> None:
        assert (await release(two, dry_run=True)).json()["code"] == "papers_not_over"
        entrant = await register(await people.candidate(), two)
        body_of(await entrant.enter(), 201)
        assert (await release(two, **EARLY, dry_run=True)).json()["code"] == "attempts_in_progress"
        other = await people.member("author")
        answer = await other.post(f"{two.path}/release-results", json=EARLY | {"dry_run": True})
        assert answer.status_code == 403

    async def test_shows_no_results_to_who_may_not_know_the_keys(
        self, author: httpx.AsyncClient, made: PublishedTest, people: People, clock: TestClock
    ) -> None:
        """The test is nobody's, and its key is not the exam's author's before the release."""
        held = await hold_exam(author, made, starts_at=clock.now())
        await take_paper(await people.candidate(), held, {0: ["a"]})
        seen = body_of(await release(held, **EARLY, dry_run=True))
        assert (seen["outcomes"], seen["first_ranks"], seen["participants"]) == (None, None, None)
        assert (seen["registered"], seen["closes"]) == (1, ["GS1"])
