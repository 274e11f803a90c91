"""Several sessions of one exam over HTTP: one paper for each candidate, and scores on one scale."""

from typing import get_args

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.normalization import NORMALIZATION_METHODS
from app.schemas.exams.exams import NormalizationMethodName
from app.services.unit_of_work import unit_of_work
from tests.builders.answer_sheets import bring_sheets, counts
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HeldExam, Json, body_of, hold_exam, register, take_paper
from tests.builders.people import People
from tests.conftest import TestClock

SHIFTS = [{"code": "S1", "session_group": "GS"}, {"code": "S2", "session_group": "GS"}]
NTA = {"method": "nta_percentile"}
PERCENTS = {"Paper": {"all": "50"}}
THREE, TWO, ONE = {0: ["a"], 1: ["b"], 2: ["c"]}, {0: ["a"], 1: ["b"]}, {0: ["a"]}
"""6, 4 and 2 marks."""


@pytest.fixture
async def other(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def shifts(
    author: httpx.AsyncClient, made: PublishedTest, other: PublishedTest, clock: TestClock
) -> HeldExam:
    """Two sessions, merged by percentile."""
    return await hold_exam(
        author,
        made,
        other,
        starts_at=clock.now(),
        papers=SHIFTS,
        normalization=NTA,
        cutoffs={"general": "60"},
    )


def test_every_method_can_be_chosen() -> None:
    assert set(get_args(NormalizationMethodName)) == {"none", *NORMALIZATION_METHODS}


class TestOnePaper:
    async def test_another_session_cannot_be_started(self, people: People, shifts: HeldExam) -> None:
        client = await people.candidate()
        await take_paper(client, shifts, ONE)
        refused = await client.post(f"{shifts.paper_path(1)}/start")
        assert (refused.status_code, refused.json()["code"]) == (409, "session_taken")
        assert refused.json()["paper"] == "S1"

    async def test_a_void_attempt_holds_its_session(self, people: People, shifts: HeldExam) -> None:
        """It can be reopened."""
        client = await people.candidate()
        entrant = await take_paper(client, shifts, ONE, 1)
        body_of(await shifts.order("void", entrant.attempt, reason="a fault"))
        refused = await client.post(f"{shifts.paper_path(0)}/start")
        assert refused.json()["code"] == "session_taken"

    async def test_the_own_session_can_be_resumed(self, people: People, shifts: HeldExam) -> None:
        client = await people.candidate()
        entrant = await register(client, shifts, 1)
        assert [(await entrant.enter()).status_code for _ in range(2)] == [201, 200]

    async def test_an_answer_sheet_of_another_session_is_refused(
        self, people: People, shifts: HeldExam
    ) -> None:
        client = await people.candidate()
        await take_paper(client, shifts, ONE, 1)
        mine = body_of(await client.get(shifts.path))["my_roll_number"]
        report = await bring_sheets(shifts, [mine, "A", "B", "C"])
        assert [error["message"] for error in report["errors"]] == [
            "this candidate has sat paper S2, another session; leave the sheet out"
        ]
        other = await people.candidate()
        await register(other, shifts)
        number = body_of(await other.get(shifts.path))["my_roll_number"]
        assert counts(await bring_sheets(shifts, [number, "A", "B", "C"])) == (1, 0, 0)


class TestResults:
    async def test_scores_of_both_sessions_are_on_one_scale(
        self, people: People, shifts: HeldExam, admin: httpx.AsyncClient
    ) -> None:
        """The second paper is harder. The best of each session are first, with 6 and with 4 marks."""
        places = [(0, THREE), (0, TWO), (1, TWO), (1, ONE)]
        clients = [await people.candidate() for _ in places]
        for client, (paper, answers) in zip(clients, places, strict=True):
            await take_paper(client, shifts, answers, paper)
        absent = await people.candidate()
        await register(absent, shifts)
        preview = body_of(
            await admin.post(
                f"{shifts.path}/release-results", json={"early": True, "reason": "now", "dry_run": True}
            )
        )
        assert [(place["rank"], place["total"]) for place in preview["first_ranks"]] == [
            (1, "100.0000000"),
            (1, "100.0000000"),
            (3, "50.0000000"),
            (3, "50.0000000"),
        ]
        await shifts.release()
        found = [body_of(await client.get(f"{shifts.path}/results")) for client in clients]
        assert [each["rank"] for each in found] == [1, 3, 1, 3]
        assert [each["total"] for each in found] == ["100.0000000", "50.0000000"] * 2
        assert [each["cutoff"]["cleared"] for each in found] == [True, False, True, False]
        third = found[2]
        assert third["normalization"] == NTA
        [paper] = third["papers"]
        expected = {"code": "S2", "score": "4.00", "session_group": "GS", "normalized": "100.0000000"}
        assert {name: paper[name] for name in expected} == expected
        assert (paper["rank"], paper["participants"]) == (1, 2)
        missed = body_of(await absent.get(f"{shifts.path}/results"))
        assert (missed["outcome"], [p["code"] for p in missed["papers"]]) == ("absent", ["S1", "S2"])
        merit = body_of(await shifts.staff.get(f"{shifts.path}/merit-list"))
        assert [row["rank"] for row in merit["items"]] == [1, 1, 3, 3]

    async def test_without_a_method_marks_are_compared(
        self,
        people: People,
        author: httpx.AsyncClient,
        made: PublishedTest,
        other: PublishedTest,
        clock: TestClock,
    ) -> None:
        held = await hold_exam(author, made, other, starts_at=clock.now(), papers=SHIFTS)
        first, second = await people.candidate(), await people.candidate()
        await take_paper(first, held, THREE)
        await take_paper(second, held, TWO, 1)
        await held.release()
        found = [body_of(await client.get(f"{held.path}/results")) for client in (first, second)]
        assert [(each["rank"], each["total"]) for each in found] == [(1, "6.00"), (2, "4.00")]
        assert found[0]["papers"][0]["normalized"] is None

    async def test_a_method_without_a_result_releases_nothing(self, people: People, shifts: HeldExam) -> None:
        """One candidate has no spread, so that SSC's formula has no line. Another method does it."""
        await take_paper(await people.candidate(), shifts, ONE)
        body_of(await shifts.staff.patch(shifts.path, json={"normalization": {"method": "ssc_2019"}}))
        body = {"early": True, "reason": "now"}
        refused = await shifts.staff.post(f"{shifts.path}/release-results", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        assert "S1, S2" in refused.json()["detail"]
        assert body_of(await shifts.staff.get(shifts.path))["released_at"] is None
        body_of(await shifts.staff.patch(shifts.path, json={"normalization": {"method": "equipercentile"}}))
        assert (await shifts.release())["status"] == "released"
        fixed = await shifts.staff.patch(shifts.path, json={"normalization": {"method": "none"}})
        assert fixed.status_code == 409


class TestPublish:
    @pytest.mark.parametrize(
        ("papers", "method", "fields"),
        [
            ([{"session_group": "GS"}], "none", ["papers.0.session_group"]),
            ([{"session_group": "GS"}, {"session_group": "GS", "qualifying_percent": 33}], "none", 1),
            ([{"session_group": "GS"}, {"session_group": "GS", "counts_for_merit": False}], "none", 1),
            ([{"session_group": "GS"}, {"session_group": "GS", "section_percents": PERCENTS}], "none", 1),
            ([{}, {}], "equipercentile", ["normalization.method"]),
            ([{"session_group": "A"}, {"session_group": "B"}], "nta_percentile", 3),
        ],
    )
    async def test_names_what_does_not_fit(
        self,
        author: httpx.AsyncClient,
        made: PublishedTest,
        other: PublishedTest,
        clock: TestClock,
        papers: list[Json],
        method: str,
        fields: list[str] | int,
    ) -> None:
        held = await hold_exam(
            author,
            *(made, other)[: len(papers)],
            starts_at=clock.now(),
            papers=papers,
            normalization={"method": method},
            publish=False,
        )
        refused = await author.post(f"{held.path}/publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_publishable")
        found = [error["field"] for error in refused.json()["errors"]]
        assert found == fields if isinstance(fields, list) else len(found) == fields, found

    async def test_papers_of_a_group_have_equal_maximum_marks(
        self, author: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            short = await publish_test(uow, (["a"], ["b"]))
        held = await hold_exam(author, made, short, starts_at=clock.now(), papers=SHIFTS, publish=False)
        refused = await author.post(f"{held.path}/publish")
        assert [error["field"] for error in refused.json()["errors"]] == ["papers.1.session_group"]

    async def test_a_method_that_does_not_fit_cannot_be_chosen_later(self, held: HeldExam) -> None:
        refused = await held.staff.patch(held.path, json={"normalization": {"method": "equipercentile"}})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "normalization.method"

    async def test_a_paper_shows_its_group(self, shifts: HeldExam) -> None:
        papers = body_of(await shifts.staff.get(f"{shifts.path}/papers"))
        assert [paper["session_group"] for paper in papers["items"]] == ["GS", "GS"]
        assert body_of(await shifts.staff.get(shifts.path))["normalization"] == NTA
