"""The format of messages in the stream and on sockets."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

SESSION_KEY = "session_id"
"""The key in stored data that names the session whose sockets stay open. It is not sent to clients."""

BEGINNING = "0-0"
"""The cursor before the first entry. It is never known, so that a replay from it reports a gap."""

_ID = re.compile(r"(?P<position>\d{1,20}-\d{1,20})(\.[0-9a-f]{1,32})?")


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry of the stream. An entry without a message has an empty room."""

    id: str
    """The entry's id in the stream and the message's id on sockets."""
    message_id: UUID | None = None
    room: str = ""
    audience: str = ""
    user_id: UUID | None = None
    session_id: str | None = None
    """If set, the user's sockets of other sessions are closed after they have received the message."""
    type: str = ""
    text: str = ""
    """The message as it is sent to sockets, encoded once."""
    at: datetime | None = None


def wire(message_id: str, kind: str, at: datetime, data: dict[str, Any]) -> str:
    """Encode a message for sockets."""
    document = {"id": message_id, "type": kind, "at": at, "data": data}
    return orjson.dumps(document, default=str, option=orjson.OPT_UTC_Z).decode()


def transient_id(cursor: str) -> str:
    """A unique id for a message that is not in the stream. The part before the point is a cursor."""
    return f"{cursor}.{secrets.token_hex(6)}"


def position_of(since: str) -> str | None:
    """The id in the stream to which a message id refers, or None if the message id is not valid."""
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
    """Encode a message for the stream."""
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
        default=str,  # for asyncpg's own UUID class
    )


def unpack(entry_id: str, packed: bytes | None) -> Posted:
    """Decode an entry of the stream. An entry that cannot be decoded gets an empty room."""
    try:
        document = orjson.loads(packed or b"")
        at, data = datetime.fromisoformat(document["at"]), dict(document["data"])
        session_id = data.pop(SESSION_KEY, None)
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
