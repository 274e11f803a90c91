"""Realtime (docs/decisions/0011): tickets, rooms, publishing, and messages that many sockets receive.

A service writes a message with `uow.messages.to_everybody`, `to_staff` or `to_user` in the transaction of the
change. After the commit it is published.
"""

from app.services.realtime.presence import acknowledged, connected, presence
from app.services.realtime.publishing import Publisher
from app.services.realtime.rooms import Address, room_of
from app.services.realtime.runtime import Realtime, running
from app.services.realtime.tickets import (
    TICKET_SECONDS,
    TicketHolder,
    check_ticket,
    issue_ticket,
    redeem_ticket,
)

__all__ = [
    "TICKET_SECONDS",
    "Address",
    "Publisher",
    "Realtime",
    "TicketHolder",
    "acknowledged",
    "check_ticket",
    "connected",
    "issue_ticket",
    "presence",
    "redeem_ticket",
    "room_of",
    "running",
]
