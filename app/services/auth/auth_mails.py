"""Mails with a link to reset a password or to confirm an address, sent in the background.

A request inserts one row for any address, and a loop of the worker passes the rows to the auth server. So the
response time does not reveal whether an address has an account, and requests survive an outage of the auth
server or of Redis.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Literal

import structlog

from app.core.supabase_errors import AuthError, AuthUnavailable
from app.models import AuthMail
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work

log = structlog.get_logger(__name__)

AuthMailKind = Literal["recovery", "signup"]

BATCH = 20
CONCURRENCY = 4
LEASE = timedelta(minutes=2)
"""Longer than a batch can take: each call to the auth server has a timeout of a few seconds."""
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=5)
KEEP = timedelta(days=1)
"""Older requests are dropped. Whoever still wants the mail has requested it again."""


def request(
    uow: UnitOfWork, kind: AuthMailKind, email: str, client_address: str | None, now: datetime
) -> None:
    """Request a mail. The work is the same whether or not there is such an account."""
    uow.auth_mails.add(kind, email.lower(), client_address, now)


async def send_due(parts: Components) -> int:
    """Pass one batch of requests to the auth server. Returns how many were leased."""
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        if dropped := await uow.auth_mails.delete_before(now - KEEP):
            log.warning("auth_mails_dropped", count=dropped)
        leased = await uow.auth_mails.lease_due(now, LEASE, BATCH)
        # A deleted account gets no mails, although the auth server still knows it.
        deleted = await uow.deletions.are_deleted({mail.email for mail in leased})
        await uow.auth_mails.delete([mail.id for mail in leased if mail.email in deleted])
    slots = asyncio.Semaphore(CONCURRENCY)
    async with asyncio.TaskGroup() as sending:
        for mail in leased:
            if mail.email not in deleted:
                sending.create_task(_send(parts, mail, slots))
    return len(leased)


async def _send(parts: Components, mail: AuthMail, slots: asyncio.Semaphore) -> None:
    """Pass on one request. Repeating is harmless: the auth server mails an account at most once a minute."""
    async with slots:
        is_done = await _pass_to_auth_server(parts, mail)
    async with unit_of_work(parts.engine) as uow:
        if is_done:
            await uow.auth_mails.delete([mail.id])
        else:
            pause = min(FIRST_RETRY * (1 << min(mail.tries - 1, 10)), LAST_RETRY)
            await uow.auth_mails.postpone(mail.id, parts.clock.now() + pause)


async def _pass_to_auth_server(parts: Components, mail: AuthMail) -> bool:
    """Whether the auth server has accepted the request, or has rejected it for good."""
    ask = parts.auth.recover if mail.kind == "recovery" else parts.auth.resend
    try:
        await ask(mail.email, client_address=mail.client_address)
    except AuthUnavailable as error:
        log.warning("auth_mail_postponed", tries=mail.tries, error=str(error))
        return False
    except AuthError as error:
        log.warning("auth_mail_refused", error=str(error))
    return True
