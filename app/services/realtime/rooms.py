"""Rooms: the addresses of sockets, and who may join them."""

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
class Address:
    """The address of a socket: of an `exam`, a `test`, or one's own `notifications`."""

    kind: str
    id: UUID | None = None

    @classmethod
    def parse(cls, path: str) -> Self | None:
        """The address in a path, with or without /v1; None if there is no such socket."""
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
        """The path in its normal form."""
        return f"/ws/{self.kind}" if self.id is None else f"/ws/{self.kind}/{self.id}"


async def room_of(reads: Reading, person: Principal, address: Address, now: datetime) -> str:
    """The room of an address. Raises NotFound if this person may not receive its messages."""
    if address.id is None:
        return user_room(person.id)
    viewer = tests.viewer(person)
    if address.kind == "exam":
        if await reads.rooms.may_enter_exam(viewer, address.id):
            return exam_room(address.id)
    elif await reads.rooms.may_enter_test(viewer, address.id, now):
        return test_room(address.id)
    raise NotFound("room")
