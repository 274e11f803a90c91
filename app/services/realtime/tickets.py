"""Tickets of sockets.

URLs are logged and must hold no token, so they hold a ticket: short-lived, for one use.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import InvalidToken
from app.models import SocketTicket
from app.services.realtime.rooms import Address
from app.services.unit_of_work import UnitOfWork

TICKET_SECONDS = 30
_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """Who requested a ticket, with the session and the time of the token."""

    user_id: UUID
    session_id: str
    issued_at: datetime


def issue_ticket(uow: UnitOfWork, holder: TicketHolder, address: Address, now: datetime) -> str:
    """Issue a ticket for one socket. Only its digest is stored, so the database reveals no usable ticket."""
    ticket = secrets.token_urlsafe(32)
    uow.tickets.add(
        SocketTicket(
            digest=_digest(ticket),
            user_id=holder.user_id,
            session_id=holder.session_id,
            issued_at=holder.issued_at,
            path=address.path,
            expires_at=now + timedelta(seconds=TICKET_SECONDS),
        )
    )
    return ticket


async def redeem_ticket(uow: UnitOfWork, ticket: str) -> SocketTicket | None:
    """Consume a ticket. It is used up by the commit, even if it is for another socket."""
    return await uow.tickets.consume(_digest(ticket)) if _TICKET.fullmatch(ticket) else None


def check_ticket(ticket: SocketTicket | None, address: Address, now: datetime) -> TicketHolder:
    """The holder of a ticket. Raises InvalidToken if it is not valid for this socket now."""
    if ticket is None or ticket.path != address.path or ticket.expires_at <= now:
        raise InvalidToken("The ticket is not valid for this socket, was used or has expired.")
    return TicketHolder(ticket.user_id, ticket.session_id, ticket.issued_at)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
