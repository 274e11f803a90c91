"""Key revisions of a test in an exam: before the release nobody notices, after it the results change."""

from dataclasses import replace
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.builders.exams import HeldExam, Json, body_of, hold_exam, take_paper
from tests.builders.key_revisions import do_revision_jobs, dry_run, publish_revision, revise
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


async def hold(
    engine: AsyncEngine, author: httpx.AsyncClient, clock: TestClock, **paper: Any
) -> tuple[HeldExam, PublishedTest]:
    """An exam of one paper whose test has the questions a, b, c, made by `author`."""
    created_by = await user_id_of(author)
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, created_by=created_by, review="after_release")
    return await hold_exam(author, made, starts_at=clock.now(), papers=[paper]), made


async def official(client: httpx.AsyncClient, held: HeldExam) -> Json:
    return body_of(await client.get(f"{held.path}/results"))


async def notices(client: httpx.AsyncClient) -> list[str]:
    return [each["kind"] for each in body_of(await client.get("/notifications"))["items"]]


def standing(result: Json) -> tuple[Any, ...]:
    return result["version"], result["total"], result["rank"]


class TestBeforeTheRelease:
    async def test_the_exam_is_released_by_the_new_key(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
        parts: Components,
    ) -> None:
        held, made = await hold(engine, author, clock)
        first, second = await people.candidate(), await people.candidate()
        await take_paper(first, held, {0: ["a"]})
        await take_paper(second, held, {0: ["b"]})
        await revise(parts, author, made, (0, ["b"]))
        for client in (first, second):
            assert (await client.get(f"{made.path}/results")).status_code == 404
            assert (await client.get(f"{held.path}/results")).status_code == 409
            assert "key_revised" not in await notices(client)
        await held.release()
        assert standing(await official(first, held)) == (1, "-0.66", 2)
        assert standing(await official(second, held)) == (1, "2.00", 1)
        (revision,) = body_of(await second.get(f"{made.path}/results"))["revisions"]
        assert (revision["score_before"], revision["score_after"]) == ("-0.66", "2.00")

    async def test_a_higher_score_that_was_kept_is_released(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
        parts: Components,
    ) -> None:
        held, made = await hold(engine, author, clock)
        candidate = await people.candidate()
        await take_paper(candidate, held, {0: ["a"]})
        await revise(parts, author, made, (0, ["b"]), keep="higher")
        await held.release()
        assert standing(await official(candidate, held)) == (1, "2.00", 1)

    async def test_others_are_refused_before_their_changes_are_looked_at(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
    ) -> None:
        _, made = await hold(engine, author, clock)
        rival = await people.member("author")
        created_by = await user_id_of(rival)
        async with unit_of_work(engine) as uow:
            theirs = await publish_test(uow, same_as=made, created_by=created_by)
        answers = []
        for option in "ab":
            body = {
                "changes": [{"question_id": str(made.question_ids[0]), "key": [option]}],
                "reason": "to see",
            }
            answers.append(await rival.post(f"{theirs.path}/key-revisions", json=body))
            assert (await rival.post(f"{made.path}/key-revisions", json=body)).status_code == 404
        assert [answer.status_code for answer in answers] == [403, 403]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]


