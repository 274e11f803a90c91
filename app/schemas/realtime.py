"""Tickets for sockets."""

from pydantic import Field

from app.schemas.common import In, Out


class TicketIn(In):
    """The socket that the ticket opens."""

    path: str = Field(
        max_length=200,
        description="`/ws/exam/{exam_id}`, `/ws/test/{test_id}` or `/ws/notifications`; `/v1` may precede",
        examples=["/ws/notifications"],
    )


class TicketOut(Out):
    """A ticket. Send it as `?ticket=` to that path, once, within `expires_in` seconds."""

    ticket: str
    expires_in: int
