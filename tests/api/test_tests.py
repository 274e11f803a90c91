"""A candidate takes a test: the core loop over HTTP."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.conftest import TestClock
from tests.content import Made, publish_test


@pytest.fixture
async def made(engine: AsyncEngine) -> Made:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


async def start(client: httpx.AsyncClient, made: Made) -> dict[str, Any]:
    answer = await client.post(f"{made.path}/start")
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def save(
    client: httpx.AsyncClient, made: Made, attempt: dict[str, Any], *responses: dict[str, Any]
) -> httpx.Response:
    body = {"attempt_id": attempt["id"], "lease": attempt["lease"], "responses": list(responses)}
    return await client.post(f"{made.path}/responses", json=body)


def response(made: Made, number: int, answer: Any, revision: int = 1, **more: Any) -> dict[str, Any]:
    return {"question_id": str(made.question_ids[number]), "revision": revision, "answer": answer, **more}


class TestLoop:
    async def test_a_candidate_gets_exact_marks_and_a_rank(
        self, candidate: httpx.AsyncClient, made: Made
    ) -> None:
        attempt = await start(candidate, made)
        saved = await save(
            candidate, made, attempt, response(made, 0, ["a"], time_spent_ms=5000), response(made, 1, ["c"])
        )
        assert saved.status_code == 200, saved.text
        assert saved.json()["saved"] == 2
        submitted = await candidate.post(f"{made.path}/submit", json={"attempt_id": attempt["id"]})
        assert submitted.json()["status"] == "graded"
        result = (await candidate.get(f"{made.path}/results")).json()
        assert (result["score"], result["score_exact"], result["max_score"]) == ("1.34", "4/3", "6.00")
        assert (result["rank"], result["participants"], result["percentile"]) == (1, 1, 100.0)
        assert [q["outcome"] for q in result["questions"]] == ["correct", "incorrect", "unattempted"]
        assert result["questions"][0]["time_spent_ms"] == 5000

    async def test_the_paper_has_no_key(self, candidate: httpx.AsyncClient, made: Made) -> None:
        await start(candidate, made)
        paper = await candidate.get(f"{made.path}/questions")
        assert paper.status_code == 200
        assert paper.headers["content-encoding"] == "gzip"
        assert len(paper.json()["questions"]) == 3
        assert "SECRET" not in paper.text
        assert "accepted" not in paper.text
        again = await candidate.get(
            f"{made.path}/questions", headers={"If-None-Match": paper.headers["etag"]}
        )
        assert again.status_code == 304

    async def test_late_answers_are_kept_and_do_not_count(
        self, candidate: httpx.AsyncClient, made: Made, clock: TestClock
    ) -> None:
        attempt = await start(candidate, made)
        clock.advance(700)
        late = await save(candidate, made, attempt, response(made, 0, ["a"]))
        assert late.status_code == 409, late.text
        assert (late.json()["code"], late.json()["recorded"]) == ("deadline_passed", True)
        await candidate.post(f"{made.path}/submit", json={"attempt_id": attempt["id"]})
        result = (await candidate.get(f"{made.path}/results")).json()
        assert result["score"] == "0.00"
