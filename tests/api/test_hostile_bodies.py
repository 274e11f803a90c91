"""Hostile bodies to every operation: who may not call it is refused unread, all others within bounds.

Nothing here looks at the clock: bytes handed out, statuses and the size of answers are counted.
`python -m tests.faults.hostile_bodies` measures the same on a running system.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse
from starlette.types import Message

from app.api import problems
from app.api.deps import CurrentUser
from app.config import Settings
from app.services.components import Components
from tests.api.access_table import OPERATIONS, PUBLIC, Level, Operation, Rule
from tests.api.matrix import MAY_BE_503
from tests.builders.people import People
from tests.builders.world import Identity, World
from tests.hostile_bodies import (
    CHUNK,
    DIFFERENT_HEADERS,
    SHAPES,
    WORST,
    Body,
    Frame,
    frame_of,
    kind_of_headers,
    whole,
)
from tests.thorough import part

PUBLIC_BYTES = 64 * 1024
MAX_REFUSAL_BYTES = 64 * 1024
REFUSALS = frozenset({400, 401, 403, 404, 408, 409, 413, 415, 422, 429})
NOT_TRIED = frozenset({401, 429})
TAKES_A_LIST = ("POST", "/v1/tests/{test_id}/responses")


@dataclass(frozen=True)
class Outcome:
    """What a request led to."""

    status: int
    content_type: str
    content: bytes
    received: int
    """Bytes of the body that the application asked for."""


@dataclass(frozen=True)
class Attack:
    """Sends bodies to an application, and says where an answer is not what was promised."""

    app: FastAPI
    world: World
    settings: Settings

    async def send(self, identity: Identity, operation: Operation, body: Body) -> Outcome:
        """One request, over ASGI: its body is handed out only as far as it is asked for."""
        parts, received, is_whole, answer = body.parts(), 0, False, list[Message]()

        async def receive() -> Message:
            nonlocal received, is_whole
            if is_whole:
                await asyncio.Event().wait()  # The client waits for its answer.
            part = next(parts, None)
            received, is_whole = received + len(part or b""), part is None
            return {"type": "http.request", "body": part or b"", "more_body": not is_whole}

        async def send(message: Message) -> None:
            answer.append(message)

        await self.app(self._scope(identity, operation, body), receive, send)
        headers = dict(answer[0]["headers"])
        content = b"".join(message.get("body", b"") for message in answer[1:])
        return Outcome(answer[0]["status"], headers.get(b"content-type", b"").decode(), content, received)

    def _scope(self, identity: Identity, operation: Operation, body: Body) -> dict[str, object]:
        method, template = operation
        token = self.world.headers[identity]
        headers = {"host": "api.test", **body.headers} | ({"authorization": token} if token else {})
        path = self.world.path(template)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("203.0.113.9", 40000),
            "server": ("api.test", 80),
        }

    async def faults(
        self, identity: Identity, operations: Iterable[tuple[Operation, Rule]], name: str
    ) -> list[str]:
        """What is wrong with the answers of these operations to one shape.

        Operations that may not read a body are tried with one shape of each kind of headers, since they would
        not see a byte of the others. That they read none is checked each time.
        """
        found, document = [], self.app.openapi()
        for operation, rule in operations:
            refusal = _expected(identity, rule)
            may_read = refusal is None and self._limit(operation) > 0
            if not may_read and name not in DIFFERENT_HEADERS:
                continue
            frame = frame_of(document, *operation)
            outcome = await self.send(identity, operation, SHAPES[name](frame))
            if wrong := self._complaint(operation, outcome, refusal):
                found.append(f"{' '.join(operation)} as {identity}: {wrong}")
        return found

    def _complaint(self, operation: Operation, outcome: Outcome, refusal: int | None) -> str | None:
        if refusal and (outcome.status, outcome.received) != (refusal, 0):
            return f"{outcome.status} after {outcome.received} bytes instead of {refusal} after none"
        if not refusal and outcome.status in NOT_TRIED and "/auth/" not in operation[1]:
            return f"{outcome.status}, so that the body was not tried"
        if outcome.received > (limit := self._limit(operation)):
            return f"{outcome.received} bytes read where {limit} are allowed"
        if outcome.status == 503 and operation[1] in MAY_BE_503:
            return None
        if outcome.status >= 300 and outcome.status not in REFUSALS:
            return f"status {outcome.status}"
        if outcome.status < 300 and outcome.received:
            return f"accepted with {outcome.status}"
        if len(outcome.content) > MAX_REFUSAL_BYTES and outcome.status >= 300:
            return f"a refusal of {len(outcome.content)} bytes"
        is_problem = outcome.content_type.startswith(problems.PROBLEM_JSON)
        return None if outcome.status < 300 or is_problem else f"refused as {outcome.content_type}"

    def _limit(self, operation: Operation) -> int:
        """The most bytes that an operation may ask for: one chunk tells it that there is too much."""
        method, path = operation
        content = self.app.openapi()["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        if not content:
            return 0
        if any(each.startswith("multipart/") for each in content):
            return self.settings.max_upload_bytes + CHUNK
        is_public = OPERATIONS.get(operation, PUBLIC).level is Level.PUBLIC
        return (PUBLIC_BYTES if is_public else self.settings.max_body_bytes) + CHUNK


def _expected(identity: Identity, rule: Rule) -> int | None:
    """The status that somebody hears who may not use the route at all."""
    if identity in rule.level.value:
        return None
    return 401 if identity is Identity.ANONYMOUS else 403


@pytest.fixture(scope="module")
async def attacked(world: World, people: People) -> World:
    """With a candidate of this module alone: operations that read no body do what they are asked."""
    candidate = await people.candidate()
    headers = {**world.headers, Identity.CANDIDATE: candidate.headers["Authorization"]}
    return replace(world, headers=headers)


@pytest.fixture
def attack(app: FastAPI, attacked: World, settings: Settings) -> Attack:
    return Attack(app, attacked, settings)


def test_there_are_at_least_twenty_shapes() -> None:
    assert len(SHAPES) >= 20
    assert set(WORST) <= set(SHAPES)


def test_each_kind_of_headers_is_tried_with_every_operation() -> None:
    kinds = {name: kind_of_headers(shape(Frame())) for name, shape in SHAPES.items()}
    assert {kinds[name] for name in DIFFERENT_HEADERS} == set(kinds.values())


def some_operations(name: str) -> Sequence[tuple[Operation, Rule]]:
    """The operations that a shape is sent to: a tenth of them in `make test`."""
    return part(list(OPERATIONS.items()), name, 10)


async def test_nobody_costs_nothing(attack: Attack) -> None:
    """Anonymous: a body is read by the public operations alone, and by those within 64 KiB."""
    for name in SHAPES:
        assert await attack.faults(Identity.ANONYMOUS, some_operations(name), name) == [], name


async def test_a_candidate_costs_little(attack: Attack) -> None:
    """What staff alone may do is refused unread; the rest is read within a megabyte."""
    for name in SHAPES:
        assert await attack.faults(Identity.CANDIDATE, some_operations(name), name) == [], name


class TestTheBoundOfValues:
    """A document is refused by counting its commas and brackets, before it is parsed."""

    @pytest.mark.parametrize("values", [100_000, 200_000])
    async def test_more_are_refused_unparsed(self, attack: Attack, values: int) -> None:
        body = whole(b'{"responses":[%b]}' % b",".join([b"0"] * values))
        outcome = await attack.send(Identity.CANDIDATE, TAKES_A_LIST, body)
        assert outcome.status == 422
        assert "too many values" in json.loads(outcome.content)["detail"]

    async def test_as_many_as_allowed_reach_the_operation(self, attack: Attack) -> None:
        body = whole(b'{"responses":[%b]}' % b",".join([b"0"] * 5_900))
        outcome = await attack.send(Identity.CANDIDATE, TAKES_A_LIST, body)
        assert outcome.status == 422
        problem = json.loads(outcome.content)
        assert "too many values" not in problem["detail"]
        assert problem["errors"]

    async def test_unparsed_is_unparsed(self, attack: Attack) -> None:
        """What is no JSON after its 100,000th comma hears of the commas."""
        body = whole(b"[" + b"0," * 100_000 + b"oh")
        outcome = await attack.send(Identity.CANDIDATE, TAKES_A_LIST, body)
        assert "too many values" in json.loads(outcome.content)["detail"]


class TestTheCheckCanFail:
    """Operations that are wrong on purpose, each of which the check has to find."""

    @pytest.fixture
    def planted(self, parts: Components, attacked: World, settings: Settings) -> Attack:
        app = FastAPI()
        app.state.components = parts

        async def reads(request: Request) -> bytes:
            return await request.body()

        @app.post("/v1/reads-first")
        async def reads_first(body: Annotated[bytes, Depends(reads)], user: CurrentUser) -> None:
            return None

        @app.post("/v1/reads-all")
        async def reads_all(user: CurrentUser, request: Request) -> int:
            return len(await request.body())

        @app.post("/v1/repeats")
        async def repeats(fields: dict[str, int]) -> None:
            return None

        @app.post("/v1/fails")
        async def fails(user: CurrentUser) -> None:
            raise RuntimeError

        @app.exception_handler(RuntimeError)
        async def hidden(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse({}, 500)

        problems.install(app)
        return Attack(app, attacked, settings)

    async def test_reading_before_permission_is_found(self, planted: Attack) -> None:
        wrong = [(("POST", "/v1/reads-first"), Rule(Level.SIGNED_IN))]
        found = await planted.faults(Identity.ANONYMOUS, wrong, "a list of numbers")
        assert found
        assert "instead of 401 after none" in found[0]

    async def test_a_body_without_limit_is_found(self, planted: Attack) -> None:
        wrong = [(("POST", "/v1/reads-all"), Rule(Level.SIGNED_IN))]
        found = await planted.faults(Identity.CANDIDATE, wrong, "no length, and a chunk over the limit")
        assert found
        assert "bytes read where 0 are allowed" in found[0]

    async def test_a_missing_permission_is_found(self, planted: Attack) -> None:
        wrong = [(("POST", "/v1/repeats"), Rule(Level.ADMINS))]
        found = await planted.faults(Identity.CANDIDATE, wrong, "a list of numbers")
        assert found
        assert "instead of 403" in found[0]

    async def test_an_internal_error_is_found(self, planted: Attack) -> None:
        wrong = [(("POST", "/v1/fails"), Rule(Level.SIGNED_IN))]
        found = await planted.faults(Identity.CANDIDATE, wrong, "a list of numbers")
        assert found
        assert "status 500" in found[0]


def test_the_list_of_an_operation_is_found_in_the_document(app: FastAPI) -> None:
    document = app.openapi()
    assert frame_of(document, "POST", "/v1/tests/{test_id}/responses") == Frame("responses")
    assert frame_of(document, "PUT", "/v1/exams/{exam_id}/accommodations") == Frame("items")
