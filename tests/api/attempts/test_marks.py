"""Marks over HTTP: schemes, dropped questions, kinds of questions, and UPSC's papers to the last third."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, take_test
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.builders.people import People

DROPPED = {"dropped": True}


@pytest.fixture(scope="module")
async def anybody(people: People) -> httpx.AsyncClient:
    """One candidate for all of these: each test has a paper of its own."""
    return await people.candidate()


@pytest.fixture
def candidate(anybody: httpx.AsyncClient) -> httpx.AsyncClient:
    return anybody


async def publish(engine: AsyncEngine, keys: Any, **changes: Any) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, keys, **changes)


def outcomes(result: Json) -> list[tuple[str, str]]:
    return [(each["outcome"], each["marks"]) for each in result["questions"]]


class TestDropped:
    @pytest.mark.parametrize(
        ("rule", "answers", "score", "marks"),
        [
            pytest.param("prorate", {0: ["a"]}, "3.00", "0.00", id="UPSC: the rest is stretched"),
            pytest.param("prorate", {0: ["a"], 1: ["d"]}, "3.00", "0.00", id="UPSC: whatever was answered"),
            pytest.param("prorate", {0: ["b"]}, "-0.99", "0.00", id="UPSC: -0.66 by 6/4"),
            pytest.param("full_marks_to_all", {0: ["a"]}, "4.00", "2.00", id="to all"),
            pytest.param("marks_to_attempted", {0: ["a"]}, "2.00", "0.00", id="NTA: blank"),
            pytest.param("marks_to_attempted", {0: ["a"], 1: ["d"]}, "4.00", "2.00", id="NTA: attempted"),
        ],
    )
    async def test_rules(
        self,
        engine: AsyncEngine,
        candidate: httpx.AsyncClient,
        rule: str,
        answers: dict[int, Any],
        score: str,
        marks: str,
    ) -> None:
        made = await publish(engine, [["a"], DROPPED, ["c"]], marking={"dropped": rule})
        result = await take_test(candidate, made, answers)
        assert (result["score"], result["max_score"], result["dropped"]) == (score, "6.00", 1)
        assert outcomes(result)[1] == ("dropped", marks)
        assert result["questions"][1]["key"] == DROPPED


class TestSchemes:
    async def test_question_over_section_over_test(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"]] * 4)
            sections = [
                SectionDraft({"en": "As the test"}, ids[:1]),
                SectionDraft(
                    {"en": "Its own"},
                    ids[1:],
                    marking={"correct": "5/2", "incorrect": "-5/6"},
                    question_marking={ids[3]: {"incorrect": "0"}},
                ),
            ]
            published = await publish_test(uow, sections=sections)
        result = await take_test(
            candidate, PublishedTest(published.id, ids), {0: ["b"], 1: ["a"], 2: ["b"], 3: ["b"]}
        )
        assert outcomes(result) == [
            ("incorrect", "-0.66"),
            ("correct", "2.50"),
            ("incorrect", "-0.83"),
            ("incorrect", "0.00"),
        ]
        assert result["score_exact"] == "1"  # -2/3 + 5/2 - 5/6
        assert [(each["score_exact"], each["max_score"]) for each in result["sections"]] == [
            ("-2/3", "2.00"),
            ("5/3", "7.50"),
        ]

    async def test_marks_for_blanks(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, [["a"]] * 2, marking={"unattempted": "-1/10", "rounding": "half_up"})
        result = await take_test(candidate, made, {0: ["a"]})
        assert outcomes(result) == [("correct", "2.00"), ("unattempted", "-0.10")]
        assert (result["marks_gained"], result["marks_lost"]) == ("2.00", "0.10")

    async def test_choose(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, [["a"]] * 4, section={"choose": 2})
        result = await take_test(candidate, made, {1: ["b"], 2: ["a"], 3: ["a"]})
        assert result["max_score"] == "4.00"
        assert [outcome for outcome, _ in outcomes(result)] == [
            "unattempted",
            "incorrect",
            "correct",
            "unattempted",
        ]


class TestKinds:
    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            ("3.14", "correct"),
            ("3.15", "correct"),
            ("3.13", "correct"),
            ("3.151", "incorrect"),
            ("22/7", "correct"),
        ],
    )
    async def test_numeric(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, answer: str, outcome: str
    ) -> None:
        made = await publish(engine, [{"value": "3.14", "tolerance": "0.01"}])
        assert outcomes(await take_test(candidate, made, {0: answer}))[0][0] == outcome

    @pytest.mark.parametrize(
        ("answer", "outcome", "marks"),
        [
            (["d", "b", "c"], "correct", "2.00"),
            (["b"], "partial", "0.67"),
            (["b", "c"], "partial", "1.33"),
            (["b", "a"], "incorrect", "-0.67"),
        ],
    )
    async def test_multiple_choice_in_part(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, answer: Any, outcome: str, marks: str
    ) -> None:
        marking = {"partial": "proportional", "rounding": "half_up"}
        made = await publish(engine, [["b", "c", "d"]], type="multiple_choice", marking=marking)
        assert outcomes(await take_test(candidate, made, {0: answer})) == [(outcome, marks)]

    @pytest.mark.parametrize(("answer", "outcome"), [("true", "correct"), ("false", "incorrect")])
    async def test_true_false(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, answer: str, outcome: str
    ) -> None:
        made = await publish(engine, [["true"]], type="true_false")
        assert outcomes(await take_test(candidate, made, {0: [answer]}))[0][0] == outcome

    async def test_two_options_for_a_single_choice_are_wrong(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine, [["a"]])
        assert outcomes(await take_test(candidate, made, {0: ["a", "b"]})) == [("incorrect", "-0.66")]

    @pytest.mark.parametrize(("answer", "outcome"), [("b", "correct"), ("c", "correct"), ("d", "incorrect")])
    async def test_either_of_two(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, answer: str, outcome: str
    ) -> None:
        made = await publish(engine, [{"accepted": [["b"], ["c"]]}])
        assert outcomes(await take_test(candidate, made, {0: [answer]}))[0][0] == outcome


class TestUpsc:
    """A hundred questions of two marks, a third of that for a wrong answer."""

    async def test_all_right(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        keys = ["abcd"[number % 4] for number in range(100)]
        made = await publish(engine, keys)
        result = await take_test(candidate, made, {number: [key] for number, key in enumerate(keys)})
        assert (result["score"], result["max_score"]) == ("200.00", "200.00")

    async def test_all_right_but_one_that_is_dropped(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        keys: list[Any] = [["b"]] * 100
        keys[79] = DROPPED
        made = await publish(engine, keys)
        result = await take_test(candidate, made, {number: ["b"] for number in range(100) if number != 79})
        assert (result["score"], result["score_exact"], result["correct"]) == ("200.00", "200", 99)

    @pytest.mark.parametrize(
        ("right", "score", "exact"),
        [
            (25, "0.00", "0"),  # 50 - 75 * 2/3
            (26, "2.66", "8/3"),  # 52 - 74 * 2/3 = 2 2/3, two thirds print as .66
            (27, "5.34", "16/3"),  # 54 - 73 * 2/3 = 5 1/3, a third prints as .34
            (24, "-2.66", "-8/3"),
        ],
    )
    async def test_a_throughout(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, right: int, score: str, exact: str
    ) -> None:
        made = await publish(engine, [["a"]] * right + [["b"]] * (100 - right))
        result = await take_test(candidate, made, {number: ["a"] for number in range(100)})
        assert (result["score"], result["score_exact"]) == (score, exact)
        assert (result["correct"], result["incorrect"]) == (right, 100 - right)

    async def test_a_throughout_with_one_dropped(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine, [["a"]] * 40 + [DROPPED] + [["b"]] * 59)
        result = await take_test(candidate, made, {number: ["a"] for number in range(100)})
        # 80 - 59 * 2/3 = 40 2/3, by 200/198; printed 40.66 * 200/198 = 41.0707...
        assert (result["score"], result["score_exact"]) == ("41.07", "12200/297")
