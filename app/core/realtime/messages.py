"""A message as it lies in the stream, and as it goes over the wire."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

BEGINNING = "0-0"
"""The cursor before any message: what was published after it, nobody can say for sure."""

_ID = re.compile(r"(?P<position>\d{1,20}-\d{1,20})(\.[0-9a-f]{1,32})?")


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry of the stream. One that tells nobody anything has an empty room."""

    id: str
    """Its place in the stream, and its id on the wire."""
    message_id: UUID | None = None
    room: str = ""
    audience: str = ""
    user_id: UUID | None = None
    session_id: str | None = None
    """Sockets of this person's other sessions are closed once they were told."""
    type: str = ""
    text: str = ""
    """As it goes over the wire: written once, sent to thousands."""
    at: datetime | None = None


def wire(message_id: str, kind: str, at: datetime, data: dict[str, Any]) -> str:
    """A message as clients get it."""
    document = {"id": message_id, "type": kind, "at": at, "data": data}
    return orjson.dumps(document, default=str, option=orjson.OPT_UTC_Z).decode()


def passing_id(cursor: str) -> str:
    """An id for a message that is not in the stream: unique, and its part before the point is a cursor."""
    return f"{cursor}.{secrets.token_hex(6)}"


def position_of(since: str) -> str | None:
    """The place in the stream that an id of any of our messages stands for."""
    found = _ID.fullmatch(since)
    return found["position"] if found else None


def pack(
    message_id: UUID,
    *,
    room: str,
    audience: str,
    user_id: UUID | None,
    kind: str,
    at: datetime,
    data: dict[str, Any],
) -> bytes:
    """What is put into the stream for a message."""
    return orjson.dumps(
        {
            "id": message_id,
            "room": room,
            "audience": audience,
            "user": user_id,
            "type": kind,
            "at": at,
            "data": data,
        },
        default=str,  # asyncpg's UUIDs are of a class of their own
    )


def unpack(entry_id: str, packed: bytes | None) -> Posted:
    """The entry as it was packed; one that cannot be read tells nobody anything, and stops nobody."""
    try:
        document = orjson.loads(packed or b"")
        at, data = datetime.fromisoformat(document["at"]), dict(document["data"])
        session_id = data.pop("session_id", None)
        return Posted(
            id=entry_id,
            message_id=UUID(document["id"]),
            room=document["room"],
            audience=document["audience"],
            user_id=UUID(document["user"]) if document["user"] else None,
            session_id=session_id,
            type=document["type"],
            text=wire(entry_id, document["type"], at, data),
            at=at,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return Posted(entry_id)
