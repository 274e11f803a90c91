"""`/analytics/tests/{id}/…`: item analysis, summary and refresh, for the staff of a test."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import SystemClock
from app.models import Job
from app.services.analytics import refreshing
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import body_of, hold_exam
from tests.builders.people import People, user_id_of
from tests.builders.results import GRADED_AT, add_results, simulated_sheets
from tests.conftest import TestClock

KEYS = "abcdab"
WRONG_KEY = 2
"""The key of the third question is c, and strong candidates answer d."""


def path_of(made: PublishedTest, what: str) -> str:
    return f"/analytics/tests/{made.id}/{what}"


async def new_test(
    engine: AsyncEngine, parts: Components, owner: httpx.AsyncClient, candidates: int
) -> PublishedTest:
    """A published test of this author with results whose third key is wrong."""
    created_by = await user_id_of(owner)
    right = list(KEYS)
    right[WRONG_KEY] = "d"
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [[key] for key in KEYS], created_by=created_by)
        await add_results(
            uow, parts, made, simulated_sheets(right, candidates), languages=["en", "hi"], times_ms=[900] * 6
        )
    return made


async def computed(engine: AsyncEngine, parts: Components, made: PublishedTest) -> None:
    async with unit_of_work(engine) as uow:
        await refreshing.refresh(uow, parts, made.id, GRADED_AT)


@dataclass(frozen=True)
class Stage:
    """A test whose statistics are computed, and its author."""

    owner: httpx.AsyncClient
    made: PublishedTest

    async def items(self, **params: Any) -> Json:
        return body_of(await self.owner.get(path_of(self.made, "items"), params=params))

    async def summary(self, **params: Any) -> Json:
        return body_of(await self.owner.get(path_of(self.made, "summary"), params=params))


@pytest.fixture(scope="module")
async def stage(engine: AsyncEngine, people: People, parts: Components) -> Stage:
    owner = await people.member("author")
    made = await new_test(engine, parts, owner, 60)
    await computed(engine, parts, made)
    return Stage(owner, made)


class TestItems:
    async def test_a_wrong_key_is_flagged(self, stage: Stage) -> None:
        """In words, in English and Hindi, with the papers that hold the question."""
        found = await stage.items()
        flags = [flag for flag in found["flags"] if flag["number"] == WRONG_KEY + 1]
        (flag,) = [each for each in flags if each["flag"] == "strong_candidates_choose_another_option"]
        assert flag["sentence"]["en"] == "Option d of question 3 attracts strong candidates: check the key."
        assert flag["sentence"]["hi"] != flag["sentence"]["en"]
        assert (flag["question_id"], flag["option"]) == (str(stage.made.question_ids[WRONG_KEY]), "d")
        (paper,) = flag["papers"]
        assert (paper["test_id"], paper["paper_version"], paper["question_version"]) == (
            str(stage.made.id),
            1,
            1,
        )
        assert paper["exam"] is None

    async def test_each_question_has_its_figures(self, stage: Stage) -> None:
        found = await stage.items()
        assert found["rests_on"] == {
            "attempts": 60,
            "participants": 60,
            "computed_at": "2026-06-07T04:00:00Z",
            "key_version": 1,
            "stale": False,
        }
        assert sum(found["score_groups"]) == 60
        assert [item["number"] for item in found["items"]] == [1, 2, 3, 4, 5, 6]
        item = found["items"][0]
        assert [option["right"] for option in item["options"]] == [True, False, False, False]
        assert sum(option["chosen"] for option in item["options"]) + item["blank"] + item["other"] == 60
        assert all(sum(option["by_group"]) == option["chosen"] for option in item["options"])
        figures = item["figures"]
        assert figures["facility"]["low"] < figures["facility"]["value"] < figures["facility"]["high"]
        assert figures["correct"] + figures["incorrect"] + figures["unattempted"] == 60
        assert figures["guess_facility"] == pytest.approx(0)
        assert item["median_ms"] == 900
        assert item["calibration"]["model"] == "1pl"
        assert item["calibration"]["difficulty"]["n"] == 60
        assert item["differences"] == [], "groups of fewer than 100 are not compared"

    async def test_by_language_and_section(self, stage: Stage) -> None:
        parts = (await stage.items(by="language"))["items"][0]["parts"]
        assert [(part["language"], part["attempts"]) for part in parts] == [("en", 30), ("hi", 30)]
        (part,) = (await stage.items(by="section"))["items"][0]["parts"]
        assert (part["language"], part["attempts"]) == (None, 60)

    async def test_where_candidates_choose(
        self, engine: AsyncEngine, parts: Components, people: People
    ) -> None:
        """Each question rests on those who have answered it, and there is no alpha."""
        owner = await people.member("author")
        created_by = await user_id_of(owner)
        async with unit_of_work(engine) as uow:
            made = await publish_test(
                uow, [[key] for key in KEYS], created_by=created_by, section={"choose": 3}
            )
            sheets = simulated_sheets(KEYS, 60, blank=0.5)
            await add_results(uow, parts, made, [[None, *sheet[1:]] for sheet in sheets])
        await computed(engine, parts, made)
        stage = Stage(owner, made)
        figures = [item["figures"] for item in (await stage.items())["items"]]
        for each in figures:
            answered = each["correct"] + each["incorrect"]
            assert (each["facility"]["n"], each["intended_weight"]) == (answered, None)
            assert answered + each["unattempted"] == 60
        assert figures[1]["facility"]["reason"] is None
        assert figures[0]["facility"]["value"] is None
        assert "there are 0." in figures[0]["facility"]["reason"]["en"]
        (paper,) = (await stage.summary(by="section"))["papers"]
        for scores in (paper["scores"], paper["parts"][0]["scores"]):
            assert (scores["alpha"]["value"], scores["standard_error"]) == (None, None)
            assert scores["alpha"]["reason"]["en"].startswith("Alpha and the standard error need the same")
        report = await owner.get(path_of(made, "report"))
        assert "Here candidates choose which ones they answer." in report.text

    async def test_which_paper(self, stage: Stage) -> None:
        assert (await stage.items(paper_version=1))["paper_version"] == 1
        for params in ({"paper_version": 2}, {"exam_paper_id": str(stage.made.id)}):
            answer = await stage.owner.get(path_of(stage.made, "items"), params=params)
            wanted = 404 if "paper_version" in params else 200  # The first cohort of a test has its id.
            assert answer.status_code == wanted


class TestSummary:
    async def test_scores_and_information(self, stage: Stage) -> None:
        found = await stage.summary(by="section")
        (paper,) = found["papers"]
        assert (paper["paper_version"], paper["exam"], paper["exam_paper"]) == (1, None, None)
        scores = paper["scores"]
        assert scores["attempts"] == 60
        assert scores["alpha"]["low"] < scores["alpha"]["value"] < scores["alpha"]["high"]
        assert paper["model"] == "1pl"
        assert max(point["information"] for point in paper["information"]) > 0
        assert [part["section"]["en"] for part in paper["parts"]] == ["Paper"]
        assert paper["parts"][0]["scores"]["mean"] == scores["mean"]
        assert paper["flags"] >= 1

    async def test_nothing_there_yet(self, engine: AsyncEngine, parts: Components, people: People) -> None:
        owner = await people.member("author")
        fresh = Stage(owner, await new_test(engine, parts, owner, 4))
        assert (await fresh.summary())["papers"] == []
        nothing = await fresh.items()
        assert (nothing["items"], nothing["rests_on"]) == ([], None)
        assert nothing["reason"]["en"].startswith("The results of this test have not been analyzed yet")
        await computed(engine, parts, fresh.made)
        few = await fresh.items()
        assert few["reason"]["en"] == "An item analysis needs at least 10 attempts; there are 4."
        assert [item["figures"] for item in few["items"]] == [None] * 6
        (paper,) = (await fresh.summary())["papers"]
        assert (paper["scores"], paper["model"]) == (None, None)
        assert "at least 30" in paper["model_reason"]["en"]

    async def test_stale(self, engine: AsyncEngine, parts: Components, people: People) -> None:
        owner = await people.member("author")
        stage = Stage(owner, await new_test(engine, parts, owner, 12))
        await computed(engine, parts, stage.made)
        async with unit_of_work(engine) as uow:
            await add_results(uow, parts, stage.made, simulated_sheets(KEYS, 1))
        (paper,) = (await stage.summary())["papers"]
        rests_on = paper["rests_on"]
        assert (rests_on["attempts"], rests_on["participants"], rests_on["stale"]) == (12, 13, True)


class TestRefresh:
    async def test_the_same_job_twice(
        self, engine: AsyncEngine, people: People, parts: Components, admin: httpx.AsyncClient
    ) -> None:
        """One job, one line in the audit log; a finished job is followed by a new one."""
        owner = await people.member("author")
        made = await new_test(engine, parts, owner, 1)
        first, again = [await owner.post(path_of(made, "refresh")) for _ in range(2)]
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json() == first.json()
        job_id = first.json()["job_id"]
        async with unit_of_work(engine) as uow:
            job = (await uow.session.scalars(select(Job).where(Job.id == job_id))).one()
            assert (job.task, job.arguments["test_id"]) == (refreshing.TASK, str(made.id))
            await uow.session.execute(
                update(Job).where(Job.id == job.id).values(finished_at=SystemClock().now())
            )
        audit = body_of(await admin.get("/audit", params={"action": "refresh_statistics"}))
        assert [entry["subject"]["id"] for entry in audit["items"]].count(str(made.id)) == 1
        assert (await owner.post(path_of(made, "refresh"))).json()["job_id"] != job_id


class TestWho:
    async def test_roles(self, stage: Stage, people: People, admin: httpx.AsyncClient) -> None:
        expected = {"author": 403, "evaluator": 200, "proctor": 403, "student": 403}
        for role, status in expected.items():
            client = await people.member(role) if role != "student" else await people.candidate()
            for what in ("items", "summary"):
                assert (await client.get(path_of(stage.made, what))).status_code == status, role
            refreshed = await client.post(path_of(stage.made, "refresh"))
            assert refreshed.status_code == (202 if status == 200 else status), role
        assert (await admin.get(path_of(stage.made, "items"))).status_code == 200

    async def test_under_embargo(
        self,
        engine: AsyncEngine,
        parts: Components,
        people: People,
        clock: TestClock,
        admin: httpx.AsyncClient,
    ) -> None:
        """The test's author sees everything, and the reading is recorded. Evaluators see no such test, and
        another test with the same questions has no statistics for its author.
        """
        owner, other = await people.member("author"), await people.member("author")
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, [[key] for key in KEYS], created_by=await user_id_of(owner))
            copy = await publish_test(uow, same_as=made, created_by=await user_id_of(other))
            await add_results(uow, parts, copy, simulated_sheets(KEYS, 12))
        held = await hold_exam(owner, made, starts_at=clock.now())
        async with unit_of_work(engine) as uow:
            exam_paper_id = UUID(held.papers[0]["id"])
            await add_results(uow, parts, made, simulated_sheets(KEYS, 12), exam_paper_id=exam_paper_id)
        for each in (made, copy):
            await computed(engine, parts, each)
        own = body_of(await owner.get(path_of(made, "items")))
        assert (own["exam_paper"]["id"], own["exam"]["id"]) == (held.papers[0]["id"], held.exam["id"])
        evaluator = await people.member("evaluator")
        for what in ("items", "summary"):
            assert (await evaluator.get(path_of(made, what))).status_code == 404
        assert body_of(await other.get(path_of(copy, "summary")))["papers"] == []
        assert body_of(await other.get(path_of(copy, "items")))["items"] == []
        read = body_of(await admin.get("/audit", params={"action": "read_key"}))
        assert read["items"][0]["details"]["where"] == "item_analysis"
