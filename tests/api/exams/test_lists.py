"""Exams as candidates find them: filters, the next start, one's registration, and papers before they open."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.content import UPSC, publish_for
from tests.builders.exams import MINUTE, HeldExam, Json, body_of, hold_exam, moment, register
from tests.conftest import TestClock

UNIT = 6 * MINUTE  # So that everything is over before an access token expires.
DAY = timedelta(days=1)


@pytest.fixture
async def held(engine: AsyncEngine, author: httpx.AsyncClient, clock: TestClock) -> HeldExam:
    """Two papers: in one unit of time for two units, and five units later."""
    now = clock.now()
    made = [await publish_for(engine, author) for _ in range(2)]
    starts = (now + UNIT, now + 6 * UNIT)
    papers = [times(start) for start in starts]
    whole: Json = {"opens_at": now.isoformat(), "closes_at": (now + DAY).isoformat()}
    return await hold_exam(author, *made, starts_at=now, papers=papers, **whole)


def times(start: datetime) -> Json:
    return {
        "starts_at": start.isoformat(),
        "entry_closes_at": (start + UNIT).isoformat(),
        "ends_at": (start + 2 * UNIT).isoformat(),
    }


async def shown(client: httpx.AsyncClient, held: HeldExam) -> Json:
    """The exam, which must be the same in the list as by itself."""
    exam = body_of(await client.get(held.path))
    assert exam in (await listed(client, status=exam["status"]))
    return exam


async def listed(client: httpx.AsyncClient, **params: Any) -> list[Json]:
    return list(body_of(await client.get("/exams", params={"limit": 100} | params))["items"])


class TestStage:
    async def test_live_while_a_paper_is_open_and_scheduled_in_between(
        self, held: HeldExam, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        first, second = (paper["starts_at"] for paper in held.papers)
        seen = []
        for units in (0, 1, 2, 3, 2):  # in all: 0, 1, 3, 6, 8
            clock.advance(seconds=units * UNIT.total_seconds())
            exam = await shown(candidate, held)
            seen.append((exam["status"], exam["next_start_at"]))
        assert seen == [
            ("scheduled", first),
            ("live", second),
            ("scheduled", second),
            ("live", None),
            ("closed", None),
        ]

    async def test_a_cancelled_exam_has_no_next_start(
        self, held: HeldExam, candidate: httpx.AsyncClient
    ) -> None:
        body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "flood"}))
        exam = await shown(candidate, held)
        assert (exam["status"], exam["next_start_at"]) == ("cancelled", None)

    async def test_answers_of_staff_have_the_same_fields(self, held: HeldExam) -> None:
        postponed = body_of(
            await held.staff.post(f"{held.path}/postpone", json={"seconds": 360, "reason": "rain"})
        )
        assert postponed == body_of(await held.staff.get(held.path))
        assert moment(postponed["next_start_at"]) == moment(held.papers[0]["starts_at"]) + UNIT


class TestRegistered:
    async def test_ones_own_place(self, held: HeldExam, candidate: httpx.AsyncClient) -> None:
        before = await shown(candidate, held)
        assert (before["registered"], before["my_roll_number"]) == (False, None)
        await register(candidate, held)
        after = await shown(candidate, held)
        assert after["registered"] is True
        assert after["my_roll_number"] == after["my_registration"]["roll_number"]

    async def test_filter(
        self, held: HeldExam, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        other = await hold_exam(held.staff, await publish_for(engine, held.staff), starts_at=clock.now())
        await register(candidate, held)
        assert [exam["id"] for exam in await listed(candidate, registered=True)] == [held.exam["id"]]
        others = [exam["id"] for exam in await listed(candidate, registered=False)]
        assert other.exam["id"] in others
        assert held.exam["id"] not in others
        assert await listed(candidate, registered=True, status=["live", "closed"]) == []
        assert len(await listed(candidate, registered=True, status=["live", "scheduled"])) == 1


class TestPapers:
    async def test_what_candidates_know_before_it_opens(
        self, held: HeldExam, candidate: httpx.AsyncClient
    ) -> None:
        papers = body_of(await candidate.get(f"{held.path}/papers"))["items"]
        for paper, made in zip(papers, held.made, strict=True):
            assert (await candidate.get(made.path)).status_code == 404
            known = {
                "duration_seconds": 600,
                "question_count": 3,
                "max_marks": "6.00",
                "languages": ["en"],
                "marking": UPSC | {"not_attempted_option": None, "most_unmarked_percent": None},
            }
            assert paper.items() >= known.items()

    async def test_they_are_of_the_version_that_candidates_get(
        self, engine: AsyncEngine, author: httpx.AsyncClient, clock: TestClock
    ) -> None:
        """The version that was pinned, however often the test was published since."""
        made = await publish_for(engine, author)
        held = await hold_exam(author, made, starts_at=clock.now() + UNIT, publish=False)
        await self._change(author, made.path, 1200)
        assert await self._durations(held) == [1200]
        body_of(await author.post(f"{held.path}/publish"))
        await self._change(author, made.path, 1800)
        assert await self._durations(held) == [1200]

    async def test_a_test_that_was_never_published(
        self, engine: AsyncEngine, author: httpx.AsyncClient, clock: TestClock
    ) -> None:
        draft = {"title": "Mock", "kind": "full", "duration_seconds": 900, "marking": UPSC}
        test = body_of(await author.post("/tests", json=draft))
        held = await hold_exam(author, starts_at=clock.now() + UNIT, publish=False)
        paper = {"code": "GS1", "title": "Paper", "test_id": test["id"]} | times(clock.now() + UNIT)
        changed = {"closes_at": (clock.now() + DAY).isoformat()}
        body_of(await author.patch(held.path, json=changed))
        placed = body_of(await author.post(f"{held.path}/papers", json=paper))
        figures = {"duration_seconds": 900, "question_count": 0, "max_marks": "0.00", "languages": ["en"]}
        assert placed.items() >= figures.items()
        assert body_of(await author.get(f"{held.path}/papers"))["items"] == [placed]

    async def _change(self, author: httpx.AsyncClient, path: str, seconds: int) -> None:
        body_of(await author.patch(path, json={"duration_seconds": seconds}))
        body_of(await author.post(f"{path}/publish"))

    async def _durations(self, held: HeldExam) -> list[int]:
        papers = body_of(await held.staff.get(f"{held.path}/papers"))["items"]
        return [paper["duration_seconds"] for paper in papers]
