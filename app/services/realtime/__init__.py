"""Realtime (docs/decisions/0011): tickets, rooms, publishing, and what is watched and told to many.

A service that has something to tell writes it with `uow.messages.to_everybody/to_staff/to_user` in the
transaction of the fact itself. All the rest happens by itself.
"""

from app.services.realtime.background import Realtime, running
from app.services.realtime.presence import acknowledged, connected, presence
from app.services.realtime.publishing import Publisher
from app.services.realtime.rooms import Address, enter
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
    "enter",
    "issue_ticket",
    "presence",
    "redeem_ticket",
    "running",
]
