"""The head of a request is bounded in size and time, on a real server with real sockets."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, cast

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.http_protocol import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    RECHECK_SECONDS,
    BoundedHttpProtocol,
    JoinedWrites,
)
from app.core.whole_responses import WholeResponses, written
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio

CHUNK = 256 * 1024
CUT_OFF = asyncio.Event()
HANDSHAKE = (
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YWFhYWFhYWFhYWFhYWFhYQ==\r\n\r\n"
)


class Impatient(BoundedHttpProtocol):
    """The same with a short time, so that the tests do not take long."""

    head_seconds = 0.05
    read_seconds = 0.05


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body, or with more than a socket holds; accepts WebSockets."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    if scope["path"] == "/large":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": bytes(20_000_000), "more_body": True})
        CUT_OFF.set()
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message["body"])
        more = message["more_body"]
    text = str(size).encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture(params=[BoundedHttpProtocol])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    async with served(application, request.param) as port:
        yield port


@asynccontextmanager
async def served(app: ASGIApp, protocol: type[BoundedHttpProtocol], **options: Any) -> AsyncIterator[int]:
    """The port of an application."""
    config = uvicorn.Config(
        app, port=0, http=protocol, lifespan="off", log_config=None, proxy_headers=False, **options
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    server.server_state.default_headers = [(b"date", b"today")]
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def answers(port: int, *pieces: bytes) -> bytes:
    """What the server says to these bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while part := await reader.read(65536):
            said += part
    except ConnectionError:
        pass  # It has closed without reading what we went on sending.
    finally:
        writer.close()
    return said


def problem_of(said: bytes, code: str) -> dict[str, str]:
    """The headers of an answer, which is a problem document of this code."""
    head, _, body = said.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    problem = json.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["type"]) == (code, f"urn:ias:problem:{code}")
    assert problem["status"] == int(status.split()[1])
    assert problem["request_id"] == headers["x-request-id"]
    return headers


