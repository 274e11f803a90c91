"""The short way of hot routes: requests that are plainly right pass no routing, dependencies and middleware.

The routes of FastAPI document the operations and take every other request. See docs/decisions/0092.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.core import telemetry
from app.core.arrival import Arrivals
from app.core.middleware import RequestContext, SecurityHeaders, report_request
from app.core.tokens import AttemptGrant, TokenRejected
from app.schemas.common import Out
from app.services.components import Components

_ID = "([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
_MOST_BYTES = 1_000
_PARAMETER = re.compile(r"\{\w+\}")

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]
JSON_HEADERS = ((b"content-type", b"application/json"),)


@dataclass(frozen=True, slots=True)
class DirectRequest:
    """A request of a hot route, completely read. It has no query."""

    scope: Scope
    ids: Sequence[UUID]
    """The parameters of the path."""
    body: bytes
    parts: Components

    def header(self, name: bytes) -> bytes | None:
        """A header; empty if it is not sent, and None if it is sent twice."""
        values = [value for each, value in self.scope["headers"] if each == name]
        return b"" if not values else values[0] if len(values) == 1 else None

    def bearer(self) -> str:
        """The bearer token, or an empty text."""
        value = self.header(b"authorization") or b""
        return value[7:].decode("latin-1") if value.startswith(b"Bearer ") else ""

    def grant(self) -> AttemptGrant | None:
        """The content of the attempt token that the request has. The log line names its candidate."""
        try:
            grant = self.parts.attempt_tokens.read(self.bearer())
        except TokenRejected:
            return None
        self.scope["state"]["user_id"] = str(grant.attempt.user_id)
        return grant


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """An answer. The length and the headers that every answer has are added."""

    status: int
    headers: RawHeaders
    body: bytes

    @classmethod
    def of(cls, status: int, content: Out) -> "DirectAnswer":
        """An answer with JSON."""
        return cls(status, JSON_HEADERS, content.__pydantic_serializer__.to_json(content))


Answer: TypeAlias = Callable[[DirectRequest], Awaitable[DirectAnswer | None]]
"""Answers a request. None if the documented route must answer it; then nothing has been changed."""


class DirectRoute:
    """A hot route: its method and path, such as `/v1/tests/{test_id}/start`, and how it is answered."""

    def __init__(self, method: str, template: str, answer: Answer) -> None:
        self.method = method
        self.template = template
        self.answer = answer
        self.path = re.compile(_PARAMETER.sub(lambda _: _ID, template))

    @property
    def key(self) -> tuple[str, str]:
        """What the route is found by: the method and the last part of the path."""
        return self.method, self.template.rpartition("/")[2]


class DirectAnswers:
    """Middleware that answers requests of `routes`. All others, and those that no route takes, go to `app`.

    It must be the outermost one, because it takes the arrival time of what it looks at. It does for its
    requests what the others do for theirs, by the same functions.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[DirectRoute],
        arrivals: Arrivals,
        trusted_proxies: Iterable[str],
        hsts: bool,
        cors: Mapping[str, Any],
    ) -> None:
        self._app = app
        self._routes: dict[tuple[str, str], list[DirectRoute]] = {}
        for route in routes:
            self._routes.setdefault(route.key, []).append(route)
        self._context = RequestContext(app, arrivals, trusted_proxies)
        self._headers = [
            (name.lower().encode(), value.encode())
            for name, value in SecurityHeaders(app, hsts=hsts).headers.items()
        ]
        self._send_with_cors = CORSMiddleware(_send_answer, **cors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on as it was."""
        route, ids = self._find(scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        self._context.stamp(scope)
        began = time.perf_counter()
        parts: Components = scope["app"].state.components
        messages: list[Message] = []
        body = b"" if route.method == "GET" else await _body(receive, messages, parts.settings.body_seconds)
        answer = None
        if body is not None:
            request_id = self._context.identify(scope)
            with (
                structlog.contextvars.bound_contextvars(request_id=request_id),
                telemetry.requests_in_progress.track_inprogress(),
            ):
                answer = await _answered(route, DirectRequest(scope, ids, body, parts))
                if answer is not None:
                    await self._send(scope, receive, send, answer)
                    report_request(scope, route.template, answer.status, time.perf_counter() - began)
                    return
        await self._app(scope, _repeated(messages, receive), send)

    def _find(self, scope: Scope) -> tuple[DirectRoute | None, Sequence[UUID]]:
        if scope["type"] == "http" and not scope["query_string"]:
            path: str = scope["path"]
            for route in self._routes.get((scope["method"], path.rpartition("/")[2]), ()):
                if found := route.path.fullmatch(path):
                    return route, [UUID(text) for text in found.groups()]
        return None, ()

    async def _send(self, scope: Scope, receive: Receive, send: Send, answer: DirectAnswer) -> None:
        headers = list(answer.headers)
        present = {name for name, _ in headers}
        headers += [header for header in self._headers if header[0] not in present]
        headers.append((b"x-request-id", scope["state"]["request_id"].encode()))
        if answer.status != 304:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        scope["ias_answer"] = (
            {"type": "http.response.start", "status": answer.status, "headers": headers},
            {"type": "http.response.body", "body": answer.body},
        )
        await self._send_with_cors(scope, receive, send)


async def _send_answer(scope: Scope, _: Receive, send: Send) -> None:
    for message in scope["ias_answer"]:
        await send(message)


async def _answered(route: DirectRoute, request: DirectRequest) -> DirectAnswer | None:
    try:
        return await route.answer(request)
    except Exception as error:  # noqa: BLE001 -- every error has an answer
        response = problems.response_to(Request(request.scope), error)
        headers = [header for header in response.raw_headers if header[0] != b"content-length"]
        return DirectAnswer(response.status_code, headers, bytes(response.body))


async def _body(receive: Receive, messages: list[Message], seconds: float) -> bytes | None:
    """The body, or None if it is large, slow or incomplete. What was read is added to `messages`."""
    content, is_complete = b"", False
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not is_complete and len(content) <= _MOST_BYTES:
                message = await receive()
                messages.append(message)
                if message["type"] != "http.request":
                    return None
                content += message.get("body", b"")
                is_complete = not message.get("more_body", False)
    return content if is_complete and len(content) <= _MOST_BYTES else None


def _repeated(messages: Iterable[Message], receive: Receive) -> Receive:
    """A `receive` that first gives the messages which were read already."""
    waiting = list(messages)

    async def receive_again() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return receive_again
