"""Official ranks by the settings of an exam: tie-breaks, percentiles, sections, disability, versions."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, HeldExam, Json, body_of, hold_exam, take_paper
from tests.builders.people import People
from tests.conftest import TestClock

Answers = dict[int, Any]

ALL: Answers = {0: ["a"], 1: ["b"], 2: ["c"]}
ONE: Answers = {0: ["a"]}


class Exams:
    """Makes exams with two papers that count, GS1 and GS2, each with a section `Paper` of 6 marks."""

    def __init__(self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> None:
        self._author, self._engine, self._clock = author, engine, clock

    async def hold(
        self, *, papers: list[Json] | None = None, publish: bool = True, **settings: Any
    ) -> HeldExam:
        made: list[PublishedTest] = []
        async with unit_of_work(self._engine) as uow:
            made = [await publish_test(uow), await publish_test(uow)]
        return await hold_exam(
            self._author,
            *made,
            starts_at=self._clock.now(),
            window=HOUR,
            papers=papers or [],
            publish=publish,
            **settings,
        )


@pytest.fixture
def exams(author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> Exams:
    return Exams(author, engine, clock)


async def sit(
    people: People, held: HeldExam, first: Answers, second: Answers, **profile: Any
) -> httpx.AsyncClient:
    client = await people.candidate(name=profile.pop("name", "Asha Rao"))
    if profile:
        body_of(await client.put("/users/profile", json=profile))
    await take_paper(client, held, first)
    await take_paper(client, held, second, 1)
    return client


async def result(client: httpx.AsyncClient, held: HeldExam) -> Json:
    return body_of(await client.get(f"{held.path}/results"))


class TestTieBreaks:
    @pytest.mark.parametrize(
        ("tie_breaks", "ranks"),
        [
            pytest.param("none", (1, 1, 1), id="equal totals share a rank"),
            pytest.param([{"by": "score", "paper": "GS2"}], (3, 1, 1), id="a paper"),
            pytest.param(
                [{"by": "score", "paper": "GS2", "section": "Paper"}, {"by": "name"}],
                (3, 2, 1),
                id="and names",
            ),
            pytest.param([{"by": "wrong"}], (1, 1, 1), id="nobody is parted"),
            pytest.param([{"by": "score", "subject": "Polity"}, {"by": "name"}], (1, 3, 2), id="a subject"),
            pytest.param("ssc", (1, 3, 2), id="a preset"),
        ],
    )
    async def test_they_order_equal_totals(
        self, people: People, exams: Exams, tie_breaks: Any, ranks: tuple[int, ...]
    ) -> None:
        held = await exams.hold(tie_breaks=tie_breaks)
        clients = [
            await sit(people, held, ALL, ONE, name="Asha"),
            await sit(people, held, ONE, ALL, name="Meera"),
            await sit(people, held, ONE, ALL, name="Lata"),
        ]
        await held.release()
        found = [await result(client, held) for client in clients]
        assert tuple(each["rank"] for each in found) == ranks
        assert {each["percentile"] for each in found} == {100.0}
        assert all(each["tie_breaks"] == held.exam["tie_breaks"] for each in found)

    async def test_the_sessions_of_one_paper_are_compared_with_each_other(
        self, people: People, exams: Exams
    ) -> None:
        held = await exams.hold(tie_breaks="ssc", papers=[{"session_group": "GS"}] * 2)
        first, second = await people.candidate(name="Meera"), await people.candidate(name="Asha")
        await take_paper(first, held, ALL)
        await take_paper(second, held, ALL, 1)
        await held.release()
        assert [(await result(client, held))["rank"] for client in (first, second)] == [2, 1]

    async def test_what_is_no_chain_is_refused(self, author: httpx.AsyncClient, exams: Exams) -> None:
        held = await exams.hold(publish=False)
        mistakes: list[Any] = [
            "alphabetical",
            [],
            [{"by": "luck"}],
            [{"by": "score", "section": "Paper"}],
            [{"by": "score", "paper": "GS1", "subject": "Polity"}],
            [{"by": "name", "paper": "GS1"}],
        ]
        for tie_breaks in mistakes:
            answer = await author.patch(held.path, json={"tie_breaks": tie_breaks})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), tie_breaks
            assert all(error["field"].startswith("tie_breaks") for error in answer.json()["errors"])

    async def test_a_publication_names_what_the_papers_do_not_have(
        self, author: httpx.AsyncClient, exams: Exams
    ) -> None:
        unknown = [{"by": "score", "paper": "GS9"}, {"by": "score", "paper": "GS1", "section": "Physics"}]
        held = await exams.hold(
            publish=False,
            tie_breaks=[*unknown, {"by": "score", "subject": "Alchemy"}],
            papers=[{"section_percents": {"Optics": {"all": "30"}}}],
        )
        answer = await author.post(f"{held.path}/publish")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_publishable")
        found = [(error["field"], error["message"]) for error in answer.json()["errors"]]
        assert found == [
            (
                "papers.0.section_percents",
                "Paper GS1 has no section Optics. Name a section as the test does.",
            ),
            ("tie_breaks", "The exam has no paper GS9. Name one of its papers."),
            ("tie_breaks", "Paper GS1 has no section Physics. Name a section as the test does."),
            (
                "tie_breaks",
                "No question of the exam is of the subject Alchemy. Name a subject as the bank does.",
            ),
        ]

    async def test_they_can_be_changed_until_the_release(
        self, author: httpx.AsyncClient, people: People, exams: Exams
    ) -> None:
        held = await exams.hold()
        refused = await author.patch(held.path, json={"tie_breaks": "nta"})
        assert refused.status_code == 422
        assert len(refused.json()["errors"]) == 3
        changed = {"tie_breaks": [{"by": "wrong_ratio"}], "percentile_definition": "mid_rank"}
        answer = body_of(await author.patch(held.path, json=changed))
        assert {name: answer[name] for name in changed} == changed | {
            "tie_breaks": [{"by": "wrong_ratio", "paper": None, "section": None, "subject": None}]
        }
        await held.release()
        late = await author.patch(held.path, json={"tie_breaks": "none"})
        assert (late.status_code, late.json()["code"]) == (409, "not_possible")


class TestPercentiles:
    @pytest.mark.parametrize(
        ("definition", "expected"), [("mid_rank", [75.0, 25.0]), ("better_than", [50.0, 0.0])]
    )
    async def test_the_definition_holds_for_totals_and_papers(
        self, people: People, exams: Exams, definition: str, expected: list[float]
    ) -> None:
        held = await exams.hold(percentile_definition=definition)
        clients = [await sit(people, held, ALL, ALL), await sit(people, held, ONE, ONE)]
        await held.release()
        found = [await result(client, held) for client in clients]
        assert [each["percentile"] for each in found] == expected
        assert [each["papers"][0]["percentile"] for each in found] == expected
        assert {each["percentile_definition"] for each in found} == {definition}
        board = body_of(await clients[0].get("/analytics/leaderboard", params={"exam_id": held.exam["id"]}))
        assert (board["percentile"], [each["percentile"] for each in board["items"]]) == (
            definition,
            expected,
        )


class TestSections:
    async def test_a_share_of_a_section_qualifies_by_group(self, people: People, exams: Exams) -> None:
        percents = {"section_percents": {"Paper": {"all": "50", "sc": "30"}}}
        held = await exams.hold(papers=[{}, percents])
        assert held.papers[1]["section_percents"] == percents["section_percents"]
        passed, failed, lower = [
            await sit(people, held, ALL, ALL),
            await sit(people, held, ALL, ONE),
            await sit(people, held, ALL, ONE, category="sc"),
        ]
        await held.release()
        found = [await result(client, held) for client in (passed, failed, lower)]
        assert [each["outcome"] for each in found] == ["ranked", "not_qualified", "ranked"]
        assert [each["papers"][1]["sections_below"] for each in found] == [[], [{"en": "Paper"}], []]
        assert [each["papers"][1]["qualified"] for each in found] == [True, False, True]


class TestDisability:
    async def test_those_with_a_benchmark_disability_have_a_rank_of_their_own(
        self, people: People, exams: Exams
    ) -> None:
        held = await exams.hold()
        best = await sit(people, held, ALL, ALL)
        members = [
            await sit(people, held, ALL if position == 0 else ONE, ONE, pwbd=position % 5 + 1, category="obc")
            for position in range(5)
        ]
        await held.release()
        assert (await result(best, held))["pwbd_rank"] is None
        found = [await result(client, held) for client in members]
        assert [each["rank"] for each in found] == [2, 3, 3, 3, 3]
        assert [each["pwbd_rank"] for each in found] == [1, 2, 2, 2, 2]
        assert [each["pwbd_percentile"] for each in found] == [100.0, 80.0, 80.0, 80.0, 80.0]

        listed = body_of(await held.staff.get(f"{held.path}/merit-list"))["items"]
        assert [(row["rank"], row["pwbd_rank"]) for row in listed[:3]] == [(1, None), (2, 1), (3, 2)]
        sheet = (await held.staff.get(f"{held.path}/merit-list", params={"format": "csv"})).text
        assert "category_rank,pwbd,pwbd_rank" in sheet

        query = {"exam_id": held.exam["id"], "pwbd": True}
        board = body_of(await members[1].get("/analytics/leaderboard", params=query))
        assert (board["participants"], board["me"]["rank"]) == (5, 2)
        assert [each["rank"] for each in board["items"]] == [1, 2, 2, 2, 2]
        around = query | {"around_me": True, "limit": 1}
        board = body_of(await members[0].get("/analytics/leaderboard", params=around))
        assert [each["rank"] for each in board["items"]] == [1, 2]
        assert body_of(await best.get("/analytics/leaderboard", params=query))["me"] is None

    async def test_a_board_is_of_one_group_and_of_an_exam(self, people: People, exams: Exams) -> None:
        held, candidate = await exams.hold(), await people.candidate()
        two_groups: Json = {"exam_id": held.exam["id"], "pwbd": True, "category": "obc"}
        of_a_test: Json = {"test_id": str(held.made[0].id), "pwbd": True}
        for query in (two_groups, of_a_test):
            answer = await candidate.get("/analytics/leaderboard", params=query)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "pwbd"), query
