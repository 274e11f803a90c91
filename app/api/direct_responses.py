"""Answers hot routes without FastAPI's routing, dependencies and middleware.

The routes of FastAPI document the operations and take every other request. See docs/decisions/0089.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from random import randint
from typing import Any
from uuid import UUID

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, bound_contextvars, reset_contextvars

from app.api import problems
from app.api.direct_bodies import read_body, replaying
from app.api.direct_routes import DirectRequest, DirectResponse, DirectRoute, RawHeaders
from app.core import telemetry
from app.core.arrival import Arrivals
from app.core.errors import Unavailable
from app.core.middleware import RequestContext, SecurityHeaders, report_request
from app.core.whole_responses import WholeResponses, written
from app.sentences import Sentence
from app.services.components import Components

_ID_LENGTH = 36
_MAX_PATH_LENGTH = 200
"""Longer paths are not looked up, because the result of each look-up is kept in memory."""
_NOT_LIMITED = ("/v1/auth/", "/v1/health", "/v1/metrics", "/v1/time")
_IMAGES = "/v1/media/"
_BUSY = Sentence("Too many requests are in progress. Nothing was changed. Try again in a moment.")
_RETRY_AFTER = 2, 8
"""Seconds. Each client gets a random number of them, so that they do not come again together."""


class DirectResponses:
    """Answers requests of `routes`. Every other request, and one for which the route returns None, goes to
    `app` with its body unread or replayed.

    While FastAPI has too many requests in progress, most others are refused (docs/decisions/0103).

    It stands before all layers of FastAPI and records the arrival time of each request whose path is a hot
    route. It does for its requests what the middlewares do for theirs, by the same functions.

    It sends bytes to the server of `ias serve`, and messages to web pages and in tests.
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
        self._send_to_page = CORSMiddleware(_send_messages, **cors)
        self._find = lru_cache(1_000)(self._route_of)
        self._header_bytes = lru_cache(1_000)(lambda headers: written(self._with_vary(headers)))

    def answer_without_task(self, scope: Scope, send: WholeResponses) -> bool:
        """Answer a request for which nothing has to be awaited.

        If it returns False, nothing was sent, and the caller starts a task. The arrival time may have been
        set: it stays.
        """
        found = self._found(scope)
        if found is None or found[0].without_task is None or not found[0].allows_query_of(scope):
            return False
        route, ids = found
        self._context.stamp(scope)
        began = time.perf_counter()
        headers = _by_name(scope["headers"])
        request = DirectRequest(scope, headers, ids, b"", scope["app"].state.components)
        response = None if b"origin" in headers else _response_without_task(route, request)
        if response is None:
            return False
        self._context.identify(scope)
        send.respond_now(response.status, self._head_bytes(scope, response), response.body)
        report_request(scope, route.template, response.status, time.perf_counter() - began)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on as it was."""
        found = self._found(scope)
        if found is None:
            await self._pass_on(scope, receive, send, None)
            return
        route, ids = found
        if not route.allows_query_of(scope):
            await self._pass_on(scope, receive, send, route)
            return
        self._context.stamp(scope)
        began = scope["state"]["began"] = time.perf_counter()
        messages: list[Message] = []
        request = DirectRequest(scope, _by_name(scope["headers"]), ids, b"", scope["app"].state.components)
        if route.method != "GET" and b"authorization" not in request.headers:
            await self._pass_on(scope, receive, send, route)  # The route refuses it without reading the body.
            return
        try:
            response = await self._response(route, request, receive, messages)
        except asyncio.CancelledError:  # The process ends.
            await self._refuse(request, receive, send, route.template, Unavailable())
            raise
        if response is None:
            await self._pass_on(scope, replaying(messages, receive), send, route)
            return
        await self._send(request, receive, send, response)
        report_request(scope, route.template, response.status, time.perf_counter() - began)

    async def _response(
        self, route: DirectRoute, request: DirectRequest, receive: Receive, messages: list[Message]
    ) -> DirectResponse | None:
        """The response of the route, or None. What was read of the body is added to `messages`."""
        state = request.scope["state"]
        if route.method != "GET":
            seconds = request.parts.settings.body_seconds
            ends_at = state["body_ends_at"] = asyncio.get_running_loop().time() + seconds
            body = await read_body(receive, messages, ends_at, route.most_bytes)
            if body is None:
                return None
            request.body = body
        context = bind_contextvars(request_id=self._context.identify(request.scope))
        telemetry.requests_in_progress.inc()
        try:
            return await route.respond(request)
        except Exception as error:  # noqa: BLE001 -- every error has a response
            return _problem(request.scope, error)
        finally:
            telemetry.requests_in_progress.dec()
            reset_contextvars(**context)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, route: DirectRoute | None) -> None:
        """Let FastAPI answer the request, unless too many of its requests are in progress.

        What an exam cannot do without is not refused, nor is anybody who is known as staff.
        """
        if not _is_limited(scope):
            await self._app(scope, receive, send)
            return
        parts: Components = scope["app"].state.components
        is_needed = route.always_admitted if route else scope["path"].startswith(_IMAGES)
        if parts.admission.is_full and not is_needed:
            self._context.stamp(scope)
            request = DirectRequest(scope, _by_name(scope["headers"]), (), b"", parts)
            if not await _is_of_staff(request):
                retry_after = randint(*_RETRY_AFTER)  # noqa: S311 -- it is no secret
                template = route.template if route else telemetry.REFUSED
                await self._refuse(request, receive, send, template, Unavailable(_BUSY, retry_after))
                return
        await parts.admission.run(self._app, scope, receive, send)

    async def _refuse(
        self, request: DirectRequest, receive: Receive, send: Send, route: str, error: Unavailable
    ) -> None:
        scope = request.scope
        began = scope["state"].get("began") or time.perf_counter()
        with bound_contextvars(request_id=self._context.identify(scope)):
            response = _problem(scope, error)
            await self._send(request, receive, send, response)
            report_request(scope, route, response.status, time.perf_counter() - began)

    def _found(self, scope: Scope) -> tuple[DirectRoute, Sequence[UUID]] | None:
        """The route of a request and the parameters of its path."""
        if scope["type"] != "http" or len(scope["path"]) > _MAX_PATH_LENGTH:
            return None
        return self._find(scope["method"], scope["path"])

    def _route_of(self, method: str, path: str) -> tuple[DirectRoute, Sequence[UUID]] | None:
        last = path.rpartition("/")[2]
        for route in self._routes.get((method, "" if len(last) == _ID_LENGTH else last), ()):
            if found := route.path.fullmatch(path):
                return route, [UUID(text) for text in found.groups()]
        return None

    async def _send(
        self, request: DirectRequest, receive: Receive, send: Send, response: DirectResponse
    ) -> None:
        scope, is_from_page = request.scope, b"origin" in request.headers
        if isinstance(send, WholeResponses) and not is_from_page:
            await send.respond(response.status, self._head_bytes(scope, response), response.body)
            return
        # CORSMiddleware wraps an ASGI application, so the messages are passed to one through the scope.
        scope["ias_messages"] = self._messages(scope, response, is_from_page=is_from_page)
        await (self._send_to_page if is_from_page else _send_messages)(scope, receive, send)

    def _head_bytes(self, scope: Scope, response: DirectResponse) -> bytes:
        """All headers as bytes, for the server."""
        request_id = scope["state"]["request_id"].encode()
        head = self._header_bytes(response.headers) + b"x-request-id: %b\r\n" % request_id
        return head if response.status == 304 else head + b"content-length: %d\r\n" % len(response.body)

    def _messages(self, scope: Scope, response: DirectResponse, *, is_from_page: bool) -> Sequence[Message]:
        """The response as messages, for web pages and tests. CORSMiddleware adds its headers for pages."""
        headers = self._all_headers(response.headers) if is_from_page else self._with_vary(response.headers)
        headers.append((b"x-request-id", scope["state"]["request_id"].encode()))
        if response.status != 304:
            headers.append((b"content-length", b"%d" % len(response.body)))
        return (
            {"type": "http.response.start", "status": response.status, "headers": headers},
            {"type": "http.response.body", "body": response.body},
        )

    def _with_vary(self, headers: RawHeaders) -> list[tuple[bytes, bytes]]:
        """All headers, with Origin in Vary: CORSMiddleware does that for requests with an origin only."""
        complete = self._all_headers(headers)
        for place, (name, value) in enumerate(complete):
            if name == b"vary":
                complete[place] = name, value + b", Origin"
                return complete
        return [*complete, (b"vary", b"Origin")]

    def _all_headers(self, headers: RawHeaders) -> list[tuple[bytes, bytes]]:
        """The headers of one response with those of every response."""
        present = {name for name, _ in headers}
        return [*headers, *(header for header in self._headers if header[0] not in present)]


def _by_name(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes | None]:
    """The headers by their names. None for one that is sent twice."""
    values: dict[bytes, bytes | None] = dict(headers)
    if len(values) < len(headers):
        sent = Counter(name for name, _ in headers)
        values |= {name: None for name, times in sent.items() if times > 1}
    return values


async def _send_messages(scope: Scope, _: Receive, send: Send) -> None:
    for message in scope["ias_messages"]:
        await send(message)


def _problem(scope: Scope, error: Exception) -> DirectResponse:
    response = problems.response_to(HTTPConnection(scope), error)
    headers = tuple(header for header in response.raw_headers if header[0] != b"content-length")
    return DirectResponse(response.status_code, headers, bytes(response.body))


def _is_limited(scope: Scope) -> bool:
    """Whether the number of such requests in progress is limited. Logins have a limit of their own."""
    if scope["type"] != "http" or scope["method"] in ("OPTIONS", "HEAD"):
        return False
    return scope["path"].startswith("/v1/") and not scope["path"].startswith(_NOT_LIMITED)


async def _is_of_staff(request: DirectRequest) -> bool:
    account = await request.account()
    return account is not None and request.parts.admission.remembers_staff(account.id)


def _response_without_task(route: DirectRoute, request: DirectRequest) -> DirectResponse | None:
    try:
        return route.without_task(request) if route.without_task else None
    except Exception:  # noqa: BLE001 -- the task runs into the same error and sends its problem document
        return None
