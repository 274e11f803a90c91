"""Odd requests to the hot routes: they are answered as by the documented route, whatever their form."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Message
from structlog.contextvars import get_contextvars

from app.api import direct_saves
from app.core.telemetry import requests_in_progress
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, start
from tests.builders.content import publish_test
from tests.request_lines import request_lines
from tests.two_connections import until_waiting
from tests.waiting import PATIENCE

JSON = (b"content-type", b"application/json")
OF_ONE_REQUEST = {b"x-request-id", b"content-length"}
Headers = Sequence[tuple[bytes, bytes]]


@dataclass
class Sender:
    """Calls the application itself, with requests that no client library would send."""

    app: FastAPI
    sitting: AttemptClient
    path: str
    received: int = 0
    sent: list[Message] = field(default_factory=list)
    """The last answer."""
    waits_for_body: asyncio.Event = field(default_factory=asyncio.Event)

    def token(self, scheme: str = "Bearer") -> tuple[bytes, bytes]:
        return b"authorization", f"{scheme} {self.sitting.attempt['attempt_token']}".encode()

    def body(self, last: int) -> bytes:
        """The body of a save. What is sent again is known."""
        ids, lease = {"attempt_id": str(self.sitting.id)}, {"lease": 1}
        responses = [self.sitting.response(number, ["a"]) for number in range(last)]
        return json.dumps({**ids, **lease, "responses": responses}).encode()

    async def send(
        self, *pieces: bytes, headers: Headers, leaves: bool = False, stops: bool = False, **changes: Any
    ) -> tuple[int, dict[bytes, bytes], Any]:
        """The status, the headers and the content. The client `leaves` or `stops` before the end."""
        messages: list[Message] = [
            {
                "type": "http.request",
                "body": piece,
                "more_body": leaves or stops or position < len(pieces) - 1,
            }
            for position, piece in enumerate(pieces or (b"",))
        ]
        messages.append({"type": "http.disconnect"})
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": list(headers),
            "client": ("192.0.2.9", 1),
            "scheme": "http",
            "server": ("ias", 80),
            "state": {},
        } | changes
        self.sent = []

        async def receive() -> Message:
            self.received += 1
            if stops and len(messages) == 1:
                self.waits_for_body.set()
                await asyncio.get_running_loop().create_future()
            return messages.pop(0) if len(messages) > 1 else messages[0]

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self.app(scope, receive, send)
        return self.answer()

    def answer(self) -> tuple[int, dict[bytes, bytes], Any]:
        """The last answer, without what differs between any two requests."""
        sent = self.sent
        content = b"".join(message.get("body", b"") for message in sent[1:])
        headers_sent = {name: value for name, value in sent[0]["headers"] if name not in OF_ONE_REQUEST}
        found = json.loads(content) if content.startswith(b"{") else content
        if isinstance(found, dict):
            found = {key: found[key] for key in found if key not in ("request_id", "server_time", "receipt")}
        return sent[0]["status"], headers_sent, found


def in_progress() -> float:
    [metric] = requests_in_progress.collect()
    return float(metric.samples[0].value)


@pytest.fixture
async def sender(app: FastAPI, engine: AsyncEngine, candidate: httpx.AsyncClient) -> Sender:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    return Sender(app, await start(candidate, made), f"/v1{made.path}/responses")


HEADERS: dict[str, Headers] = {
    "plain": (),
    "Hindi": ((b"accept-language", b"hi"),),
    "Hindi at a web page": ((b"accept-language", b"hi"), (b"origin", b"http://localhost:3000")),
    "another origin": ((b"origin", b"https://elsewhere.test"),),
    "a request id with a line": ((b"x-request-id", b"a\nb"),),
    "two request ids": ((b"x-request-id", b"one"), (b"x-request-id", b"two")),
    "a second login": ((b"authorization", b"Bearer x.y.z"),),
    "compressed, as it says": ((b"content-encoding", b"gzip"),),
    "a length that lies": ((b"content-length", b"7"),),
    "an expectation": ((b"expect", b"100-continue"),),
    "another method": ((b"x-http-method-override", b"DELETE"),),
}


class TestBothWays:
    @pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
    async def test_odd_headers(self, sender: Sender, is_right: bool) -> None:
        body = sender.body(1) if is_right else sender.body(1).replace(b'"lease": 1', b'"lease": 9')
        await sender.send(body, headers=(JSON, sender.token("bearer")))
        for name, headers in HEADERS.items():
            long = await sender.send(body, headers=(JSON, sender.token("bearer"), *headers))
            short = await sender.send(body, headers=(JSON, sender.token(), *headers))
            assert short == long, name

    async def test_odd_addresses(self, sender: Sender) -> None:
        path = sender.path
        oddities: list[Json] = [
            {"path": "responses"},
            {"ending": "/"},
            {"ending": "\n"},
            {"query_string": b"x=1"},
            {"method": "HEAD"},
            {"method": "OPTIONS"},
            {"method": "post"},
        ]
        for changes in oddities:
            sender.path = path + changes.get("ending", "")
            answers = [
                await sender.send(sender.body(1), headers=(JSON, sender.token(scheme)), **changes)
                for scheme in ("bearer", "bearer", "Bearer")
            ]
            assert answers[1] == answers[2], changes

    @pytest.mark.parametrize("size", [1, 7, 1000])
    async def test_a_body_in_pieces(self, sender: Sender, size: int) -> None:
        body = sender.body(3)
        pieces = [body[position : position + size] for position in range(0, len(body), size)]
        headers = JSON, sender.token()
        assert (await sender.send(*pieces, headers=headers))[2]["saved"] == 3
        assert (await sender.send(body, headers=headers))[2]["known"] == 3

    async def test_a_large_body_is_passed_on_as_a_whole(self, sender: Sender) -> None:
        body = sender.body(1)
        large = body + b" " * 20_000
        pieces = [large[position : position + 6_000] for position in range(0, len(large), 6_000)]
        assert (await sender.send(*pieces, headers=(JSON, sender.token())))[2]["saved"] == 1
        pieces[2] = b"x" + pieces[2][1:]
        assert (await sender.send(*pieces, headers=(JSON, sender.token())))[0] == 422

    async def test_one_that_is_passed_on_keeps_its_id(
        self, sender: Sender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logged: list[str] = []

        def left(*_: object) -> None:
            logged.append(get_contextvars()["request_id"])

        monkeypatch.setattr(direct_saves, "valid_body", left)
        state: dict[str, Any] = {}
        status, _, _ = await sender.send(sender.body(1), headers=(JSON, sender.token()), state=state)
        assert status == 200
        assert logged == [state["request_id"]]

    async def test_a_client_that_leaves(self, sender: Sender) -> None:
        before = in_progress()
        short, long = [
            await sender.send(b"{", headers=(JSON, sender.token(scheme)), leaves=True)
            for scheme in ("Bearer", "bearer")
        ]
        assert short == long
        assert in_progress() == before

    async def test_a_request_that_is_cancelled_is_no_longer_in_progress(self, sender: Sender) -> None:
        before = in_progress()
        task = asyncio.create_task(sender.send(sender.body(1), headers=(JSON, sender.token())))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert in_progress() == before

    async def test_who_has_no_login_is_refused_before_the_body_is_read(self, sender: Sender) -> None:
        assert (await sender.send(sender.body(1), headers=(JSON,)))[0] == 401
        assert sender.received == 0


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"], ids=["direct", "FastAPI"])
class TestCancelled:
    """The server cancels what has not ended some seconds after it was told to stop."""

    async def test_while_it_is_being_saved(self, sender: Sender, engine: AsyncEngine, scheme: str) -> None:
        lock = text("select 1 from ias.attempts where id = :id for update")
        async with engine.begin() as connection:
            await connection.execute(lock, {"id": sender.sitting.id})
            with request_lines() as lines:
                saving = asyncio.create_task(
                    sender.send(sender.body(1), headers=(JSON, sender.token(scheme)))
                )
                await until_waiting(engine, 1)
                await cancelled(saving)
        self.is_told_to_come_back(sender, lines)

    async def test_while_its_body_is_read(self, sender: Sender, scheme: str) -> None:
        with request_lines() as lines:
            saving = asyncio.create_task(sender.send(b"{", headers=(JSON, sender.token(scheme)), stops=True))
            await asyncio.wait_for(sender.waits_for_body.wait(), PATIENCE)
            await cancelled(saving)
        self.is_told_to_come_back(sender, lines)

    @staticmethod
    def is_told_to_come_back(sender: Sender, lines: list[dict[str, Any]]) -> None:
        status, headers, content = sender.answer()
        assert (status, content["code"], headers[b"retry-after"]) == (503, "unavailable", b"2")
        assert headers[b"content-type"] == b"application/problem+json"
        [line] = [each for each in lines if each["route"] == "/v1/tests/{test_id}/responses"]
        assert (line["status"], line["problem"]) == (503, "unavailable")


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task, which ends as cancelled."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
