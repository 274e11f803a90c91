"""A save is answered directly exactly as by the route, or left to it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.direct_saves import valid_body
from app.api.json_bodies import read_json
from app.core.errors import Invalid
from app.schemas.attempts import ResponsesIn
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, start
from tests.builders.content import PublishedTest, publish_test
from tests.request_lines import request_lines
from tests.thorough import count

BY_THE_ROUTE = {"Content-Type": "application/json; charset=utf-8"}
DIRECTLY = {"Content-Type": "application/json"}
OF_ONE_REQUEST = {"x-request-id", "content-length"}
ID = "0190a5f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@dataclass(frozen=True)
class Device:
    """A device that saves by either way."""

    client: httpx.AsyncClient
    sitting: AttemptClient
    authorization: str

    async def send(self, content: bytes, way: Json, **headers: str) -> httpx.Response:
        return await self.client.post(
            f"{self.sitting.made.path}/responses",
            content=content,
            headers={"Authorization": self.authorization, **way, **headers},
        )

    def body(self, **changes: Any) -> Json:
        """A body with one response; `changes` replace its fields, those of the response among them."""
        response = self.sitting.response(0, ["a"])
        whole = {"attempt_id": str(self.sitting.id), "lease": 1, "responses": [response]}
        of_response = {name: value for name, value in changes.items() if name not in whole}
        return (
            whole
            | {name: changes[name] for name in changes if name in whole}
            | ({"responses": [response | of_response]} if of_response else {})
        )


@pytest.fixture(params=["attempt token", "login"])
async def device(
    request: pytest.FixtureRequest, candidate: httpx.AsyncClient, api: httpx.AsyncClient, made: PublishedTest
) -> Device:
    sitting = await start(candidate, made)
    by_token = f"Bearer {sitting.attempt['attempt_token']}"
    return Device(
        api, sitting, str(candidate.headers["Authorization"]) if request.param == "login" else by_token
    )


def comparable(answer: httpx.Response) -> tuple[int, Json, Json]:
    """An answer without what differs between any two requests."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_ONE_REQUEST}
    body = {
        name: value
        for name, value in answer.json().items()
        if name not in ("request_id", "server_time", "receipt")
    }
    return answer.status_code, headers, body


BODIES: dict[str, Json] = {
    "right": {},
    "known before": {"revision": 1},
    "cleared": {"revision": 2, "answer": None},
    "with all fields": {"revision": 3, "confidence": "sure", "language": "en", "time_spent_ms": 9},
    "another answer for a revision": {"answer": ["b"]},
    "no such option": {"answer": ["z"]},
    "no such question": {"question_id": str(uuid4())},
    "another attempt": {"attempt_id": str(uuid4())},
    "a lease never given": {"lease": 2},
    "a revision as text": {"revision": "1"},
    "an unknown field": {"mark": 1},
    "no responses": {"responses": []},
    "a language that the paper lacks": {"language": "ta"},
}


class TestBothWays:
    async def test_they_answer_alike(self, device: Device) -> None:
        for name, changes in BODIES.items():
            content = json.dumps(device.body(**changes)).encode()
            first = await device.send(content, BY_THE_ROUTE)
            long, short = await device.send(content, BY_THE_ROUTE), await device.send(content, DIRECTLY)
            assert comparable(short) == comparable(long), name
            assert first.status_code == short.status_code, name

    async def test_what_is_no_body_is_refused_alike(self, device: Device) -> None:
        for content in (b"", b"{", b"[]", b"null", b'{"lease": NaN}', b"\xff", b"\xef\xbb\xbf{}"):
            long, short = await device.send(content, BY_THE_ROUTE), await device.send(content, DIRECTLY)
            assert short.status_code == 422, content
            assert comparable(short) == comparable(long), content

    async def test_a_web_page_gets_the_same_headers(self, device: Device) -> None:
        content = json.dumps(device.body()).encode()
        origin = "http://localhost:3000"
        await device.send(content, BY_THE_ROUTE)
        long, short = [await device.send(content, way, Origin=origin) for way in (BY_THE_ROUTE, DIRECTLY)]
        assert comparable(short) == comparable(long)

    @pytest.mark.parametrize("way", [DIRECTLY, BY_THE_ROUTE], ids=["short", "long"])
    async def test_each_has_a_log_line_and_the_id_of_the_client(self, device: Device, way: Json) -> None:
        with request_lines() as lines:
            answer = await device.send(json.dumps(device.body()).encode(), way, **{"X-Request-ID": "mine-1"})
        assert answer.headers["X-Request-ID"] == "mine-1"
        [line] = [each for each in lines if each["request_id"] == "mine-1"]
        assert (line["event"], line["route"], line["status"]) == (
            "request",
            "/v1/tests/{test_id}/responses",
            200,
        )
        assert line["user_id"]

    async def test_a_token_that_is_not_ours_is_refused(self, device: Device) -> None:
        content = json.dumps(device.body()).encode()
        answer = await device.send(content, DIRECTLY, Authorization="Bearer x.y.z")
        assert answer.status_code == 401

    async def test_a_body_in_pieces_is_read_whole(self, device: Device) -> None:
        content = json.dumps(device.body()).encode()

        async def pieces() -> AsyncIterator[bytes]:
            yield content[:30]
            yield content[30:]

        answer = await device.client.post(
            f"{device.sitting.made.path}/responses",
            content=pieces(),
            headers={"Authorization": device.authorization, **DIRECTLY},
        )
        assert answer.json()["saved"] == 1


answers = st.one_of(
    st.none(),
    st.text(max_size=4),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
    st.integers(),
)
numbers = st.one_of(
    st.integers(-1, 3), st.floats(), st.booleans(), st.sampled_from([2**31, 2**64, 10**30, "1"])
)
ids = st.sampled_from([ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", "x", None])
sent = st.lists(
    st.fixed_dictionaries(
        {"question_id": ids, "revision": numbers, "answer": answers},
        optional={
            "marked_for_review": st.one_of(st.booleans(), numbers),
            "time_spent_ms": numbers,
            "confidence": st.sampled_from(["sure", "Sure", None]),
            "language": st.sampled_from(["en", " en ", "e", None, "hi-IN"]),
            "more": st.none(),
        },
    ),
    max_size=3,
)
bodies = st.fixed_dictionaries({"attempt_id": ids, "lease": numbers, "responses": sent})


@settings(
    max_examples=count(40, 5_000),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(body=bodies, escaped=st.booleans())
def test_a_body_is_read_as_the_route_reads_it(body: Json, escaped: bool) -> None:
    content = json.dumps(body, ensure_ascii=escaped).encode(errors="surrogatepass")
    short = valid_body(content)
    if short is not None:
        assert short == ResponsesIn.model_validate(read_json(content))
        return
    if b"\\" in content:
        return
    try:
        assert ResponsesIn.model_validate(read_json(content)).wrong
    except (ValidationError, Invalid):
        return
