"""Every error of a real application is a problem document: facts, the framework's, outages, bugs."""

import asyncio
import re
import resource
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Form, Query, Security
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, EmailStr, field_validator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.api import openapi, problems
from app.api.routing import PermissionFirstRoute
from app.core.arrival import Arrivals
from app.core.clock import SystemClock
from app.core.errors import Invalid, TooManyRequests
from app.core.middleware import RequestContext
from app.core.saving_errors import AttemptNotInProgress, DeadlinePassed
from app.services.components import Components
from tests.conftest import administer

pytestmark = pytest.mark.anyio

PROBLEM_JSON = "application/problem+json"


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question_id: UUID
    revision: int
    answer: list[str] | None


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    email: EmailStr | None = None
    kind: Literal["full", "practice"] = "full"
    weight: float = 1
    responses: list[Answer] = []

    @field_validator("name")
    @classmethod
    def _is_polite(cls, name: str) -> str:
        if name == "rude":
            raise ValueError("Choose another name.")
        return name


router = APIRouter(route_class=PermissionFirstRoute)


@router.post("/body/{number}", responses=problems.problems(DeadlinePassed, AttemptNotInProgress))
async def take_body(number: int, body: Body, limit: Annotated[int, Query(le=100)] = 20) -> str:
    return body.name


@router.post("/anything")
async def anything(body: dict[str, Any]) -> int:
    return len(body)


@router.post("/nothing")
async def nothing() -> str:
    return "fine"


@router.post("/form")
async def form(name: Annotated[str, Form()]) -> str:
    return name


@router.get("/query/{place}")
async def query(place: str, q: str = "") -> str:
    return place + q


@router.get("/late")
async def late() -> None:
    raise DeadlinePassed(datetime(2026, 5, 24, 12, tzinfo=UTC), recorded=True)


@router.get("/limited", dependencies=[Security(HTTPBearer(auto_error=False))])
async def limited() -> None:
    raise TooManyRequests(17)


@router.get("/fields")
async def odd_field() -> None:
    raise Invalid.field("\ud800", "Choose another.")


@router.get("/bug")
async def bug() -> None:
    raise RuntimeError("the secret inside")


@router.get("/half")
async def half() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("no more")

    return StreamingResponse(parts())


def make_app(parts: Components | None = None) -> FastAPI:
    app = FastAPI(generate_unique_id_function=openapi.operation_id)
    app.state.components = parts
    app.include_router(router)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(RequestContext, arrivals=Arrivals(SystemClock(), lambda: 0.0))
    return app


@pytest.fixture
async def client(parts: Components) -> AsyncIterator[httpx.AsyncClient]:
    async with speaking_to(make_app(parts)) as client:
        yield client


