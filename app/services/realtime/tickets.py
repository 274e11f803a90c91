"""Tickets: an address must not contain a token, so it contains a ticket that is valid once, for seconds."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from app.core.errors import InvalidToken
from app.models import SocketTicket
from app.services.components import Components
from app.services.realtime.rooms import SocketAddress
from app.services.unit_of_work import UnitOfWork, unit_of_work

TICKET_SECONDS = 30
_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """The person who requested a ticket, and the session and time of their token."""

    user_id: UUID
    session_id: str
    issued_at: datetime


async def issue_ticket(parts: Components, holder: TicketHolder, address: SocketAddress, now: datetime) -> str:
    """A ticket for one socket, stored together with those of others who wait.

    Only its digest is stored, so the database does not contain valid tickets.
    """
    ticket = secrets.token_urlsafe(32)
    row = SocketTicket(
        digest=_digest(ticket),
        user_id=holder.user_id,
        session_id=holder.session_id,
        issued_at=holder.issued_at,
        path=address.path,
        expires_at=now + timedelta(seconds=TICKET_SECONDS),
    )
    await parts.write_batches.outcome(issue_ticket, row, partial(_store, parts))
    return ticket


async def _store(parts: Components, tickets: Sequence[SocketTicket]) -> Sequence[None]:
    async with unit_of_work(parts.batch_engine) as uow:
        uow.tickets.add(tickets)
    return [None] * len(tickets)


async def redeem_ticket(uow: UnitOfWork, ticket: str) -> SocketTicket | None:
    """Consume a ticket. It is invalid after the commit, even if it was for another socket."""
    return await uow.tickets.consume(_digest(ticket)) if _TICKET.fullmatch(ticket) else None


def check_ticket(ticket: SocketTicket | None, address: SocketAddress, now: datetime) -> TicketHolder:
    """The holder of a ticket. Raises InvalidToken if it is not valid for this socket now."""
    if ticket is None or ticket.path != address.path or ticket.expires_at <= now:
        raise InvalidToken("The ticket is not valid for this socket, was used or has expired.")
    return TicketHolder(ticket.user_id, ticket.session_id, ticket.issued_at)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
