"""Tickets for sockets, and the messages that clients send."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

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


class Ping(BaseModel):
    """A request for the server's time. The answer is `time`."""

    type: Annotated[Literal["ping"], Field(description="The type of the message")]


class Ack(BaseModel):
    """The candidate has seen a message. Staff see how many have acknowledged an announcement."""

    type: Annotated[Literal["ack"], Field(description="The type of the message")]
    id: Annotated[
        str,
        Field(
            strict=True,
            description="The `announcement_id` of an announcement. The `id` of its message is accepted, too",
        ),
    ]


ClientMessage = Ping | Ack
CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)
