"""The `data` of messages: a base class, and the types that every socket sends."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class MessageData(BaseModel):
    """The `data` of a message. The AsyncAPI document describes these classes (`app/api/asyncapi.py`)."""

    model_config = ConfigDict(frozen=True)

    type: ClassVar[str]
    """The message's type."""

    def document(self) -> dict[str, Any]:
        """The JSON document. Optional fields that were not given are left out."""
        return self.model_dump(mode="json", exclude_unset=True)


class HelloData(MessageData):
    """The first message of a socket: the state of the connection, and whether messages were missed."""

    type: ClassVar[str] = "hello"

    room: Annotated[str, Field(description="The room of the socket: `exam:<id>`, `test:<id>` or `user:<id>`")]
    server_time: Annotated[datetime, Field(description="The server's time")]
    heartbeat_seconds: Annotated[
        float, Field(description="The interval of `time`. After twice this time without one, reconnect")
    ]
    cursor: Annotated[str, Field(description="The place of this socket in the stream of messages")]
    replayed: Annotated[
        int, Field(ge=0, description="The number of messages after `since` that follow this one")
    ]
    gap: Annotated[
        bool,
        Field(description="Whether messages may be missing. If true, read the state over HTTP"),
    ]


class TimeData(MessageData):
    """The server's time. It is sent at an interval, and in answer to a ping."""

    type: ClassVar[str] = "time"

    server_time: Annotated[datetime, Field(description="The server's time")]


class ReconnectData(MessageData):
    """The server restarts and closes the socket with code 1012."""

    type: ClassVar[str] = "reconnect"

    after_ms: Annotated[int, Field(ge=0, description="Reconnect after so many milliseconds")]
