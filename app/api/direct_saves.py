"""Saves that are plainly right are answered directly: without routing, dependencies and middleware.

The route of FastAPI documents the operation and takes every other request. See docs/decisions/0089.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from app.api import problems
from app.api.attempts import save_sent, scope_of
from app.api.deps import Holder
from app.core import telemetry
from app.core.arrival import Arrivals
from app.core.attempt_scope import AttemptScope
from app.core.middleware import RequestContext, SecurityHeaders, report_request
from app.core.tokens import AttemptGrant, TokenRejected
from app.schemas.attempts import ResponsesIn
from app.services.components import Components

_ID = "([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
_OF_TEST = re.compile(f"/v1/tests/{_ID}/responses")
_OF_PAPER = re.compile(f"/v1/exams/{_ID}/papers/{_ID}/responses")
_MOST_BYTES = 16_000
"""Larger bodies need the checks of their size and of the number of their values (`api/json_bodies.py`)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a request saves to: a test, or a paper of an exam."""

    route: str
    ids: tuple[UUID, ...]

    async def scope(self, parts: Components) -> AttemptScope:
        return AttemptScope(self.ids[0]) if len(self.ids) == 1 else await scope_of(parts, *self.ids)


@dataclass(slots=True)
class _Save:
    """A request that is saved directly, completely read."""

    place: _Place
    grant: AttemptGrant
    body: ResponsesIn
    began: float
    is_page: bool
    """Whether a web page sends it: only they send their origin."""


class DirectSaves:
    """Answers saves with an attempt token and a valid body. All other requests go on to `app`.

    It stands before all layers of FastAPI and takes the arrival time of what it looks at. It does for its
    requests what the middlewares do for theirs, by the same functions. The body is validated by the
    documented model, and saved by the same function as in the route.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        arrivals: Arrivals,
        trusted_proxies: Iterable[str],
        hsts: bool,
        cors: Mapping[str, Any],
    ) -> None:
        self._app = app
        self._context = RequestContext(app, arrivals, trusted_proxies)
        self._headers = [
            (name.lower().encode(), value.encode())
            for name, value in SecurityHeaders(app, hsts=hsts).headers.items()
        ]
        self._answer_page = CORSMiddleware(self._answer, **cors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = _place(scope)
        if place is None:
            await self._app(scope, receive, send)
            return
        self._context.stamp(scope)
        began = time.perf_counter()
        grant = _grant(scope)
        if grant is None:
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []
        body = await _body(scope, receive, messages)
        if body is None:
            await self._app(scope, _repeated(messages, receive), send)
            return
        state = scope["state"]
        state["user_id"] = str(grant.attempt.user_id)
        is_page = any(name == b"origin" for name, _ in scope["headers"])
        state["save"] = _Save(place, grant, body, began, is_page)
        context = bind_contextvars(request_id=self._context.identify(scope))
        try:
            await (self._answer_page if is_page else self._answer)(scope, receive, send)
        finally:
            reset_contextvars(**context)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        save: _Save = scope["state"]["save"]
        status = 500
        telemetry.requests_in_progress.inc()
        try:
            response = await _respond(scope, save)
            status = response.status_code
            await send(self._start(response, scope["state"]["request_id"], is_page=save.is_page))
            await send({"type": "http.response.body", "body": response.body})
        finally:
            telemetry.requests_in_progress.dec()
            report_request(scope, save.place.route, status, time.perf_counter() - save.began)

    def _start(self, response: Response, request_id: str, *, is_page: bool) -> Message:
        headers = response.raw_headers
        present = {name for name, _ in headers}
        headers += [header for header in self._headers if header[0] not in present]
        headers.append((b"x-request-id", request_id.encode()))
        if not is_page:
            headers.append((b"vary", b"Origin"))  # As CORSMiddleware says.
        return {"type": "http.response.start", "status": response.status_code, "headers": headers}


async def _respond(scope: Scope, save: _Save) -> Response:
    try:
        parts: Components = scope["app"].state.components
        holder = Holder(save.grant.attempt.user_id, save.grant, None)
        answer = await save_sent(
            parts, holder, await save.place.scope(parts), save.body, scope["state"]["arrived_at"]
        )
    except Exception as error:  # noqa: BLE001 -- every error has an answer
        return problems.response_to(HTTPConnection(scope), error)
    return Response(answer.__pydantic_serializer__.to_json(answer), media_type="application/json")


def _place(scope: Scope) -> _Place | None:
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    return _place_of(scope["path"])


@lru_cache(1_000)
def _place_of(path: str) -> _Place | None:
    if found := _OF_TEST.fullmatch(path):
        return _Place("/v1/tests/{test_id}/responses", (UUID(found[1]),))
    if found := _OF_PAPER.fullmatch(path):
        route = "/v1/exams/{exam_id}/papers/{paper_id}/responses"
        return _Place(route, (UUID(found[1]), UUID(found[2])))
    return None


def _grant(scope: Scope) -> AttemptGrant | None:
    """The content of a valid attempt token that comes with JSON."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in (b"authorization", b"content-type"):
            if name in found:
                return None
            found[name] = value
    bearer = found.get(b"authorization", b"")
    if not bearer.startswith(b"Bearer ") or found.get(b"content-type") != b"application/json":
        return None
    parts: Components = scope["app"].state.components
    try:
        return parts.attempt_tokens.read(bearer[7:].decode("latin-1"))
    except TokenRejected:
        return None


async def _body(scope: Scope, receive: Receive, messages: list[Message]) -> ResponsesIn | None:
    """The body if it is valid and without escapes. The messages that were read are added to `messages`."""
    parts: Components = scope["app"].state.components
    content, is_complete = b"", False
    with suppress(TimeoutError):
        async with asyncio.timeout(parts.settings.body_seconds):
            while not is_complete and len(content) <= _MOST_BYTES:
                message = await receive()
                messages.append(message)
                if message["type"] != "http.request":
                    return None
                content += message.get("body", b"")
                is_complete = not message.get("more_body", False)
    return valid_body(content) if is_complete and len(content) <= _MOST_BYTES else None


def valid_body(content: bytes) -> ResponsesIn | None:
    """The body if the documented model accepts each response, and no text has an escape.

    Escapes can hide characters that cannot be stored (`api/json_bodies.py`).
    """
    if b"\\" in content:
        return None
    try:
        body = ResponsesIn.model_validate(orjson.loads(content))
    except ValueError:
        return None
    return None if body.wrong else body


def _repeated(messages: Iterable[Message], receive: Receive) -> Receive:
    """A `receive` that first gives the messages which were read already."""
    waiting = list(messages)

    async def receive_again() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return receive_again
