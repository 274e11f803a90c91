"""Mails with a link to reset a password or to confirm an address: asked for at once, sent behind the answer.

A request writes one row for any address, and a loop of the worker hands the rows to the auth server. So the
time of the answer tells nobody whether an address is known, and a request outlives an outage of the auth
server and of Redis.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Literal

import structlog

from app.core.supabase_auth import AuthError, AuthUnavailable
from app.models import AuthMail
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work

log = structlog.get_logger(__name__)

AuthMailKind = Literal["recovery", "signup"]

BATCH = 20
AT_ONCE = 4
LEASE = timedelta(minutes=2)
"""Longer than a batch can take: each call to the auth server has a time-out of a few seconds."""
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=5)
KEEP = timedelta(days=1)
"""After a day nobody waits for the mail any more; whoever does has asked again."""


def request(
    uow: UnitOfWork, kind: AuthMailKind, email: str, client_address: str | None, now: datetime
) -> None:
    """Ask for a mail. The work is the same whether or not there is such an account."""
    uow.auth_mails.add(kind, email.lower(), client_address, now)


async def send_due(parts: Components) -> int:
    """Hand one batch of requests to the auth server; how many were taken."""
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        if forgotten := await uow.auth_mails.forget(now - KEEP):
            log.warning("auth_mails_dropped", count=forgotten)
        taken = await uow.auth_mails.lease_due(now, LEASE, BATCH)
    slots = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as sending:
        for mail in taken:
            sending.create_task(_send(parts, mail, slots))
    return len(taken)


async def _send(parts: Components, mail: AuthMail, slots: asyncio.Semaphore) -> None:
    """One request. The auth server mails an account at most once a minute, so a repetition does no harm."""
    async with slots:
        taken_over = await _hand_over(parts, mail)
    async with unit_of_work(parts.engine) as uow:
        if taken_over:
            await uow.auth_mails.done([mail.id])
        else:
            rest = min(FIRST_RETRY * (1 << min(mail.tries - 1, 10)), LAST_RETRY)
            await uow.auth_mails.postpone(mail.id, parts.clock.now() + rest)


async def _hand_over(parts: Components, mail: AuthMail) -> bool:
    """Whether the auth server has the request now, or has refused it for good."""
    ask = parts.auth.recover if mail.kind == "recovery" else parts.auth.resend
    try:
        await ask(mail.email, client_address=mail.client_address)
    except AuthUnavailable as error:
        log.warning("auth_mail_postponed", tries=mail.tries, error=str(error))
        return False
    except AuthError as error:
        log.warning("auth_mail_refused", error=str(error))
    return True
