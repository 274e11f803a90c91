"""The order of every request: who, whether they may, and only then the body, within bounds."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, File, UploadFile
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import event
from starlette.types import Message, Receive

from app.api import deps, idempotency, problems
from app.api.deps import CurrentAdmin, CurrentUser
from app.api.routing import PUBLIC_BODY_BYTES, PUBLIC_VALUES, PermissionFirstRoute, accesses
from app.core.arrival import Arrivals
from app.core.clock import SystemClock
from app.core.middleware import RateLimitHeaders, RequestContext
from app.services.components import Components
from tests.builders.people import People

pytestmark = pytest.mark.anyio

router = APIRouter(route_class=PermissionFirstRoute)
PUBLIC = {
    "POST /v1/auth/register",
    "POST /v1/auth/login",
    "POST /v1/auth/refresh",
    "POST /v1/auth/forgot-password",
    "POST /v1/auth/reset-password",
    "POST /v1/auth/confirm",
    "POST /v1/auth/resend",
    "POST /v1/notifications/unsubscribe",
}


@router.post("/public")
async def public(body: dict[str, Any]) -> int:
    return len(body)


@router.post("/members")
async def members(user: CurrentUser, body: dict[str, Any]) -> int:
    return len(body)


@router.post("/admins")
async def admins(user: CurrentAdmin, body: dict[str, Any]) -> int:
    return len(body)


@router.post("/files")
async def files(user: CurrentUser, file: Annotated[UploadFile, File()]) -> int:
    return len(await file.read())


def transactions_of(dependant: Dependant) -> list[object]:
    """The dependencies of a route that open a transaction."""
    kinds = (deps._read, deps._write, idempotency._write_once)
    opened = [dependant.call] if dependant.call in kinds else []
    return opened + [each for part in dependant.dependencies for each in transactions_of(part)]


class CountingClient:
    """Calls the application without a server, and counts how often it asks for a piece of the body."""

    def __init__(self, app: FastAPI, token: str | None = None) -> None:
        self.app = app
        self.token = token
        self.pieces = 0
        self.state: dict[str, Any] = {}

    async def post(self, path: str, receive: Receive, **headers: str) -> tuple[int, Any]:
        given = {"content-type": "application/json", **headers}
        if self.token:
            given["authorization"] = f"Bearer {self.token}"
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("192.0.2.9", 1),
            "scheme": "http",
            "server": ("ias", 80),
            "state": self.state,
        }
        sent: list[Message] = []

        async def counted() -> Message:
            self.pieces += 1
            return await receive()

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, counted, send)
        answer = httpx.Response(
            sent[0]["status"], content=b"".join(each.get("body", b"") for each in sent[1:])
        )
        return answer.status_code, answer.json()


def body_of(*pieces: bytes) -> Receive:
    """A body in these pieces."""
    waiting = list(pieces)

    async def receive() -> Message:
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    return receive


async def endless() -> Message:
    """A body that never ends."""
    return {"type": "http.request", "body": b" " * 1000, "more_body": True}


async def silent() -> Message:
    """A body that never arrives."""
    await asyncio.Event().wait()
    raise AssertionError


def make_app(parts: Components, **settings: Any) -> FastAPI:
    app = FastAPI()
    app.state.components = replace(parts, settings=parts.settings.model_copy(update=settings))
    app.include_router(router)
    problems.install(app)
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(RequestContext, arrivals=Arrivals(SystemClock(), lambda: 0.0))
    return app


@pytest.fixture
async def token(people: People) -> str:
    client = await people.candidate()
    return client.headers["Authorization"].removeprefix("Bearer ")


class TestPermissionComesFirst:
    async def test_a_stranger_s_body_is_not_read(self, parts: Components) -> None:
        for path in ("/members", "/admins", "/files"):
            client = CountingClient(make_app(parts))
            status, problem = await client.post(path, endless)
            assert (status, problem["code"], client.pieces) == (401, "unauthenticated", 0)

    async def test_nor_is_that_of_somebody_who_may_not(self, parts: Components, token: str) -> None:
        client = CountingClient(make_app(parts), token)
        assert (await client.post("/admins", endless))[0] == 403
        assert client.pieces == 0

    async def test_nor_one_that_is_announced_too_large(self, parts: Components, token: str) -> None:
        client = CountingClient(make_app(parts, max_body_bytes=100), token)
        status, problem = await client.post("/members", endless, **{"content-length": "101"})
        assert (status, problem["limit_bytes"], client.pieces) == (413, 100, 0)

    async def test_who_calls_is_looked_up_once(self, parts: Components, token: str) -> None:
        statements: list[str] = []

        def note(*arguments: Any) -> None:
            statements.append(arguments[2])

        engines = [parts.engine.sync_engine, parts.batch_engine.sync_engine]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            assert (await CountingClient(make_app(parts), token).post("/members", body_of(b"{}")))[0] == 200
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)
        assert len([statement for statement in statements if "users" in statement]) == 1

    def test_every_route_of_the_application_is_of_this_kind(self, app: FastAPI) -> None:
        routes = list(every_route(app))
        assert len(routes) > 100
        strange = [name for name, route in routes if not isinstance(route, PermissionFirstRoute)]
        assert strange == []

    def test_each_opens_one_transaction_at_most(self, app: FastAPI) -> None:
        """With two, requests of one person that have the first could all wait for the second."""
        opened = {name: len(set(transactions_of(route.dependant))) for name, route in every_route(app)}
        assert max(opened.values()) == 1, opened

    def test_only_these_read_a_body_of_anybody(self, app: FastAPI) -> None:
        read = {
            name
            for name, route in every_route(app)
            if route.body_field and not any(accesses(route.dependant))
        }
        assert read <= PUBLIC


class TestBounds:
    async def test_a_streamed_body_over_the_limit(self, parts: Components, token: str) -> None:
        client = CountingClient(make_app(parts, max_body_bytes=10_000), token)
        assert (await client.post("/members", endless))[0] == 413
        assert client.pieces == 11

    async def test_a_lying_length_helps_nobody(self, parts: Components, token: str) -> None:
        client = CountingClient(make_app(parts, max_body_bytes=10_000), token)
        assert (await client.post("/members", endless, **{"content-length": "5"}))[0] == 413

    async def test_strangers_send_little(self, parts: Components) -> None:
        client = CountingClient(make_app(parts))
        assert (await client.post("/public", endless))[0] == 413
        assert client.pieces <= PUBLIC_BODY_BYTES // 1000 + 1

    async def test_strangers_send_few_values(self, parts: Components, token: str) -> None:
        body = json.dumps({f"a{number}": 1 for number in range(PUBLIC_VALUES)}).encode()
        assert (await CountingClient(make_app(parts)).post("/public", body_of(body)))[0] == 422
        assert (await CountingClient(make_app(parts), token).post("/members", body_of(body)))[0] == 200

    async def test_only_files_may_be_large(self, parts: Components, token: str) -> None:
        app = make_app(parts, max_body_bytes=10, max_upload_bytes=1000)
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        form = head + b"y" * 500 + b"\r\n--x--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=x"}
        assert await CountingClient(app, token).post("/files", body_of(form), **headers) == (200, 500)
        large = body_of(head, b"y" * 600, b"y" * 600)
        assert (await CountingClient(app, token).post("/files", large, **headers))[0] == 413
        assert (await CountingClient(app, token).post("/members", body_of(b'{"a": "bcd"}')))[0] == 413

    async def test_a_body_that_does_not_arrive(self, parts: Components, token: str) -> None:
        client = CountingClient(make_app(parts, body_seconds=0.01), token)
        status, problem = await client.post("/members", silent)
        assert (status, problem["code"]) == (408, "body_too_slow")

    async def test_a_body_that_was_awaited_before(self, parts: Components, token: str) -> None:
        client = CountingClient(make_app(parts, body_seconds=1000), token)
        client.state = {"body_ends_at": 0.001}
        status, problem = await client.post("/members", silent)
        assert (status, problem["code"]) == (408, "body_too_slow")

    async def test_strangers_are_counted_by_address(self, parts: Components) -> None:
        client = CountingClient(make_app(parts, public_limit_per_address="2/hour"))
        statuses = [(await client.post("/public", body_of(b"{}")))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert client.pieces == 2


def every_route(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """Each HTTP route that has an endpoint of ours, by method and path."""
    waiting = [("", route) for route in app.routes]
    while waiting:
        prefix, route = waiting.pop()
        if isinstance(route, APIRoute):
            yield f"{min(route.methods or ())} {prefix}{route.path}", route
        elif original := getattr(route, "original_router", None):
            below = prefix + route.include_context.prefix  # type: ignore[attr-defined]
            waiting.extend((below, each) for each in original.routes)
