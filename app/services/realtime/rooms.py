"""The paths of sockets, the rooms that they belong to, and who may join them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from app.core.errors import NotFound
from app.repositories.realtime.messages import exam_room, test_room, user_room
from app.services import tests
from app.services.unit_of_work import Reading
from app.services.users import Principal

_PATH = re.compile(r"(/v1)?/ws/(?:(?P<kind>exam|test)/(?P<id>[0-9A-Fa-f-]{36})|notifications)")


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """What a socket is for: an exam, a test, or the notifications of its user."""

    kind: str
    """`exam`, `test` or `notifications`."""
    id: UUID | None = None
    """The id of the exam or test."""

    @classmethod
    def parse(cls, path: str) -> Self | None:
        """Parse a path, with or without /v1. Returns None if no socket has this path."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        if found["kind"] is None:
            return cls("notifications")
        try:
            return cls(found["kind"], UUID(found["id"]))
        except ValueError:
            return None

    @property
    def path(self) -> str:
        """The path without /v1, and with the id in lower case."""
        return f"/ws/{self.kind}" if self.id is None else f"/ws/{self.kind}/{self.id}"


async def room_of(reads: Reading, person: Principal, address: SocketAddress, now: datetime) -> str:
    """The room of a socket. Raises NotFound if this person may not receive its messages."""
    if address.id is None:
        return user_room(person.id)
    viewer = tests.viewer(person)
    if address.kind == "exam":
        if await reads.rooms.may_enter_exam(viewer, address.id):
            return exam_room(address.id)
    elif await reads.rooms.may_enter_test(viewer, address.id, now):
        return test_room(address.id)
    raise NotFound("room")