def speaking_to(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ias")


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The document, after what all of them have in common has been checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == PROBLEM_JSON
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:ias:problem:{code}"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == answer.headers["X-Request-ID"]
    return document


def fields(answer: httpx.Response) -> dict[str, str]:
    return {error["field"]: error["message"] for error in problem(answer, 422, "invalid")["errors"]}


async def post(client: httpx.AsyncClient, content: bytes, path: str = "/body/1") -> httpx.Response:
    return await client.post(path, content=content, headers={"Content-Type": "application/json"})


class TestDomainErrors:
    async def test_members(self, client: httpx.AsyncClient) -> None:
        document = problem(await client.get("/late"), 409, "deadline_passed")
        assert document["deadline_at"] == "2026-05-24T12:00:00Z"
        assert document["recorded"] is True
        assert "errors" not in document

    async def test_headers(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/limited")
        problem(answer, 429, "too_many_requests")
        assert answer.headers["Retry-After"] == "17"

    async def test_a_field_that_is_no_text(self, client: httpx.AsyncClient) -> None:
        assert fields(await client.get("/fields")) == {"?": "Choose another."}


class TestFramework:
    async def test_an_unknown_address(self, client: httpx.AsyncClient) -> None:
        problem(await client.get("/nowhere"), 404, "not_found")

    async def test_another_method(self, client: httpx.AsyncClient) -> None:
        answer = await client.put("/body/1")
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"


class TestValidation:
    async def test_paths_without_the_body(self, client: httpx.AsyncClient) -> None:
        body = {"responses": [{"question_id": "x", "revision": 1, "answer": "b"}], "nickname": 1}
        wrong = fields(await client.post("/body/1", json=body))
        assert wrong["responses.0.question_id"].startswith("Send a UUID with hyphens")
        assert wrong["responses.0.answer"] == "Send a list."
        assert wrong["nickname"] == "There is no such field. Leave it out."

    async def test_what_stands_elsewhere_says_so(self, client: httpx.AsyncClient) -> None:
        wrong = fields(await client.post("/body/x?limit=1000", json={}))
        assert set(wrong) == {"number", "limit"}

    async def test_a_rule_of_our_own_speaks_for_itself(self, client: httpx.AsyncClient) -> None:
        assert fields(await client.post("/body/1", json={"name": "rude"})) == {"name": "Choose another name."}

    async def test_a_missing_body(self, client: httpx.AsyncClient) -> None:
        assert "Send a JSON object" in fields(await client.post("/body/1"))["body"]

    async def test_a_body_of_another_type(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/body/1", content=b"{}", headers={"Content-Type": "text/plain"})
        assert "application/json" in fields(answer)["body"]

    async def test_no_json(self, client: httpx.AsyncClient) -> None:
        for content in [b"{", b"{'a': 1}", b'{"name": "\x00"}', b"[1,]", b"", b" ", b'{"a"', b"nul"]:
            assert "JSON" in fields(await post(client, content))["body"], content

    async def test_json_that_is_no_body(self, client: httpx.AsyncClient) -> None:
        for content in [
            b'{"name": "\xff\xfe"}',
            b"[" * 40_000,
            b'{"a":' * 10_000,
            b"[" * 900 + b"]" * 900,
            b"9" * 5000,
            b"\xff",
            b"[]",
            b"null",
            b"7",
            b'"text"',
        ]:
            problem(await post(client, content), 422, "invalid")

    async def test_a_broken_form(self, client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        problem(await client.post("/form", content=b"--y\r\nnonsense", headers=headers), 422, "invalid")

    async def test_nothing_sent_comes_back(self, client: httpx.AsyncClient) -> None:
        secret = "hunter2"
        body = {
            "name": [secret],
            "email": f"{secret}@",
            "kind": secret,
            "weight": secret,
            "responses": secret,
        }
        assert secret not in (await client.post("/body/1", json=body)).text

    async def test_hundreds_of_errors_are_not_all_told(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/body/1", json={"responses": [{}] * 400})
        assert len(problem(answer, 422, "invalid")["errors"]) == 50


class TestRefuseUnstorable:
    async def test_names_the_place(self, client: httpx.AsyncClient) -> None:
        for content, field in [
            (rb'{"name": "a\u0000b"}', "name"),
            (rb'{"name": "\ud800"}', "name"),
            (rb'{"name": "\udc00\ud800"}', "name"),
            (b'{"weight": NaN}', "weight"),
            (b'{"weight": -Infinity}', "weight"),
            (b'{"weight": 1e999}', "weight"),
            (b'{"responses": [{}, {"revision": 9223372036854775808}]}', "responses.1.revision"),
            (rb'{"responses": [{"answer": ["a", "\u0000"]}]}', "responses.0.answer.1"),
        ]:
            assert list(fields(await post(client, content))) == [field], content

    async def test_anywhere_in_a_free_document(self, client: httpx.AsyncClient) -> None:
        for content in [rb'{"a": {"\u0000": 1}}', rb'{"\ud800": 1}', rb'{"x": [[["\u0000"]]]}']:
            assert len(fields(await post(client, content, "/anything"))) == 1, content

    async def test_in_the_address(self, client: httpx.AsyncClient) -> None:
        assert list(fields(await client.get("/query/x?q=%00"))) == ["q"]
        assert list(fields(await client.get("/query/a%00b"))) == ["place"]

    async def test_a_deep_document(self, client: httpx.AsyncClient) -> None:
        content = b'{"a":' * 400 + b"1" + b"}" * 400
        assert (await post(client, content, "/anything")).status_code == 200

    async def test_good_text_passes(self, client: httpx.AsyncClient) -> None:
        answer = await post(client, rb'{"name": "\\u0000 \ud83d\ude00 \u0928"}')
        assert answer.json() == "\\u0000 😀 न"

    async def test_a_route_without_a_body_does_not_mind(self, client: httpx.AsyncClient) -> None:
        for content in (b"", b"{}", b"{", b"\xff", b"[" * 100_000):
            assert (await post(client, content, "/nothing")).status_code == 200


class TestUnexpectedErrors:
    async def test_tells_the_client_nothing_and_the_log_everything(self, client: httpx.AsyncClient) -> None:
        with structlog.testing.capture_logs(processors=[structlog.processors.format_exc_info]) as logs:
            answer = await client.get("/bug")
        document = problem(answer, 500, "internal_error")
        assert "secret" not in str(document)
        assert "RuntimeError: the secret inside" in logs[0]["exception"]

    async def test_half_an_answer_is_cut(self, client: httpx.AsyncClient) -> None:
        with pytest.raises(RuntimeError, match="no more"):
            await client.get("/half")


class TestDocument:
    def test_problems_of_a_route_and_of_any_route(self) -> None:
        document = make_app().openapi()
        responses = document["paths"]["/body/{number}"]["post"]["responses"]
        assert set(responses) == {"200", "404", "408", "409", "413", "422", "429", "503"}
        assert "`deadline_passed`" in responses["409"]["description"]
        assert "`attempt_not_in_progress`" in responses["409"]["description"]
        for status in set(responses) - {"200"}:
            shape = responses[status]["content"][PROBLEM_JSON]["schema"]
            assert shape == {"$ref": "#/components/schemas/TakeBodyProblem"}

    def test_the_codes_of_an_operation_are_its_own(self) -> None:
        schemas = make_app().openapi()["components"]["schemas"]
        assert {"Problem", "ProblemField"} <= set(schemas)
        assert not {"HTTPValidationError", "ValidationError"} & set(schemas)
        base, narrowed = schemas["TakeBodyProblem"]["allOf"]
        assert base == {"$ref": "#/components/schemas/Problem"}
        assert narrowed["properties"]["code"]["enum"] == [
            "attempt_not_in_progress",
            "body_too_slow",
            "deadline_passed",
            "invalid",
            "not_found",
            "too_large",
            "too_many_requests",
            "unavailable",
        ]

    def test_twice_the_same(self) -> None:
        app = make_app()
        assert app.openapi() is app.openapi()


@pytest.fixture
def asyncpg_url(superuser_url: str) -> str:
    return superuser_url.replace("postgresql://", "postgresql+asyncpg://")


@pytest.fixture
async def engine(asyncpg_url: str) -> AsyncIterator[AsyncEngine]:
    """One connection to the server of the tests, whose other connections stay as they are."""
    engine = create_async_engine(asyncpg_url, pool_size=1, max_overflow=0, pool_timeout=0.2)
    yield engine
    await engine.dispose()


class TestOutages:
    @staticmethod
    async def ask(engine: AsyncEngine, *statements: str, value: object = None) -> httpx.Response:
        app = FastAPI()

        @app.get("/")
        async def ask() -> None:
            async with engine.begin() as connection:
                for statement in statements:
                    parameters = {"value": value} if ":value" in statement else {}
                    await connection.execute(text(statement), parameters)

        problems.install(app)
        app.add_middleware(problems.UnexpectedErrors)
        app.add_middleware(RequestContext, arrivals=Arrivals(SystemClock(), lambda: 0.0))
        async with speaking_to(app) as client:
            return await client.get("/")

    @staticmethod
    def unavailable(answer: httpx.Response) -> None:
        problem(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0

    async def test_nobody_listens(self) -> None:
        engine = create_async_engine("postgresql+asyncpg://nobody:hunter2@127.0.0.1:1/none")
        answer = await self.ask(engine, "select 1")
        self.unavailable(answer)
        assert "hunter2" not in answer.text
        await engine.dispose()

    async def test_an_unknown_host(self) -> None:
        engine = create_async_engine("postgresql+asyncpg://nobody@ias.invalid/none")
        self.unavailable(await self.ask(engine, "select 1"))
        await engine.dispose()

    async def test_the_connection_is_killed(self, engine: AsyncEngine) -> None:
        self.unavailable(await self.ask(engine, "select pg_terminate_backend(pg_backend_pid())"))
        assert (await self.ask(engine, "select 1")).status_code == 200

    @pytest.mark.parametrize("noticed", [False, True])
    async def test_a_connection_that_died_in_the_pool(
        self, engine: AsyncEngine, superuser_url: str, noticed: bool
    ) -> None:
        async with engine.connect() as connection:
            pid = await connection.scalar(text("select pg_backend_pid()"))
        kill = administer(superuser_url, f"select pg_terminate_backend({pid}, 10000)")
        with ThreadPoolExecutor() as threads:
            threads.submit(asyncio.run, kill).result()  # The loop of the test stands meanwhile.
        if noticed:
            await asyncio.sleep(0.1)  # The loop reads the end of the connection; asyncpg marks it closed.
        self.unavailable(await self.ask(engine, "select 1"))
        assert (await self.ask(engine, "select 1")).status_code == 200

    async def test_no_connection_is_free(self, engine: AsyncEngine) -> None:
        async with engine.connect():
            self.unavailable(await self.ask(engine, "select 1"))

    async def test_what_a_retry_may_mend(self, engine: AsyncEngine) -> None:
        for statements in [
            ("set local statement_timeout = 20", "select pg_sleep(5)"),
            ("do $$ begin raise serialization_failure; end $$",),
            ("do $$ begin raise deadlock_detected; end $$",),
            ("do $$ begin raise too_many_connections; end $$",),
            ("do $$ begin raise lock_not_available; end $$",),
            ("do $$ begin raise disk_full; end $$",),
            ("do $$ begin raise io_error; end $$",),
            ("set transaction read only", "create table public.none (x int)"),
        ]:
            self.unavailable(await self.ask(engine, *statements))

    async def test_a_value_that_slipped_through_is_the_clients(self, engine: AsyncEngine) -> None:
        values: list[tuple[str, object]] = [
            ("select cast(:value as text)", "a\0b"),
            ("select cast(:value as text)", "\ud800"),
            ("select cast(:value as int)", 2**40),
            ("select cast(:value as varchar(2))::int", "x"),
        ]
        for statement, value in values:
            problem(await self.ask(engine, statement, value=value), 422, "invalid")

    async def test_a_bug_stays_a_bug(self, engine: AsyncEngine) -> None:
        for statement in ["select nonsense", "do $$ begin raise unique_violation; end $$"]:
            problem(await self.ask(engine, statement), 500, "internal_error")

    async def test_no_file_descriptor_is_free(self, asyncpg_url: str) -> None:
        engine = create_async_engine(asyncpg_url)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            answer = await self.ask(engine, "select 1")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.unavailable(answer)
        assert (await self.ask(engine, "select 1")).status_code == 200
        await engine.dispose()

    async def test_the_disk_is_full(self) -> None:
        app = FastAPI()

        @app.get("/")
        async def write() -> None:
            with open("/dev/full", "w") as file:  # noqa: ASYNC230 -- it fails at once
                file.write("x")

        problems.install(app)
        app.add_middleware(RequestContext, arrivals=Arrivals(SystemClock(), lambda: 0.0))
        async with speaking_to(app) as client:
            self.unavailable(await client.get("/"))

    async def test_a_server_that_speaks_another_language(self) -> None:
        """What answers at the database's address is no database, or the answer was damaged on its way."""

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        engine = create_async_engine(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/none?ssl=disable")
        async with server:
            self.unavailable(await self.ask(engine, "select 1"))
        await engine.dispose()

    async def test_a_timeout_of_our_own(self) -> None:
        app = FastAPI()

        @app.get("/")
        async def hang() -> None:
            with suppress(asyncio.CancelledError):
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(60)

        problems.install(app)
        app.add_middleware(RequestContext, arrivals=Arrivals(SystemClock(), lambda: 0.0))
        async with speaking_to(app) as client:
            self.unavailable(await client.get("/"))


class TestLanguages:
    """The sentences are in the language that the client prefers; `code` and the other members are not."""

    HINDI: ClassVar = {"Accept-Language": "hi-IN,hi;q=0.9,en;q=0.8"}

    async def test_of_every_kind_of_error(self, client: httpx.AsyncClient) -> None:
        for method, path, status, title in [
            ("GET", "/late", 409, "समय समाप्त हो गया"),
            ("GET", "/limited", 429, "बहुत अधिक अनुरोध"),
            ("GET", "/nowhere", 404, "नहीं मिला"),
            ("PUT", "/body/1", 405, "यह तरीका मान्य नहीं है"),
            ("GET", "/bug", 500, "सर्वर में गड़बड़ी हुई"),
            ("POST", "/body/1", 422, "भेजी गई जानकारी सही नहीं है"),
        ]:
            answer = await client.request(method, path, headers=self.HINDI)
            assert (answer.status_code, answer.json()["title"]) == (status, title), method
            assert re.search("[\u0900-\u097f]", answer.json()["detail"]), method
            assert answer.headers["Content-Language"] == "hi", method
            assert answer.headers["Vary"] == "Accept-Language", method

    async def test_english_says_so_too(self, client: httpx.AsyncClient) -> None:
        for headers in ({}, {"Accept-Language": "ta"}):
            answer = await client.get("/late", headers=headers)
            assert answer.json()["title"] == "Time is up"
            assert (answer.headers["Content-Language"], answer.headers["Vary"]) == ("en", "Accept-Language")

    async def test_only_sentences_differ(self, client: httpx.AsyncClient) -> None:
        english = problem(await client.get("/late"), 409, "deadline_passed")
        hindi = problem(await client.get("/late", headers=self.HINDI), 409, "deadline_passed")
        differing = {name for name in english if english[name] != hindi[name]}
        assert differing == {"title", "detail", "request_id"}

    async def test_several_sentences_are_all_in_hindi(self, client: httpx.AsyncClient) -> None:
        detail = (await client.get("/late", headers=self.HINDI)).json()["detail"]
        assert detail == "प्रयास का समय समाप्त हो गया है। देर से आए उत्तर सहेजे गए हैं, पर वे गिने नहीं जाएँगे।"

    async def test_what_the_client_sent_is_not_translated(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/query/x?statsu=1", headers=self.HINDI)
        (error,) = answer.json()["errors"]
        assert error == {"field": "statsu", "message": "ऐसा कोई पैरामीटर नहीं है। मान्य पैरामीटर: q।"}
