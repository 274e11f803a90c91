"""Serves WebSockets: authentication, sending messages, receiving pings and acknowledgements, closing."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from structlog.contextvars import bind_contextvars

from app.api import problems
from app.api.deps import Login, log_in
from app.core import telemetry
from app.core.errors import (
    DomainError,
    NotFound,
    SessionRevoked,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from app.core.middleware import RequestContext
from app.core.origins import is_allowed
from app.core.realtime import inbox as closings
from app.core.realtime.hub import may_receive
from app.core.realtime.inbox import Closing, Inbox, Listener
from app.core.repeating import end
from app.core.socket_protocol import MAX_MESSAGE_BYTES
from app.schemas.realtime import CLIENT_MESSAGE, Ack
from app.services import realtime
from app.services.components import Components
from app.services.realtime import Realtime, SocketAddress
from app.services.unit_of_work import looking, unit_of_work
from app.services.users import find_principal

log = structlog.get_logger(__name__)

ABNORMAL_CLOSURE, NO_STATUS = 1006, 1005
"""RFC 6455: codes for a connection that ended without a close frame, and for a close frame without a code."""

MESSAGES_PER_SECOND = 20
CLOSE_SECONDS = 5.0
"""How long a client may take to read the remaining messages before its socket is closed."""

BY_STATUS = {401: closings.UNAUTHENTICATED, 403: closings.NOT_ALLOWED, 404: closings.NO_SUCH_ROOM}


class SocketRefused(Exception):
    """The connection is refused with a close code and a reason."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(closing.reason)
        self.closing = closing


class Sockets:
    """Serves all sockets. Passes all other scopes to `app`.

    It runs before FastAPI, whose layers would keep some twenty coroutine frames in memory for each open
    socket. It does for sockets what the outermost middleware does for requests.
    """

    def __init__(self, app: ASGIApp, context: RequestContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket, or pass another scope to `app`."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        self._context.stamp(scope)
        # The server runs each socket in a context of its own.
        bind_contextvars(request_id=self._context.identify(scope))
        await _serve(WebSocket(scope, receive, send), SocketAddress.parse(scope["path"]))


async def _serve(websocket: WebSocket, address: SocketAddress | None) -> None:
    """Serve one socket.

    A refusal accepts the handshake first, because browsers expose a close code only after the handshake.
    """
    realtime_tasks: Realtime = websocket.app.state.realtime
    began = time.perf_counter()
    try:
        inbox = await _accept(websocket, address, realtime_tasks)
    except Exception as error:  # noqa: BLE001 -- after any error the client gets a close code
        await _refuse(websocket, _closing_for(error))
        return
    log.info("socket_opened", **_log_fields(inbox))
    code = ABNORMAL_CLOSURE
    try:
        code = await _exchange(websocket, inbox, realtime_tasks)
    finally:
        realtime_tasks.parts.hub.leave(inbox)
        seconds = round(time.perf_counter() - began, 1)
        log.info("socket_closed", **_log_fields(inbox), code=code, sent=inbox.sent, seconds=seconds)


async def _accept(websocket: WebSocket, address: SocketAddress | None, realtime_tasks: Realtime) -> Inbox:
    parts = realtime_tasks.parts
    if not is_allowed_origin(websocket, parts.settings.cors_origins):
        raise SocketRefused(closings.FOREIGN_ORIGIN)
    if address is None:
        raise NotFound("socket")
    login = await _login(websocket, address, parts)
    person, now = login.principal, parts.clock.now()
    # Reserved before the next await, so that concurrent connections are counted.
    with parts.hub.reserve_place(person.id) as has_place:
        if not has_place:
            raise TooManyRequests(1)
        async with looking(parts.engine) as reads:
            room = await realtime.room_of(reads, person, address, now)
        await _accept_handshake(websocket)
        listener = Listener(room, person.id, person.session_id, login.signed_in_at, person.is_staff)
        heartbeat = parts.settings.socket_heartbeat_seconds
        inbox = parts.hub.join(listener, websocket.query_params.get("since"), now, heartbeat)
    inbox.next_time_at = asyncio.get_running_loop().time() + heartbeat
    return inbox


async def _login(websocket: WebSocket, address: SocketAddress, parts: Components) -> Login:
    """Authenticate by a ticket in the URL or an access token in the header.

    Access tokens in the URL are ignored.
    """
    if (ticket := websocket.query_params.get("ticket")) is not None:
        return await _login_by_ticket(websocket, ticket, address, parts)
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    login = await log_in(websocket, token.strip(), parts)
    await parts.limiter.hit(parts.settings.socket_ticket_limit, "socket", str(login.principal.id))
    return login


async def _login_by_ticket(
    websocket: WebSocket, ticket: str, address: SocketAddress, parts: Components
) -> Login:
    if not parts.revocations.is_loaded:
        raise Unavailable
    async with unit_of_work(parts.engine) as uow:
        row = await realtime.redeem_ticket(uow, ticket)
    holder = realtime.check_ticket(row, address, parts.clock.now())
    if parts.revocations.cover(holder.user_id, holder.session_id, holder.issued_at):
        raise SessionRevoked
    async with looking(parts.engine) as reads:
        person = await find_principal(reads, holder.user_id, holder.session_id, parts.clock.now())
    if person is None:
        raise SessionRevoked
    websocket.state.user_id = str(person.id)
    return Login(person, holder.issued_at)


def is_allowed_origin(websocket: WebSocket, allowed: Sequence[str]) -> bool:
    """Whether every Origin header names an allowed origin or this host. Apps send no such header."""
    origins = websocket.headers.getlist("origin")
    own_host = websocket.headers.get("host", "").lower()
    return all(is_allowed(origin, allowed) or _host(origin) == own_host != "" for origin in origins)


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin.lower()).netloc
    except ValueError:
        return None


