"""Tickets that open sockets (docs/decisions/0011)."""

from fastapi import Request

from app.api.deps import CurrentLogin, Now, Parts, personal_turn
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Invalid, TooManyRequests
from app.schemas.realtime import TicketIn, TicketOut
from app.sentences import Sentence
from app.services import realtime
from app.services.realtime import SocketAddress

router = PrefixRouter(prefix="/ws", tags=["realtime"])


@router.post("/ticket", status_code=201, responses=problems(Invalid, TooManyRequests))
async def issue_ticket(
    request: Request, body: TicketIn, login: CurrentLogin, parts: Parts, now: Now
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
    holder = realtime.TicketHolder(person.id, person.session_id, login.signed_in_at)
    limit = parts.settings.socket_ticket_limit, f"ticket:{person.id}"
    async with personal_turn(request, parts):
        await parts.limiter.check(request.state, [limit])
        ticket = await realtime.issue_ticket(parts, holder, address, now)
    return TicketOut(ticket=ticket, expires_in=realtime.TICKET_SECONDS)
