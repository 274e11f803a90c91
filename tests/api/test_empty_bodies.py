"""POSTs that take nothing: no body or an empty object; what else is sent was meant for something else.

Also bodies that may be left out.
"""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.repositories.questions import QuestionFilter
from app.schemas.question_files import ExportIn
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import take_test
from tests.builders.content import publish_test

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def paths(engine: AsyncEngine) -> list[str]:
    """Every route that takes nothing, of a test and a question that exist."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    return [f"{made.path}/publish", f"{made.path}/archive", f"/questions/{made.question_ids[0]}/retire"]


class TestTakesNothing:
    @pytest.mark.parametrize("request_body", [{}, {"json": {}}, {"content": b"null", "headers": JSON}])
    async def test_nothing(self, author: httpx.AsyncClient, paths: list[str], request_body: Any) -> None:
        assert [(await author.post(path, **request_body)).status_code for path in paths] == [200] * 3

    @pytest.mark.parametrize(
        "request_body", [{"json": {"version": 2}}, {"json": []}, {"content": b"{", "headers": JSON}]
    )
    async def test_something(self, author: httpx.AsyncClient, paths: list[str], request_body: Any) -> None:
        assert [(await author.post(path, **request_body)).status_code for path in paths] == [422] * 3


NO_BODIES: list[Any] = [{}, {"json": {}}, {"content": b"null", "headers": JSON}]


class TestMayBeLeftOut:
    async def test_of_a_bookmark(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        await take_test(candidate, made, {0: ["a"]})
        path = f"/users/bookmarks/{made.question_ids[0]}"
        assert (await candidate.put(path, json={"note": "Ask."})).json()["note"] == "Ask."
        for request_body in NO_BODIES:
            answer = await candidate.put(path, **request_body)
            assert (answer.status_code, answer.json()["note"]) == (200, None)
        assert (await candidate.put(path, json={"notes": "Ask."})).status_code == 422

    async def test_of_an_export(self, author: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is the default, which wants all questions. Here nothing matches: the bank of a run is large."""
        assert ExportIn().wanted() == QuestionFilter()
        orders: list[ExportIn] = []

        def nothing(order: ExportIn) -> QuestionFilter:
            orders.append(order)
            return QuestionFilter(tags=[uuid4().hex])

        monkeypatch.setattr(ExportIn, "wanted", nothing)
        for request_body in NO_BODIES:
            answer = await author.post("/questions/export", **request_body)
            assert (answer.status_code, answer.headers["Content-Type"][:8]) == (200, "text/csv")
        assert orders == [ExportIn()] * 3
        assert (await author.post("/questions/export", json={"formats": "csv"})).status_code == 422
