"""A start is answered directly exactly as by the route, or left to it."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.direct_bodies import plain_body
from app.api.json_bodies import read_json
from app.core.errors import Invalid
from app.schemas.attempts import StartIn
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, MINUTE, hold_exam, register
from tests.builders.people import People
from tests.conftest import TestClock
from tests.request_lines import request_lines
from tests.thorough import count

DIRECTLY = {"Content-Type": "application/json"}
BY_THE_ROUTE = {"Content-Type": "application/json; charset=utf-8"}
WAYS = (DIRECTLY, BY_THE_ROUTE, DIRECTLY)
OF_ONE_ATTEMPT = ("id", "attempt_token", "started_at", "deadline_at", "server_time", "request_id")
OF_ONE_ATTEMPT_TOO = ("question_order", "option_orders", "remaining_seconds")


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, shuffle={"questions": True, "options": True})


def comparable(answer: httpx.Response) -> tuple[int, Json, Json]:
    """An answer without what differs between two attempts, but with its fields and their order."""
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("x-request-id", "content-length")
    }
    body = {
        name: sorted(value) if name in OF_ONE_ATTEMPT_TOO and not isinstance(value, int) else value
        for name, value in answer.json().items()
        if name not in (*OF_ONE_ATTEMPT, "remaining_seconds")
    }
    return answer.status_code, headers, {"fields": list(answer.json()), **body}


async def resumed(client: httpx.AsyncClient, path: str, way: Json) -> bytes:
    """The answer to a resumed start without its lease and its token."""
    answer = await client.post(path, content=b'{"device": "Pixel 9"}', headers=way)
    assert answer.status_code == 200
    attempt = answer.json()
    lease, token = f'"lease":{attempt["lease"]},"started_at"', attempt["attempt_token"]
    return answer.content.replace(lease.encode(), b"LEASE").replace(token.encode(), b"TOKEN")


async def by(people: People, made: PublishedTest, way: Json, content: bytes, **headers: str) -> Any:
    """The answers to a new candidate who starts, and then starts again."""
    candidate = await people.candidate()
    request: Json = {"content": content, "headers": {**way, **headers}}
    return [comparable(await candidate.post(f"{made.path}/start", **request)) for _ in range(2)]


BODIES = {
    "none": b"",
    "empty": b"{}",
    "a device": b'{"device": "Pixel 9"}',
    "a device with spaces": '{"device": "  Pixel\u00a09 "}'.encode(),
    "an escape": b'{"device": "Pixel\\u0000"}',
    "no device": b'{"device": null}',
    "null": b"null",
    "a long name": json.dumps({"device": "x" * 201}).encode(),
    "a large body": json.dumps({"device": "x" * 2_000}).encode(),
    "a number": b'{"device": 5}',
    "another field": b'{"devices": "x"}',
    "no JSON": b"{",
    "no text": b"\xff",
}


class TestBothWays:
    @pytest.mark.parametrize("content", BODIES.values(), ids=BODIES.keys())
    async def test_they_answer_alike(self, people: People, made: PublishedTest, content: bytes) -> None:
        short = await by(people, made, DIRECTLY, content)
        assert short == await by(people, made, BY_THE_ROUTE if content else {}, content)
        assert [status for status, *_ in short] in ([201, 200], [422, 422])

    async def test_a_resumed_one_is_answered_by_the_same_bytes(
        self, people: People, made: PublishedTest, clock: TestClock
    ) -> None:
        clock.stop_entirely()
        sitting = await start(await people.candidate(), made)
        await sitting.save(sitting.response(0, ["b"], marked_for_review=True), sitting.response(1, ["a"]))
        await sitting.save(sitting.response(1, None, 2, time_spent_ms=7, confidence="sure"))
        answers = [await resumed(sitting.client, f"{made.path}/start", way) for way in WAYS]
        assert answers == [answers[0]] * len(WAYS)
        assert b'"responses":[{' in answers[0]

    async def test_so_is_a_resumed_paper(
        self,
        people: People,
        author: httpx.AsyncClient,
        engine: AsyncEngine,
        clock: TestClock,
    ) -> None:
        clock.stop_entirely()
        async with unit_of_work(engine) as uow:
            of_exam = await publish_test(uow, shuffle={"questions": True, "options": True})
        held = await hold_exam(author, of_exam, starts_at=clock.now())
        entrant = await register(await people.candidate(), held)
        await entrant.enter()
        await entrant.save({0: ["a"], 2: ["b"]})
        answers = [await resumed(entrant.client, f"{entrant.path}/start", way) for way in WAYS]
        assert answers == [answers[0]] * len(WAYS)
        assert b'"package_key":"' in answers[0]

    @pytest.mark.parametrize("code", ["paper_not_open", "entry_closed", "attempts_exhausted"])
    async def test_a_refused_paper_is_answered_by_the_same_bytes(
        self, people: People, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock, code: str
    ) -> None:
        clock.stop_entirely()
        async with unit_of_work(engine) as uow:
            of_exam = await publish_test(uow)
        held = await hold_exam(author, of_exam, starts_at=clock.now(), entry=MINUTE, window=HOUR)
        entrant = await register(await people.candidate(), held)
        if code == "attempts_exhausted":
            await entrant.enter()
            await entrant.submit()
        clock.advance({"paper_not_open": -1, "entry_closed": 60}.get(code, 1))
        headers = {"X-Request-ID": "r-1"}
        short, long = [
            await entrant.client.post(f"{entrant.path}/start", content=b"{}", headers={**way, **headers})
            for way in (DIRECTLY, BY_THE_ROUTE)
        ]
        assert (short.status_code, short.json()["code"]) == (409, code)
        assert (short.content, short.headers) == (long.content, long.headers)

    async def test_a_web_page_gets_the_same_headers(self, people: People, made: PublishedTest) -> None:
        origin = {"Origin": "http://localhost:3000"}
        short = await by(people, made, DIRECTLY, b"{}", **origin)
        assert short == await by(people, made, BY_THE_ROUTE, b"{}", **origin)

    async def test_each_has_a_log_line_and_the_id_of_the_client(
        self, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        for way, status in ((DIRECTLY, 201), (BY_THE_ROUTE, 200)):
            with request_lines() as lines:
                headers = {**way, "X-Request-ID": "mine-1"}
                answer = await candidate.post(f"{made.path}/start", content=b"{}", headers=headers)
            assert (answer.status_code, answer.headers["X-Request-ID"]) == (status, "mine-1")
            [line] = [each for each in lines if each["request_id"] == "mine-1"]
            assert (line["route"], line["status"]) == ("/v1/tests/{test_id}/start", status)
            assert (line["request_id"], bool(line["user_id"])) == ("mine-1", True)

    @pytest.mark.parametrize("token", ["", "Bearer x.y.z", "Basic eA=="])
    async def test_without_a_login_it_is_refused_alike(
        self, api: httpx.AsyncClient, made: PublishedTest, token: str
    ) -> None:
        path, header = f"{made.path}/start", {"Authorization": token} if token else {}
        short, long = [
            await api.post(path, content=b"{}", headers={**way, **header}) for way in (DIRECTLY, BY_THE_ROUTE)
        ]
        assert short.status_code == 401
        assert (short.json()["code"], short.headers.keys()) == (long.json()["code"], long.headers.keys())

    async def test_a_query_is_refused(self, candidate: httpx.AsyncClient, made: PublishedTest) -> None:
        answer = await candidate.post(f"{made.path}/start?x=1", content=b"{}", headers=DIRECTLY)
        assert answer.status_code == 422


@settings(
    max_examples=count(100, 3_000),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    body=st.one_of(
        st.dictionaries(
            st.sampled_from(["device", "Device", "x"]), st.one_of(st.none(), st.text(), st.integers())
        ),
        st.none(),
        st.lists(st.text(max_size=2), max_size=2),
        st.text(max_size=3),
    ),
    escaped=st.booleans(),
)
def test_a_body_is_read_as_the_route_reads_it(body: Any, escaped: bool) -> None:
    content = json.dumps(body, ensure_ascii=escaped).encode(errors="surrogatepass")
    short = plain_body(StartIn, content)
    if short is not None:
        assert short == StartIn.model_validate(read_json(content))
    elif b"\\" not in content:
        with pytest.raises((ValidationError, Invalid)):
            StartIn.model_validate(read_json(content))
