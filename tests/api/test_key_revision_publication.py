"""Publishing key revisions over HTTP: results and ranks before and after, the bank, what makes one stale."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start, take_test
from tests.builders.content import UPSC, PublishedTest, add_questions, publish_test
from tests.builders.exams import Json, body_of
from tests.builders.key_revisions import do_revision_jobs, dry_run, publish_revision, revise
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine, author: httpx.AsyncClient) -> PublishedTest:
    """A test of three questions, keyed a, b, c, whose author is `author`."""
    created_by = await user_id_of(author)
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, created_by=created_by, review="after_submit")


async def result_of(client: httpx.AsyncClient, made: PublishedTest) -> Json:
    return body_of(await client.get(f"{made.path}/results"))


def shown(result: Json) -> tuple[str, int | None, int]:
    return result["score"], result["rank"], result["participants"]


class TestResults:
    async def test_score_and_rank_before_and_after(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        first, second, third = [await people.candidate() for _ in range(3)]
        await take_test(first, made, {0: ["a"], 1: ["b"]})
        await take_test(second, made, {0: ["b"], 1: ["b"]})
        await take_test(third, made, {})
        tried = await dry_run(author, made, (0, ["b"]))
        published = await publish_revision(parts, author, made, 1)
        assert (published["status"], published["progress"]) == ("published", {"done": 3, "total": 3})
        assert published["impact"] == tried["impact"]
        results = [await result_of(client, made) for client in (first, second, third)]
        assert [shown(each) for each in results] == [("1.34", 2, 3), ("4.00", 1, 3), ("0.00", 3, 3)]
        (revision,) = results[0]["revisions"]
        assert {name: revision[name] for name in revision if name != "at"} == {
            "number": 1,
            "reason": "B is right.",
            "score_before": "4.00",
            "score_after": "1.34",
            "rank_before": 1,
            "rank_after": 2,
        }
        assert revision["at"] == published["completed_at"]
        assert results[0]["questions"][0]["key"] == {"accepted": [["b"]]}
        assert results[0]["questions"][0]["outcome"] == "incorrect"
        # Who takes the test from now on is ranked with them.
        assert shown(await take_test(await people.candidate(), made, {0: ["b"]})) == ("2.00", 2, 4)

    async def test_another_revision_adds_to_the_first(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        candidate = await people.candidate()
        await take_test(candidate, made, {0: ["b"]})
        await revise(parts, author, made, (0, ["b"]))
        await revise(parts, author, made, (0, {"dropped": True, "rule": "full_marks_to_all"}), (1, ["c"]))
        await revise(parts, author, made, (0, ["a"]))
        result = await result_of(candidate, made)
        assert [(each["score_before"], each["score_after"]) for each in result["revisions"]] == [
            ("-0.66", "2.00"),
            ("2.00", "2.00"),
            ("2.00", "-0.66"),
        ]
        assert shown(result) == ("-0.66", 1, 1)

    async def test_keep_higher(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        right, wrong = await people.candidate(), await people.candidate()
        await take_test(right, made, {0: ["a"]})
        await take_test(wrong, made, {0: ["b"]})
        await revise(parts, author, made, (0, ["b"]), keep="higher")
        assert shown(await result_of(right, made)) == ("2.00", 1, 2)
        assert shown(await result_of(wrong, made)) == ("2.00", 1, 2)
        kept = (await result_of(right, made))["questions"][0]
        assert (kept["outcome"], kept["key"]) == ("correct", {"accepted": [["a"]]})

    @pytest.mark.parametrize(
        ("keep", "qualification"), [("higher", "qualified"), ("new", "below_section_minimum")]
    )
    async def test_of_equal_scores_the_one_that_qualifies_is_kept(
        self,
        people: People,
        author: httpx.AsyncClient,
        engine: AsyncEngine,
        parts: Components,
        keep: str,
        qualification: str,
    ) -> None:
        """The first section loses what the second one gains, and falls below its minimum."""
        created_by = await user_id_of(author)
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"]] * 4, created_by=created_by)
            sections = [
                SectionDraft(name={"en": "One"}, question_ids=ids[:2], minimum_marks="2"),
                SectionDraft(name={"en": "Two"}, question_ids=ids[2:]),
            ]
            published = await publish_test(uow, created_by=created_by, sections=sections)
        two = PublishedTest(published.id, ids)
        candidate = await people.candidate()
        before = await take_test(candidate, two, {0: ["a"], 2: ["b"]})
        assert (before["score_exact"], before["qualification"]) == ("4/3", "qualified")
        await revise(parts, author, two, (0, ["b"]), (2, ["b"]), keep=keep)
        result = await result_of(candidate, two)
        assert (result["score_exact"], result["qualification"]) == ("4/3", qualification)

    async def test_practice_is_graded_again_and_has_no_rank(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        candidate = await people.candidate()
        await take_test(candidate, made, {})
        await take_test(candidate, made, {0: ["b"]})
        await revise(parts, author, made, (0, ["b"]))
        result = await result_of(candidate, made)
        assert shown(result) == ("2.00", None, 1)
        assert (result["revisions"][0]["rank_before"], result["revisions"][0]["rank_after"]) == (None, None)

    async def test_everybody_concerned_is_told_once(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        concerned, other = await people.candidate(), await people.candidate()
        await take_test(concerned, made, {0: ["b"]})
        await take_test(other, made, {1: ["b"], 2: ["c"]})
        title = body_of(await concerned.get(made.path))["title"]
        body_of(await author.patch(made.path, json={"title": "A secret title"}))
        await revise(parts, author, made, (0, {"accepted": [["a"], ["b"]]}))
        await do_revision_jobs(parts)
        (told,) = body_of(await concerned.get("/notifications"))["items"]
        assert (told["kind"], told["data"]["questions"]) == ("key_revised", [1])
        assert told["data"]["title"] == title
        assert told["body"]["en"].endswith("Your score was -0.66 and is 2.00 now.")
        assert (told["data"]["rank_before"], told["data"]["rank_after"]) == (2, 2)
        assert body_of(await other.get("/notifications"))["items"] == []


class TestCohorts:
    async def test_a_version_joins_the_one_with_the_right_key(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        first, second, third, fourth = [await people.candidate() for _ in range(4)]
        await take_test(first, made, {0: ["b"]})
        await take_test(second, made, {0: ["a"]})
        body_of(await author.patch(f"/questions/{made.question_ids[0]}", json={"key": ["b"]}))
        assert body_of(await author.post(f"{made.path}/publish"))["ranked_with"] == []
        await take_test(third, made, {0: ["b"], 1: ["b"]})
        await take_test(fourth, made, {})
        impact = (await dry_run(author, made, (0, ["b"])))["impact"]
        assert (impact["attempts"], impact["ranks_changed"], impact["other_ranks_changed"]) == (2, 1, 1)
        assert impact["cohorts"] == [
            {"version": 1, "before": [], "after": [2]},
            {"version": 2, "before": [], "after": [1]},
        ]
        ranks = {(each["rank_before"], each["rank_after"]) for each in impact["biggest_changes"]}
        assert ranks == {(2, 2), (1, 4)}
        await publish_revision(parts, author, made, 1)
        results = [await result_of(client, made) for client in (first, second, third, fourth)]
        assert [shown(each) for each in results] == [
            ("2.00", 2, 4),
            ("-0.66", 4, 4),
            ("4.00", 1, 4),
            ("0.00", 3, 4),
        ]
        revised = {(each["rank_before"], each["rank_after"]) for r in results for each in r["revisions"]}
        assert revised == ranks

    async def test_versions_that_were_ranked_together_part(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        first, second = await people.candidate(), await people.candidate()
        await take_test(first, made, {0: ["a"]})
        body_of(await author.patch(made.path, json={"marking": UPSC | {"incorrect": "-2"}}))
        body_of(await author.post(f"{made.path}/publish", json={"ranked_with": 1}))
        await take_test(second, made, {0: ["b"]})
        impact = (await dry_run(author, made, (0, ["b"])))["impact"]
        assert (impact["ranks_changed"], impact["other_ranks_changed"]) == (1, 0)
        assert impact["cohorts"] == [
            {"version": 1, "before": [2], "after": []},
            {"version": 2, "before": [1], "after": []},
        ]
        await publish_revision(parts, author, made, 1)
        results = [await result_of(client, made) for client in (first, second)]
        assert [shown(each) for each in results] == [("-0.66", 1, 1), ("2.00", 1, 1)]


class TestAgain:
    async def test_publishing_again_is_the_same(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        await take_test(await people.candidate(), made, {0: ["b"]})
        await dry_run(author, made, (0, ["b"]))
        path = f"{made.path}/key-revisions/1/publish"
        first, second = body_of(await author.post(path), 202), body_of(await author.post(path), 202)
        assert first == second
        assert first["status"] == "publishing"
        await do_revision_jobs(parts)
        done = body_of(await author.post(path), 202)
        assert done["status"] == "published"
        await do_revision_jobs(parts)
        assert body_of(await author.get(f"{made.path}/key-revisions/1")) == done

    async def test_a_published_one_cannot_be_withdrawn(
        self, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        await revise(parts, author, made, (0, ["b"]))
        refused = await author.delete(f"{made.path}/key-revisions/1")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")

    async def test_a_withdrawn_one_cannot_be_published(
        self, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await dry_run(author, made, (0, ["b"]))
        path = f"{made.path}/key-revisions/1"
        assert (await author.delete(path)).status_code == 204
        refused = await author.post(f"{path}/publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


class TestGivenUp:
    """The job has failed at each of its deliveries."""

    @pytest.fixture
    async def tried(self, people: People, author: httpx.AsyncClient, made: PublishedTest) -> str:
        await take_test(await people.candidate(), made, {0: ["b"]})
        await dry_run(author, made, (0, {"dropped": True}))
        body_of(await author.post(f"{made.path}/key-revisions/1/publish"), 202)
        return f"{made.path}/key-revisions/1"

    async def test_nothing_else_can_be_published_meanwhile(
        self, author: httpx.AsyncClient, made: PublishedTest, tried: str
    ) -> None:
        assert (await author.delete(tried)).json()["code"] == "not_possible"
        refused = await author.post(f"{made.path}/publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "key_revision_running")
        assert refused.json()["number"] == 1

    async def test_then_it_can_be_withdrawn(
        self,
        engine: AsyncEngine,
        author: httpx.AsyncClient,
        made: PublishedTest,
        parts: Components,
        tried: str,
    ) -> None:
        await give_up(engine)
        assert (await author.delete(tried)).status_code == 204
        shown = body_of(await author.get(tried))
        assert (shown["status"], shown["published_at"]) == ("withdrawn", None)
        assert [each["outcome"] for each in shown["bank"]] == ["changed"]
        question = body_of(await author.get(f"/questions/{made.question_ids[0]}"))
        assert (question["key"], question["status"]) == ({"dropped": True}, "retired")
        published = await revise(parts, author, made, (0, {"dropped": True}))
        assert (published["number"], published["status"]) == (2, "published")
        assert [each["outcome"] for each in published["bank"]] == ["same"]

    async def test_or_published_again(
        self,
        engine: AsyncEngine,
        author: httpx.AsyncClient,
        made: PublishedTest,
        parts: Components,
        tried: str,
    ) -> None:
        await give_up(engine)
        assert (await publish_revision(parts, author, made, 1))["status"] == "published"
        assert (await author.delete(tried)).json()["code"] == "not_possible"


async def give_up(engine: AsyncEngine) -> None:
    statement = "update ias.jobs set finished_at = now(), error = 'x' where task = 'publish_key_revision'"
    async with engine.begin() as connection:
        await connection.execute(text(statement))


class TestStale:
    async def refused(self, author: httpx.AsyncClient, made: PublishedTest, number: int = 1) -> Any:
        answer = await author.post(f"{made.path}/key-revisions/{number}/publish")
        assert (answer.status_code, answer.json()["code"]) == (409, "stale_dry_run"), answer.text
        return answer.json()["changed"]

    async def test_an_attempt_was_graded(
        self,
        people: People,
        author: httpx.AsyncClient,
        made: PublishedTest,
        parts: Components,
        clock: TestClock,
    ) -> None:
        candidate = await people.candidate()
        await take_test(candidate, made, {0: ["b"]})
        await dry_run(author, made, (0, ["b"]))
        clock.advance(1)
        await take_test(candidate, made, {0: ["b"]})
        assert await self.refused(author, made) == ["graded"]
        path = f"{made.path}/key-revisions/1/publish"
        body_of(await author.post(path, params={"even_if_graded": "true"}), 202)
        await do_revision_jobs(parts)
        assert shown(await result_of(candidate, made)) == ("2.00", None, 1)

    async def test_the_key_was_revised(
        self, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        await dry_run(author, made, (0, ["b"]))
        await dry_run(author, made, (1, ["a"]))
        await publish_revision(parts, author, made, 2)
        assert await self.refused(author, made, 1) == ["revised"]

    async def test_the_test_was_published_again(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        await dry_run(author, made, (0, ["b"]))
        body_of(await author.patch(made.path, json={"title": "Again"}))
        body_of(await author.post(f"{made.path}/publish"))
        assert await self.refused(author, made) == ["published"]

    async def test_another_one_is_being_published(
        self, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        await dry_run(author, made, (0, ["b"]))
        await dry_run(author, made, (1, ["a"]))
        body_of(await author.post(f"{made.path}/key-revisions/1/publish"), 202)
        refused = await author.post(f"{made.path}/key-revisions/2/publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "key_revision_running")
        assert refused.json()["number"] == 1
        await do_revision_jobs(parts)
        assert await self.refused(author, made, 2) == ["revised"]


class TestBank:
    async def outcome(self, author: httpx.AsyncClient, made: PublishedTest) -> list[tuple[str, int | None]]:
        (answer,) = body_of(await author.get(f"{made.path}/key-revisions"))["items"]
        return [(each["outcome"], each["version"]) for each in answer["bank"]]

    async def test_the_question_gets_its_next_version(
        self, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        await revise(parts, author, made, (0, ["b"]))
        question = body_of(await author.get(f"/questions/{made.question_ids[0]}"))
        assert (question["version"], question["key"]) == (2, {"accepted": [["b"]]})
        assert question["status"] == "active"
        assert await self.outcome(author, made) == [("changed", 2)]

    async def test_a_dropped_question_is_retired(
        self, engine: AsyncEngine, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        await revise(parts, author, made, (0, {"dropped": True}))
        question = body_of(await author.get(f"/questions/{made.question_ids[0]}"))
        assert (question["version"], question["key"], question["status"]) == (2, {"dropped": True}, "retired")
        async with engine.connect() as connection:
            statement = text("select note from ias.question_versions where question_id = :id and number = 2")
            assert await connection.scalar(statement, {"id": made.question_ids[0]}) == "B is right."

    async def test_a_key_that_was_changed_since_is_kept(
        self, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        path = f"/questions/{made.question_ids[0]}"
        body_of(await author.patch(path, json={"key": ["d"]}))
        await revise(parts, author, made, (0, ["b"]))
        assert body_of(await author.get(path))["key"] == {"accepted": [["d"]]}
        assert await self.outcome(author, made) == [("kept", 2)]

    async def test_a_key_that_is_right_already(
        self, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        body_of(await author.patch(f"/questions/{made.question_ids[0]}", json={"key": ["b"]}))
        await revise(parts, author, made, (0, ["b"]))
        assert await self.outcome(author, made) == [("same", 2)]


class TestRunningAttempts:
    async def test_one_that_ends_later_is_graded_by_the_new_key(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, parts: Components
    ) -> None:
        sitting = await start(await people.candidate(), made)
        await sitting.save(sitting.response(0, ["b"]))
        await revise(parts, author, made, (0, ["b"]))
        body_of(await sitting.submit())
        result = await sitting.result()
        assert (shown(result), result["revisions"]) == (("2.00", 1, 1), [])
