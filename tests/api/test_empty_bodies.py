"""POSTs that take nothing: no body or an empty object; what else is sent was meant for something else."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
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
