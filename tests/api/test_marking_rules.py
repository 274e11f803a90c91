"""Marking rules of real exams by the API: composed, taken, told in the result, official in an exam."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import undefer

from app.models import Paper
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start, take_test
from tests.builders.content import UPSC, PublishedTest, add_questions, publish_for
from tests.builders.exams import HOUR, HeldExam, body_of, hold_exam, take_paper
from tests.builders.people import People
from tests.conftest import TestClock

Json = dict[str, Any]

CLEARED: dict[str, Any] = {"reason": None, "papers": []}

RPSC = UPSC | {
    "correct": "1",
    "incorrect": "-1/3",
    "unattempted": "-1/3",
    "rounding": "half_up",
    "not_attempted_option": "e",
    "most_unmarked_percent": "10",
}


async def composed(
    author: httpx.AsyncClient, engine: AsyncEngine, questions: int, **changes: Any
) -> tuple[PublishedTest, Json]:
    """A published test of questions keyed a, marked as RPSC does, and what publishing says."""
    async with unit_of_work(engine) as uow:
        question_ids = await add_questions(uow, [["a"]] * questions)
    section = {"name": "One", "question_ids": [str(each) for each in question_ids]}
    body = {
        "title": f"RPSC {uuid4().hex}",
        "kind": "full",
        "duration_seconds": 600,
        "marking": RPSC,
        "sections": [section | changes.pop("section", {})],
    }
    test = await author.post("/tests", json=body | changes)
    assert test.status_code == 201, test.text
    published = await author.post(f"/tests/{test.json()['id']}/publish")
    assert published.status_code == 200, published.text
    return PublishedTest(UUID(test.json()["id"]), question_ids), published.json()


class TestNotAttempted:
    async def test_the_option_is_added_to_every_choice(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        made, published = await composed(author, engine, 2, shuffle={"questions": True, "options": True})
        assert published["marking"] == RPSC
        sitting = await start(candidate, made)
        document = (await candidate.get(f"{made.path}/questions")).json()
        assert document["most_unmarked_percent"] == "10"
        for question in document["questions"]:
            assert question["options"][-1] == {"id": "e", "text": {"en": "Question not attempted"}}
            assert (question["not_attempted_option"], question["unattempted_marks"]) == ("e", "-1/3")
            order = sitting.attempt["option_orders"][question["id"]]
            assert (sorted(order), order[-1]) == (["a", "b", "c", "d", "e"], "e")

    async def test_it_costs_nothing_and_no_mark_does(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        made, _ = await composed(author, engine, 20)
        answers = {0: ["a"], 1: ["b"], 2: ["e", "a"]} | {number: ["e"] for number in range(3, 18)}
        result = await take_test(candidate, made, answers)
        # One right, two wrong, two without a mark: 1 - 4/3.
        assert (result["score_exact"], result["qualification"]) == ("-1/3", "qualified")
        assert (result["correct"], result["incorrect"], result["unattempted"]) == (1, 2, 17)
        assert result["rank"] == 1

    async def test_who_leaves_more_without_a_mark_is_disqualified_and_has_no_rank(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        made, _ = await composed(author, engine, 20)
        result = await take_test(candidate, made, {number: ["a"] for number in range(17)})
        assert (result["score_exact"], result["qualification"]) == ("16", "disqualified")
        assert (result["rank"], result["participants"]) == (None, 0)

    async def test_a_question_that_has_the_option_cannot_be_published(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        made = await publish_for(engine, author)
        marking = RPSC | {"not_attempted_option": "d"}
        changed = await author.patch(f"{made.path}", json={"marking": marking})
        assert changed.status_code == 200, changed.text
        refused = await author.post(f"{made.path}/publish")
        assert refused.status_code == 409
        assert [error["field"] for error in refused.json()["errors"]] == [
            f"sections.0.question_ids.{number}" for number in range(3)
        ]

    async def test_a_rule_that_cannot_be_names_its_field(self, author: httpx.AsyncClient) -> None:
        for field, value in [
            ("not_attempted_option", "not attempted"),
            ("most_unmarked_percent", "101"),
            ("most_unmarked_percent", "-1"),
            ("partial", "half"),
        ]:
            body = {
                "title": "RPSC",
                "kind": "full",
                "duration_seconds": 600,
                "marking": RPSC | {field: value},
                "sections": [],
            }
            refused = await author.post("/tests", json=body)
            assert refused.status_code == 422, field
            assert [error["field"] for error in refused.json()["errors"]] == [f"marking.{field}"], field

    async def test_the_paper_prints_the_rules(self, author: httpx.AsyncClient, engine: AsyncEngine) -> None:
        made, _ = await composed(author, engine, 2)
        pdf = await author.get(f"{made.path}/print", params={"part": "paper", "language": "en"}, timeout=60)
        assert pdf.content.startswith(b"%PDF-"), pdf.text


class TestSectionMinimum:
    @pytest.mark.parametrize(
        ("answers", "qualification", "reached"),
        [({0: ["a"]}, "qualified", True), ({0: ["b"]}, "below_section_minimum", False)],
    )
    async def test_it_is_told_in_the_result(
        self,
        author: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        engine: AsyncEngine,
        answers: dict[int, Any],
        qualification: str,
        reached: bool,
    ) -> None:
        made, published = await composed(author, engine, 3, marking=UPSC, section={"minimum_marks": "2"})
        assert published["sections"][0]["minimum_marks"] == "2"
        result = await take_test(candidate, made, answers)
        assert result["qualification"] == qualification
        section = result["sections"][0]
        assert (section["minimum_marks"], section["minimum_reached"]) == ("2.00", reached)

    async def test_the_result_has_the_minimum_that_was_applied(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        """Three of four questions count: 4/3 of the marks, of which the second section has half."""
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"], ["a"], ["a"], {"dropped": True}])
        sections = [
            {"name": name, "question_ids": [str(each) for each in part], "minimum_marks": "2"}
            for name, part in (("One", ids[:2]), ("Two", ids[2:]))
        ]
        made, published = await composed(author, engine, 1, marking=UPSC, sections=sections)
        assert [each["minimum_marks"] for each in published["sections"]] == ["2", "2"]
        result = await take_test(candidate, PublishedTest(made.id, ids), {0: ["a"], 2: ["a"]})
        found = [(each["max_score"], each["minimum_marks"], each["score"]) for each in result["sections"]]
        assert found == [("5.34", "2.66", "2.67"), ("2.66", "1.34", "2.67")]
        assert [each["minimum_reached"] for each in result["sections"]] == [True, True]
        assert result["qualification"] == "qualified"

    async def test_a_clone_keeps_it_and_a_draft_without_it_differs(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        made, _ = await composed(author, engine, 1, section={"minimum_marks": "1"})
        clone = (await author.post(f"{made.path}/clone")).json()
        assert clone["sections"][0]["minimum_marks"] == "1"
        assert (await author.get(made.path)).json()["draft"] is None
        section = {"name": "One", "question_ids": [str(made.question_ids[0])]}
        await author.patch(made.path, json={"sections": [section]})
        draft = (await author.get(made.path)).json()["draft"]
        assert draft["sections"][0]["minimum_marks"] is None


class TestOldPapers:
    async def test_a_paper_without_the_new_rules_is_marked_as_before(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        """What the version before stored has none of the new fields, nor `partial` or `unattempted`."""
        made = await publish_for(engine, author)
        async with unit_of_work(engine) as uow:
            paper = await uow.session.scalar(
                select(Paper).where(Paper.test_id == made.id).options(undefer("*"))
            )
            assert paper is not None
            rules = orjson.loads(orjson.dumps(paper.rules))
            assert "most_unmarked_percent" not in rules
            assert all("minimum_marks" not in section for section in rules["sections"])
            for entry in rules["questions"]:
                assert "not_attempted_option" not in entry["marks"]
                entry["marks"] = {"correct": "2", "incorrect": "-2/3"}
            paper.rules = rules
        result = await take_test(candidate, made, {0: ["a"], 1: ["a"]})
        assert (result["score"], result["qualification"]) == ("1.34", "qualified")
        assert result["sections"][0]["minimum_marks"] is None


class TestOfficialResults:
    """An exam whose first paper has RPSC's rules and whose second must be passed at 50 percent."""

    async def test_groups_and_disqualification(
        self, people: People, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        made, _ = await composed(author, engine, 10)
        passing, _ = await composed(author, engine, 2, marking=UPSC)
        papers = [
            {},
            {"qualifying_percent": 50, "counts_for_merit": False, "group_percents": {"pwbd": "25", "sc": 40}},
        ]
        cutoffs = {"general": "8", "sc": "6", "pwbd_2": "4"}
        held = await hold_exam(author, made, passing, starts_at=clock.now(), papers=papers, cutoffs=cutoffs)
        assert held.papers[1]["group_percents"] == {"pwbd": "25", "sc": "40"}
        all_right: dict[int, Any] = {number: ["a"] for number in range(10)}

        async def sat(first: dict[int, Any], second: dict[int, Any], **profile: Any) -> httpx.AsyncClient:
            client = await people.candidate()
            if profile:
                body_of(await client.put("/users/profile", json=profile))
            await take_paper(client, held, first)
            await take_paper(client, held, second, 1)
            return client

        best = await sat(all_right, {0: ["a"], 1: ["a"]})
        out = await sat({number: ["a"] for number in range(8)}, {0: ["a"], 1: ["a"]})
        helped = await sat({**all_right, 8: ["e"], 9: ["e"]}, {0: ["a"], 1: ["b"]}, category="sc", pwbd=2)
        failed = await sat(all_right, {0: ["a"], 1: ["b"]})
        assert (await held.release())["participants"] == 2

        first = await official(best, held)
        assert (first["outcome"], first["rank"]) == ("ranked", 1)
        assert first["cutoff"] == {"category": "general", "marks": "8.00", "cleared": True} | CLEARED
        second = await official(out, held)
        assert (second["outcome"], second["rank"], second["qualified"]) == ("disqualified", None, False)
        assert second["cutoff"]["cleared"] is False
        assert (second["papers"][0]["score"], second["papers"][0]["rank"]) == ("7.33", None)
        third = await official(helped, held)
        assert (third["outcome"], third["rank"], third["total"]) == ("ranked", 2, "8.00")
        assert third["cutoff"] == {"category": "pwbd_2", "marks": "4.00", "cleared": True} | CLEARED
        assert (await official(failed, held))["outcome"] == "not_qualified"
        merit_list = (await author.get(f"{held.path}/merit-list")).json()
        assert [row["rank"] for row in merit_list["items"]] == [1, 2]

    async def test_an_unknown_group_is_refused(self, author: httpx.AsyncClient, clock: TestClock) -> None:
        for cutoffs in [{"pwbd_6": "1"}, {"women": "1"}, {"pwbd_1": "many"}]:
            now = clock.now()
            body = {
                "title": "Exam",
                "opens_at": now.isoformat(),
                "closes_at": (now + HOUR).isoformat(),
                "cutoffs": cutoffs,
            }
            assert (await author.post("/exams", json=body)).status_code == 422, cutoffs


async def official(client: httpx.AsyncClient, held: HeldExam) -> Json:
    return body_of(await client.get(f"{held.path}/results"))
