"""ASGI middleware. `app/main.py` installs these classes in the order of this file, outermost first."""

import re
import time
from collections.abc import Callable, Iterable, Mapping

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import client_address, telemetry
from app.core.arrival import Arrivals
from app.core.ids import uuid7_text
from app.core.rate_limits import LimitState

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
NOTHING_MAY_LOAD = "default-src 'none'; frame-ancestors 'none'"


class RequestContext:
    """Sets the arrival time, the request id and the client's address in `scope["state"]`.

    It must be the outermost middleware, and it awaits nothing before it takes the arrival time.
    """

    def __init__(self, app: ASGIApp, arrivals: Arrivals, trusted_proxies: Iterable[str] = ()) -> None:
        self.app = app
        self.arrivals = arrivals
        self.trusted = client_address.networks(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        self.stamp(scope)
        request_id = self.identify(scope)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            return await self.app(scope, receive, _with_headers(send, lambda: {"X-Request-ID": request_id}))

    def stamp(self, scope: Scope) -> None:
        """Set the arrival time, unless it was set before the body was awaited."""
        state = scope.setdefault("state", {})
        if "arrived_at" not in state:
            state["arrived_at"] = self.arrivals.stamp()

    def identify(self, scope: Scope) -> str:
        """Set the request id, which is returned, and the client's address, unless they were set before."""
        state = scope["state"]
        if "request_id" not in state:
            state["request_id"] = request_id_of(scope)
            state["client_address"] = client_address.of_scope(scope, self.trusted)
        request_id: str = state["request_id"]
        return request_id


class AccessLog:
    """Writes a log line and metrics for each request, without its path, query string or body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status = 500
        # What a direct response took before it was left to the route belongs to the request.
        started = scope["state"].get("began") or time.perf_counter()

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with telemetry.requests_in_progress.track_inprogress():
                await self.app(scope, receive, observe)
        finally:
            report_request(scope, telemetry.route_template(scope), status, time.perf_counter() - started)


class SecurityHeaders:
    """Adds security headers for browsers. A header that a route has set is kept."""

    def __init__(self, app: ASGIApp, *, hsts: bool) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": NOTHING_MAY_LOAD,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
            "Cache-Control": "no-store",
        }
        if hsts:
            self.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        return await self.app(scope, receive, _with_headers(send, lambda: self.headers))


class RateLimitHeaders:
    """Adds rate limit headers if the route has checked a limit (`RateLimiter.check`)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def headers() -> Mapping[str, str]:
            state: LimitState | None = scope.get("state", {}).get("rate_limit")
            return state.headers if state else {}

        await self.app(scope, receive, _with_headers(send, headers))


def request_id_of(scope: Scope) -> str:
    """The request id of the client if it has only safe characters, otherwise a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if REQUEST_ID.fullmatch(given) else uuid7_text()


def _with_headers(send: Send, headers: Callable[[], Mapping[str, str]]) -> Send:
    """A `send` that adds missing headers. `headers` is called when the response starts."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            message.setdefault("headers", [])
            present = MutableHeaders(scope=message)
            for name, value in headers().items():
                present.setdefault(name, value)
        await send(message)

    return send_with_headers


def report_request(scope: Scope, route: str, status: int, seconds: float) -> None:
    """Write the log line and the metrics of a request."""
    method = scope["method"]
    telemetry.observe_request(method, route, status, seconds)
    state = scope["state"]
    fields = {
        "request_id": state["request_id"],
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "client": str(state["client_address"]),
    }
    if user_id := state.get("user_id"):
        fields["user_id"] = str(user_id)
    if problem := state.get("problem"):
        fields["problem"] = problem
    telemetry.log_request(fields)
