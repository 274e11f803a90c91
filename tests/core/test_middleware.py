"""The middlewares around a real FastAPI application, spoken to over ASGI."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import REGISTRY

from app.api import problems
from app.core.arrival import Arrivals
from app.core.clock import SystemClock
from app.core.middleware import AccessLog, RateLimitHeaders, RequestContext, SecurityHeaders
from app.core.rate_limits import LimitState
from tests.request_lines import request_lines

pytestmark = pytest.mark.anyio

router = APIRouter(prefix="/tests")


@router.get("/{test_id}")
async def read(test_id: int, request: Request) -> dict[str, str]:
    request.state.user_id = "u-1"
    return {"client": str(request.state.client_address)}


@router.get("/{test_id}/paper")
async def paper(test_id: int, response: Response) -> int:
    response.headers["Cache-Control"] = "private, no-cache"
    return test_id


@router.get("/{test_id}/limited")
async def limited(test_id: int, request: Request) -> int:
    request.state.rate_limit = LimitState(limit=10, remaining=4, reset_after=30)
    return test_id


@router.post("/{test_id}")
async def write(test_id: int, body: dict[str, Any]) -> int:
    return test_id + len(body)


@router.post("/{test_id}/import")
async def upload(test_id: int, request: Request) -> int:
    return test_id + len(await request.body())


def make_app(**security: Any) -> FastAPI:
    app = FastAPI()
    v1 = APIRouter(prefix="/v1")
    v1.include_router(router)
    app.include_router(v1)
    problems.install(app)
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(SecurityHeaders, **{"hsts": False, **security})
    app.add_middleware(AccessLog)
    app.add_middleware(
        RequestContext, arrivals=Arrivals(SystemClock(), lambda: 0.0), trusted_proxies=["10.0.0.0/8"]
    )
    return app


@asynccontextmanager
async def speaking_to(app: FastAPI, peer: str = "192.0.2.7") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=(peer, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://ias") as client:
        yield client


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with speaking_to(make_app()) as client:
        yield client


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with request_lines() as lines:
        yield lines


class TestRequestContext:
    async def test_every_answer_has_an_id(self, client: httpx.AsyncClient) -> None:
        for answer in (
            await client.get("/v1/tests/1"),
            await client.get("/nowhere"),
            await client.put("/v1/tests/1"),
        ):
            assert UUID(answer.headers["X-Request-ID"]).version == 7

    async def test_a_harmless_id_is_kept(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/tests/1", headers={"X-Request-ID": "client-7.a_b"})
        assert answer.headers["X-Request-ID"] == "client-7.a_b"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "ü", "<script>"])
    async def test_another_is_replaced(self, client: httpx.AsyncClient, given: str) -> None:
        answer = await client.get("/v1/tests/1", headers=[(b"X-Request-ID", given.encode())])
        assert UUID(answer.headers["X-Request-ID"]).version == 7

    async def test_a_problem_and_the_log_name_the_id(
        self, client: httpx.AsyncClient, logs: list[Any]
    ) -> None:
        answer = await client.get("/v1/tests/x", headers={"X-Request-ID": "r-1"})
        assert answer.json()["request_id"] == "r-1"
        assert [(line["request_id"], line["problem"]) for line in logs] == [("r-1", answer.json()["code"])]

    async def test_the_address_is_the_peers(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/tests/1", headers={"X-Forwarded-For": "127.0.0.1"})
        assert answer.json() == {"client": "192.0.2.7"}

    async def test_the_address_is_the_one_that_a_trusted_proxy_tells(self) -> None:
        async with speaking_to(make_app(), peer="10.0.0.1") as client:
            answer = await client.get("/v1/tests/1", headers={"X-Forwarded-For": "127.0.0.1, 192.0.2.9"})
        assert answer.json() == {"client": "192.0.2.9"}


class TestAccessLog:
    async def test_tells_the_route_and_the_caller_and_no_secret(
        self, client: httpx.AsyncClient, logs: list[Any]
    ) -> None:
        await client.get("/v1/tests/77?ticket=abc", headers={"Authorization": "Bearer abc"})
        (line,) = logs
        assert line["method"] == "GET"
        assert line["route"] == "/v1/tests/{test_id}"
        assert line["status"] == 200
        assert line["client"] == "192.0.2.7"
        assert line["user_id"] == "u-1"
        assert line["duration_ms"] >= 0
        assert "problem" not in line
        assert "abc" not in str(line)

    async def test_counts_by_route_and_status(self, client: httpx.AsyncClient) -> None:
        labels = {"method": "GET", "route": "/v1/tests/{test_id}", "status": "422"}
        before = REGISTRY.get_sample_value("ias_http_requests_total", labels) or 0
        await client.get("/v1/tests/x")
        await client.get("/v1/tests/y")
        assert REGISTRY.get_sample_value("ias_http_requests_total", labels) == before + 2

    async def test_invented_paths_and_methods_make_no_series(self, client: httpx.AsyncClient) -> None:
        await client.request("BREW", "/teapot/7")
        labels = {"method": "OTHER", "route": "unmatched", "status": "404"}
        assert REGISTRY.get_sample_value("ias_http_requests_total", labels)


class TestSecurityHeaders:
    async def test_an_answer_of_the_api(self, client: httpx.AsyncClient) -> None:
        headers = (await client.get("/v1/tests/1")).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers

    async def test_a_route_decides_about_caching(self, client: httpx.AsyncClient) -> None:
        headers = (await client.get("/v1/tests/1/paper")).headers
        assert headers.get_list("Cache-Control") == ["private, no-cache"]

    async def test_https_for_good_in_production(self) -> None:
        async with speaking_to(make_app(hsts=True)) as client:
            assert "max-age" in (await client.get("/v1/tests/1")).headers["Strict-Transport-Security"]


class TestRateLimitHeaders:
    async def test_a_route_that_checks_a_limit_tells_it(self, client: httpx.AsyncClient) -> None:
        headers = (await client.get("/v1/tests/1/limited")).headers
        told = {name: headers[name] for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")}
        assert told == {"RateLimit-Limit": "10", "RateLimit-Remaining": "4", "RateLimit-Reset": "30"}

    async def test_other_routes_tell_none(self, client: httpx.AsyncClient) -> None:
        assert "RateLimit-Limit" not in (await client.get("/v1/tests/1")).headers
