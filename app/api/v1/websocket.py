"""Sockets, and the tickets that open them (docs/decisions/0011)."""

from fastapi import APIRouter, Request, WebSocket

from app.api import sockets
from app.api.deps import CurrentLogin, Now, Parts, Uow
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core.errors import Invalid, TooManyRequests
from app.schemas.realtime import TicketIn, TicketOut
from app.sentences import Sentence
from app.services import realtime
from app.services.realtime import SocketAddress

router = APIRouter(prefix="/ws", tags=["realtime"], route_class=PermissionFirstRoute)
socket_router = APIRouter(prefix="/ws")


@router.post("/ticket", status_code=201, responses=problems(Invalid, TooManyRequests))
async def issue_ticket(
    request: Request, body: TicketIn, login: CurrentLogin, uow: Uow, parts: Parts, now: Now
) -> TicketOut:
    """Issue a ticket that opens one socket once, within 30 seconds.

    It is bound to you, your session and the path. Connect to `wss://…{path}?ticket=…`. An app that can set
    headers may send its access token as a bearer token instead. Never put an access token into a URL.
    """
    address = SocketAddress.parse(body.path)
    if address is None:
        paths = "/ws/exam/{exam_id}, /ws/test/{test_id}, /ws/notifications"
        sentence = Sentence("Send the path of a socket, without a query: {paths}.", paths=paths)
        raise Invalid.field("path", sentence)
    person = login.principal
    await parts.limiter.check(request.state, [(parts.settings.socket_ticket_limit, f"ticket:{person.id}")])
    holder = realtime.TicketHolder(person.id, person.session_id, login.signed_in_at)
    ticket = realtime.issue_ticket(uow, holder, address, now)
    return TicketOut(ticket=ticket, expires_in=realtime.TICKET_SECONDS)


@socket_router.websocket("/exam/{exam_id}")
async def exam_socket(websocket: WebSocket, exam_id: str) -> None:
    """The room of an exam, for registered candidates and staff."""
    await sockets.serve(websocket, SocketAddress.parse(f"/ws/exam/{exam_id}"))


@socket_router.websocket("/test/{test_id}")
async def test_socket(websocket: WebSocket, test_id: str) -> None:
    """The room of a test, for users who may take it or are taking it."""
    await sockets.serve(websocket, SocketAddress.parse(f"/ws/test/{test_id}"))


@socket_router.websocket("/notifications")
async def notification_socket(websocket: WebSocket) -> None:
    """Your own notifications."""
    await sockets.serve(websocket, SocketAddress.parse("/ws/notifications"))


@socket_router.websocket("/{rest:path}")
async def unknown_socket(websocket: WebSocket, rest: str) -> None:
    """Refuse unknown paths with a close code, like every refusal."""
    await sockets.serve(websocket, None)