def _closing_for(error: Exception) -> Closing:
    if isinstance(error, SocketRefused):
        return error.closing
    known: DomainError | None = problems.domain_error_of(error)
    if known is None:
        log.exception("unexpected_error")
        return closings.UNEXPECTED_ERROR
    return BY_STATUS.get(known.status, closings.TRY_AGAIN)


async def _refuse(websocket: WebSocket, closing: Closing) -> None:
    telemetry.sockets_closed_total.labels(closing.reason).inc()
    log.info("socket_refused", code=closing.code, reason=closing.reason)
    try:
        if websocket.application_state.name == "CONNECTING":
            await _accept_handshake(websocket)
        await websocket.close(closing.code, closing.reason)
    except (WebSocketDisconnect, WebSocketDisconnected, OSError):
        return  # The client has disconnected.


async def _accept_handshake(websocket: WebSocket) -> None:
    await websocket.accept(headers=[(b"x-request-id", websocket.state.request_id.encode())])


async def _exchange(websocket: WebSocket, inbox: Inbox, realtime_tasks: Realtime) -> int:
    """Send and receive until either side closes. Returns the close code."""
    sending = asyncio.create_task(_send_all(websocket, inbox))
    receiving = asyncio.create_task(_receive_all(websocket, inbox, realtime_tasks))
    ends: list[asyncio.Future[Any]] = [sending, receiving, inbox.closed()]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for error in [task.exception() for task in (sending, receiving) if task.done()]:
            if error is not None:
                log.error("unexpected_error", exc_info=error)
                inbox.close(closings.UNEXPECTED_ERROR)
        if inbox.closing is not None:
            realtime_tasks.parts.hub.leave(inbox)
            await asyncio.wait([sending], timeout=CLOSE_SECONDS)
            telemetry.sockets_closed_total.labels(inbox.closing.reason).inc()
            return inbox.closing.code
        return receiving.result() if receiving.done() else ABNORMAL_CLOSURE
    finally:
        await end((sending, receiving))


async def _send_all(websocket: WebSocket, inbox: Inbox) -> None:
    try:
        while isinstance(text := await inbox.next(), str):
            await websocket.send_text(text)
        await websocket.close(text.code, text.reason)
    except (WebSocketDisconnect, WebSocketDisconnected):
        return


async def _receive_all(websocket: WebSocket, inbox: Inbox, realtime_tasks: Realtime) -> int:
    """Receive pings and acknowledgements. Returns the code with which the client or the server has closed."""
    loop = asyncio.get_running_loop()
    arrivals: list[float] = []
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            code = int(message.get("code") or NO_STATUS)
            if code == closings.RESTARTING.code:
                realtime_tasks.ask_to_reconnect(inbox)
            return code
        if len(arrivals) == MESSAGES_PER_SECOND and loop.time() - arrivals[0] < 1:
            inbox.close(closings.TOO_MANY)
            return closings.TOO_MANY.code
        arrivals = [*arrivals[1 - MESSAGES_PER_SECOND :], loop.time()]
        if (closing := _handle(message, inbox, realtime_tasks)) is not None:
            inbox.close(closing)
            return closing.code


def _handle(message: Any, inbox: Inbox, realtime_tasks: Realtime) -> Closing | None:
    text = message.get("text")
    if not isinstance(text, str):
        return closings.MALFORMED
    if len(text) > MAX_MESSAGE_BYTES or len(text.encode(errors="replace")) > MAX_MESSAGE_BYTES:
        return closings.TOO_LARGE
    try:
        sent = CLIENT_MESSAGE.validate_python(orjson.loads(text))
    except ValueError:
        return closings.MALFORMED
    if isinstance(sent, Ack):
        _acknowledge(sent.id, inbox, realtime_tasks)
    else:
        realtime_tasks.maintenance.tell_time([inbox])
    return None


def _acknowledge(reference: str, inbox: Inbox, realtime_tasks: Realtime) -> None:
    """Record an acknowledgement. Unknown messages, and those for other users, are ignored."""
    posted = realtime_tasks.parts.hub.memory.find(inbox.listener.room, reference)
    if posted is not None and posted.message_id is not None and may_receive(inbox.listener, posted):
        realtime_tasks.presence.acknowledge(posted.message_id, inbox.listener.user_id)


def _log_fields(inbox: Inbox) -> dict[str, str]:
    return {"room": inbox.listener.room, "user_id": str(inbox.listener.user_id)}