class TestAfterTheRelease:
    async def test_an_exam_with_another_version_keeps_its_results(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
        parts: Components,
    ) -> None:
        held, made = await hold(engine, author, clock)
        candidate = await people.candidate()
        await take_paper(candidate, held, {0: ["a"]})
        await held.release()
        async with unit_of_work(engine) as uow:
            added = await add_questions(uow, [["a"]], created_by=await user_id_of(author))
        question_ids = [*made.question_ids, *added]
        sections = [{"name": "Paper", "question_ids": [str(each) for each in question_ids]}]
        body_of(await author.patch(made.path, json={"sections": sections}))
        body_of(await author.post(f"{made.path}/publish"))
        longer = replace(made, question_ids=question_ids)
        assert (await revise(parts, author, longer, (3, ["b"])))["exams"] == []
        result = await official(candidate, held)
        assert (standing(result), len(result["releases"])) == ((1, "2.00", 1), 1)

    async def test_the_official_results_get_another_version(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
        parts: Components,
    ) -> None:
        held, made = await hold(engine, author, clock)
        first, second = await people.candidate(), await people.candidate()
        await take_paper(first, held, {0: ["a"]})
        await take_paper(second, held, {0: ["b"], 1: ["b"]})
        await held.release()
        assert standing(await official(first, held)) == (1, "2.00", 1)
        tried = await dry_run(author, made, (0, ["b"]))
        assert [(each["code"], each["released"]) for each in tried["exams"]] == [("GS1", True)]
        await publish_revision(parts, author, made, 1)
        assert standing(await official(first, held)) == (2, "-0.66", 2)
        assert standing(await official(second, held)) == (2, "4.00", 1)
        (revision,) = (await official(first, held))["revisions"]
        assert {name: revision[name] for name in revision if name != "at"} == {
            "test_id": str(made.id),
            "number": 1,
            "reason": "B is right.",
            "score_before": "2.00",
            "score_after": "-0.66",
            "rank_before": 1,
            "rank_after": 2,
        }
        releases = (await official(first, held))["releases"]
        assert [(each["version"], each["reason"], each["rank"], each["total"]) for each in releases] == [
            (1, None, 1, "2.00"),
            (2, "B is right.", 2, "-0.66"),
        ]
        listed = {
            version: body_of(await author.get(f"{held.path}/merit-list", params={"version": version}))
            for version in (1, 2)
        }
        assert {version: [row["total"] for row in page["items"]] for version, page in listed.items()} == {
            1: ["2.00", "1.34"],
            2: ["4.00", "-0.66"],
        }
        unknown = await author.get(f"{held.path}/merit-list", params={"version": 3, "format": "csv"})
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "version")
        (told,) = [
            each
            for each in body_of(await first.get("/notifications"))["items"]
            if each["kind"] == "key_revised"
        ]
        assert told["data"]["exam_id"] == held.exam["id"]
        assert (told["data"]["rank_before"], told["data"]["rank_after"]) == (1, 2)
        async with engine.connect() as connection:
            statement = text("select count(*) from ias.exam_results where exam_id = :id and version = 1")
            assert await connection.scalar(statement, {"id": held.exam["id"]}) == 2
        await do_revision_jobs(parts)
        assert (await notices(first)).count("key_revised") == 1

    async def test_a_score_that_was_kept_is_printed_by_the_key_that_marked_it(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
        parts: Components,
    ) -> None:
        """The new key multiplies marks by 3/2. With this factor, 2 of 6 would be printed as 3 of 6."""
        percents = {"section_percents": {"Paper": {"all": "40"}}}
        held, made = await hold(engine, author, clock, **percents)
        candidate = await people.candidate()
        await take_paper(candidate, held, {0: ["a"]})
        await held.release()
        for change in ({"dropped": True, "rule": "prorate"}, ["d"]):
            await revise(parts, author, made, (0, change), keep="higher")
            found = await official(candidate, held)
            (paper,) = found["papers"]
            own = body_of(await candidate.get(f"{made.path}/results"))
            assert (found["total"], paper["score"], own["score"]) == ("2.00", "2.00", "2.00")
            assert (paper["score_exact"], paper["sections_below"]) == ("2", [{"en": "Paper"}])
            assert found["outcome"] == "not_qualified"


class TestNormalized:
    async def test_a_revision_without_official_results_is_refused(
        self,
        engine: AsyncEngine,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
        parts: Components,
    ) -> None:
        """SSC's formula has no result for a session whose best candidates are not far above the others."""
        created_by = await user_id_of(author)
        async with unit_of_work(engine) as uow:
            made, other = [await publish_test(uow, created_by=created_by) for _ in range(2)]
        held = await hold_exam(
            author,
            made,
            other,
            starts_at=clock.now(),
            papers=[{"code": code, "session_group": "GS"} for code in ("S1", "S2")],
            normalization={"method": "ssc_2019"},
        )
        best = [await people.candidate() for _ in range(2)]
        for number, client in enumerate(best):
            await take_paper(client, held, {0: ["a"], 1: ["b"], 2: ["c"]}, number)
            for _ in range(2):
                await take_paper(await people.candidate(), held, {}, number)
        await held.release()
        tried = await dry_run(author, made, (0, ["b"]), (1, ["c"]), (2, ["a"]))
        assert tried["impact"]["obstacle"] == (
            "With the new keys, the method ssc_2019 of a released exam has no result for the marks of S1."
            " The revision cannot be published."
        )
        refused = await author.post(f"{made.path}/key-revisions/1/publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        assert refused.json()["detail"] == tried["impact"]["obstacle"]
        published = await revise(parts, author, made, (2, ["a"]))
        assert (published["status"], published["impact"]["obstacle"]) == ("published", None)
        assert (await official(best[0], held))["version"] == 2
