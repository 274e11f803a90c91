"""Messages of sockets with a number, so that tests see which arrived and in which order."""

from typing import Any
from uuid import UUID

from app.models.message_data import AnnouncementData


def announcement(number: int, more: str = "") -> AnnouncementData:
    """An announcement whose text is a number."""
    return AnnouncementData(announcement_id=UUID(int=number), text={"en": str(number), "hi": more or "-"})


def number_of(message: dict[str, Any]) -> int:
    """The number in a message on a socket."""
    return int(message["data"]["text"]["en"])