class TestRefusals:
    """What the server refuses itself has the form of all other errors."""

    @pytest.mark.parametrize(
        "sent",
        [
            b"Hello\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        ],
        ids=["first line", "header", "chunk"],
    )
    async def test_what_is_no_request(self, port: int, sent: bytes) -> None:
        said = await answers(port, sent)
        assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert problem_of(said, "malformed_request")["connection"] == "close"

    async def test_one_connection_too_many(self) -> None:
        request = b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n"
        async with served(application, BoundedHttpProtocol, limit_concurrency=1) as port:
            said = await answers(port, request % b"")
            named = await answers(port, request % b"X-Request-ID: mine-1\r\n")
        assert said.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        headers = problem_of(said, "unavailable")
        assert (headers["retry-after"], headers["connection"]) == ("5", "close")
        assert problem_of(named, "unavailable")["x-request-id"] == "mine-1"


class TestSize:
    async def test_bodies_are_not_counted(self, port: int) -> None:
        one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + b"y" * 300_000
        last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
        assert (await answers(port, one, one, last)).count(b"300000") == 3

    async def test_pipelined_requests(self, port: int) -> None:
        one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert (await answers(port, one * 20 + last)).count(b"200 OK") == 21

    @pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nX: ", b"GET /", b"GET / HTTP/1.1\r\n"])
    async def test_a_head_that_does_not_end(self, port: int, start: bytes) -> None:
        filler = b"X: y\r\n" if start.endswith(b"1.1\r\n") else b"x"
        piece = filler * (16 * 1024 // len(filler))
        said = await answers(port, start, *[piece] * ((MAX_HEAD_BYTES + CHUNK) // len(piece) + 1))
        assert said.startswith(b"HTTP/1.1 431 ") or said == b""

    @pytest.mark.parametrize("start", [b"2\r\n{}\r\n0\r\nX: ", b"2;"], ids=["trailer", "chunk extension"])
    async def test_what_is_neither_head_nor_body_does_not_grow(self, port: int, start: bytes) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        piece = b"x" * 16 * 1024
        pieces = [piece] * ((MAX_HEAD_BYTES + CHUNK) // len(piece) + 1)
        said = await asyncio.wait_for(answers(port, head, start, *pieces), PATIENCE)
        assert said.startswith(b"HTTP/1.1 431 ") or said == b""

    async def test_only_a_get_becomes_a_socket(self, port: int) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: upgrade, close\r\n"
        assert b"200 OK" in await asyncio.wait_for(answers(port, head + HANDSHAKE), PATIENCE)

    async def test_too_many_headers(self, port: int) -> None:
        head = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1) + b"\r\n"
        said = await answers(port, head)
        assert said.startswith(b"HTTP/1.1 431 ")
        problem_of(said, "headers_too_large")
        assert b"200 OK" not in said

    async def test_as_many_as_are_allowed(self, port: int) -> None:
        head = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEADERS - 1) + b"Connection: close\r\n\r\n"
        assert b"200 OK" in await answers(port, head)


@pytest.mark.parametrize("port", [Impatient], indirect=True)
class TestTime:
    """The connection is closed by the server: reading to its end returns."""

    @pytest.mark.parametrize("sent", [b"", b"G", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"])
    async def test_a_connection_that_says_nothing_or_little(self, port: int, sent: bytes) -> None:
        assert await answers(port, sent) == b""

    async def test_a_connection_between_requests_is_kept(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
            assert not await closes_within(reader, Impatient.head_seconds + 3 * RECHECK_SECONDS)
        writer.close()

    async def test_one_that_stops_after_an_answer(self, port: int) -> None:
        said = await answers(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHo")
        assert said.count(b"200 OK") == 1

    async def test_an_answer_under_way_is_not_cut(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n12")
        await writer.drain()
        assert not await closes_within(reader, Impatient.head_seconds * 4)
        writer.write(b"34")
        assert (await reader.read()).endswith(b"4")
        writer.close()


@pytest.mark.parametrize("port", [Impatient], indirect=True)
class TestReading:
    async def test_who_reads_nothing_is_cut_off(self, port: int) -> None:
        CUT_OFF.clear()
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(CUT_OFF.wait(), PATIENCE)
        client.close()


@pytest.mark.parametrize("port", [Impatient], indirect=True)
class TestSockets:
    async def test_one_that_is_open_is_no_head_that_does_not_end(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n" + HANDSHAKE)
        assert b"101" in await reader.readuntil(b"\r\n\r\n")
        assert not await closes_within(reader, Impatient.head_seconds * 4)
        writer.close()


class Known(BoundedHttpProtocol):
    """The same; tests can reach the connection that was opened last."""

    last: ClassVar["Known"]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        Known.last = self


@pytest.mark.parametrize("port", [Known], indirect=True)
class TestAHeldLoop:
    @pytest.mark.parametrize("timer", ["timeout_keep_alive_handler", "_give_up"])
    async def test_a_request_that_waits_in_the_socket_is_answered(self, port: int, timer: str) -> None:
        """A process that was stopped wakes up with its timers, before it looks at its sockets."""
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b""
            while not said.endswith(b"\r\n\r\n0"):
                said += await loop.sock_recv(client, 4096)
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            getattr(Known.last, timer)()
            assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200")


async def closes_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the server closes the connection in this time."""
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
    return True


class _Written:
    """The writes of a transport, one by one, and whether it was closed."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


class TestJoinedWrites:
    async def test_a_head_and_its_body_go_together_in_the_next_iteration(self) -> None:
        written = _Written()
        joined = JoinedWrites(cast("asyncio.Transport", written), asyncio.get_running_loop())
        joined.write(b"head ")
        joined.write(b"body")
        assert written.writes == []
        await asyncio.sleep(0)
        assert written.writes == [b"head body"]

    async def test_what_is_streamed_is_not_collected(self) -> None:
        written = _Written()
        joined = JoinedWrites(cast("asyncio.Transport", written), asyncio.get_running_loop())
        for part in (b"head ", b"body ", b"more ", b"and more"):
            joined.write(part)
        assert written.writes == [b"head body more "]
        await asyncio.sleep(0)
        assert written.writes == [b"head body more ", b"and more"]

    async def test_closing_writes_what_was_kept(self) -> None:
        written = _Written()
        joined = JoinedWrites(cast("asyncio.Transport", written), asyncio.get_running_loop())
        joined.write(b"head")
        joined.close()
        assert (written.writes, written.is_closed) == ([b"head"], True)

    async def test_nothing_is_written_to_a_client_that_is_gone(self) -> None:
        written = _Written()
        joined = JoinedWrites(cast("asyncio.Transport", written), asyncio.get_running_loop())
        joined.write(b"head")
        written.close()
        await asyncio.sleep(0)
        assert written.writes == []


BODIES = {"small": b"some text", "large": bytes(100_000)}


class Answering:
    """Answers some requests at once, some as a whole, and the others by messages. Accepts WebSockets."""

    def __init__(self) -> None:
        self.at_once_count = 0
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()

    def answer_without_task(self, scope: Scope, send: WholeResponses) -> bool:
        if not scope["path"].startswith("/at-once"):
            return False
        self.at_once_count += 1
        if scope["path"] == "/at-once/fails-before":
            raise RuntimeError
        headers, body = self._answer(scope)
        send.respond_now(200, written(headers), body)
        if scope["path"] == "/at-once/fails-after":
            raise RuntimeError
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await application(scope, receive, send)
            return
        headers, body = self._answer(scope)
        if scope["path"] == "/messages/waits":
            self.has_begun.set()
            await self.may_end.wait()
        if scope["path"] == "/unchanged":
            assert isinstance(send, WholeResponses)
            await send.respond(304, written([(b"etag", b"x")]), b"")
        elif isinstance(send, WholeResponses) and not scope["path"].startswith("/messages"):
            await send.respond(200, written(headers), body)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope) -> tuple[list[tuple[bytes, bytes]], bytes]:
        body = BODIES["large" if scope["path"].endswith("/large") else "small"]
        return [(b"content-length", b"%d" % len(body)), (b"x-kind", b"test")], body


@pytest.fixture
def answering() -> Answering:
    return Answering()


@pytest.fixture
async def whole_port(answering: Answering) -> AsyncIterator[int]:
    async with served(answering, Known) as port:
        yield port


class KeptRecords(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """What uvicorn logs during the test, whatever other tests have set."""
    handler, logger = KeptRecords(), logging.getLogger("uvicorn.error")
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "disabled", False)
    return handler.records


def request_of(path: str, *, version: str = "1.1", more: str = "") -> bytes:
    return f"GET {path} HTTP/{version}\r\nHost: x\r\n{more}\r\n".encode()


class TestWholeResponses:
    @pytest.mark.parametrize("path", ["/at-once", "/whole"])
    @pytest.mark.parametrize(("version", "more"), [("1.1", "Connection: close\r\n"), ("1.0", "")])
    async def test_they_are_what_messages_become(
        self, whole_port: int, path: str, version: str, more: str
    ) -> None:
        whole, by_messages = [
            await answers(whole_port, request_of(each, version=version, more=more))
            for each in (path, "/messages")
        ]
        assert sorted(whole.splitlines()) == sorted(by_messages.splitlines())
        assert whole.endswith(b"\r\n\r\n" + BODIES["small"])

    @pytest.mark.parametrize("path", ["/at-once/fails-before", "/at-once/fails-after"])
    async def test_an_error_without_a_task_is_logged_and_the_request_has_one_answer(
        self, whole_port: int, path: str, logged: list[logging.LogRecord]
    ) -> None:
        last = request_of("/at-once", more="Connection: close\r\n")
        said = await answers(whole_port, request_of(path), last)
        assert said.count(b"HTTP/1.1") == said.count(b"HTTP/1.1 200 OK") == 2
        assert [record.exc_info is not None for record in logged] == [True]

    async def test_one_without_a_body(self, whole_port: int) -> None:
        said = await answers(whole_port, request_of("/unchanged", more="Connection: close\r\n"))
        assert said == b"HTTP/1.1 304 Not Modified\r\ndate: today\r\netag: x\r\nconnection: close\r\n\r\n"

    async def test_the_answers_of_a_connection_keep_their_order(self, whole_port: int) -> None:
        paths = ["/at-once", "/messages", "/at-once", "/unchanged", "/whole", "/at-once", "/unchanged"]
        *first, last = paths
        pipeline = b"".join(map(request_of, first)) + request_of(last, more="Connection: close\r\n")
        said = await answers(whole_port, pipeline)
        statuses = [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [304 if path == "/unchanged" else 200 for path in paths]

    async def test_a_long_pipeline(self, whole_port: int) -> None:
        pipeline = request_of("/messages") + request_of("/at-once") * 2_000
        said = await answers(whole_port, pipeline + request_of("/unchanged", more="Connection: close\r\n"))
        assert said.count(b"HTTP/1.1 200 OK") == 2_001

    async def test_a_connection_is_not_idle_while_the_next_request_of_a_packet_is_answered(
        self, whole_port: int, answering: Answering
    ) -> None:
        """The answer at once to the first one has started the time of an idle connection."""
        last = request_of("/messages/waits", more="Connection: close\r\n")
        both = asyncio.create_task(answers(whole_port, request_of("/at-once") + last))
        await asyncio.wait_for(answering.has_begun.wait(), PATIENCE)
        timer = Known.last.timeout_keep_alive_task
        answering.may_end.set()
        assert (await both).count(b"HTTP/1.1 200 OK") == 2
        assert timer is None

    async def test_a_body_that_is_not_read_is_skipped(self, whole_port: int) -> None:
        with_body = request_of("/at-once", more="Content-Length: 5\r\n")
        said = await answers(
            whole_port, with_body + b"GET /", request_of("/at-once", more="Connection: close\r\n")
        )
        assert said.count(b"HTTP/1.1 200 OK") == 2

    @pytest.mark.parametrize("rest", [b"1", b"12345"], ids=["part", "whole"])
    @pytest.mark.parametrize("path", ["/at-once", "/whole"])
    async def test_a_connection_whose_body_comes_after_the_answer_is_idle(
        self, whole_port: int, path: str, rest: bytes
    ) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", whole_port)
        writer.write(request_of(path, more="Content-Length: 5\r\n"))
        await reader.readuntil(BODIES["small"])
        Known.last.timeout_keep_alive = 0  # After the time that began with the answer, which is longer.
        writer.write(rest)
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()

    async def test_a_socket_is_not_idle_after_a_request_of_the_same_packet(self, whole_port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", whole_port)
        upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n" + HANDSHAKE
        writer.write(request_of("/at-once") + upgrade)
        await reader.readuntil(b"HTTP/1.1 101")
        assert Known.last.timeout_keep_alive_task is None
        writer.close()

    async def test_who_reads_nothing_is_answered_when_they_read(
        self, whole_port: int, answering: Answering
    ) -> None:
        """What is not read takes no memory without a bound: 30 MB are asked for."""
        count = 300
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", whole_port))
            last = request_of("/unchanged", more="Connection: close\r\n")
            await loop.sock_sendall(client, request_of("/at-once/large") * count + last)
            received = len(await loop.sock_recv(client, 65536))
            assert 0 < answering.at_once_count < count // 2
            while part := await loop.sock_recv(client, 1 << 20):
                received += len(part)
        assert received > count * len(BODIES["large"])

    def test_a_header_cannot_end_another(self) -> None:
        for header in ((b"x", b"1\r\nset-cookie: y"), (b"x\r\ny", b"1"), (b"x", b"1\n")):
            with pytest.raises(RuntimeError, match="control character"):
                written([header])
