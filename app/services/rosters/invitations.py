"""Mails with which the people of a roster set the password of their new account.

A worker sends them, so that an import does not wait for the mail server, and no mail is lost when a process
ends.
"""

import asyncio
from datetime import timedelta
from urllib.parse import urlencode

import structlog

from app.core.channels import NotNow, NotSent
from app.core.supabase_errors import AuthError, AuthUnavailable, RateLimited
from app.models import Invitation, User
from app.services.components import Components
from app.services.notifications.mails import render
from app.services.notifications.wording import greeting_name, language_of
from app.services.unit_of_work import reading, unit_of_work

log = structlog.get_logger(__name__)

BATCH = 20
CONCURRENCY = 4
LEASE = timedelta(minutes=5)
"""Longer than a batch can take, so that no other worker sends the same mail."""
FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(minutes=15)
KEEP_TRYING = timedelta(days=7)


async def send_due_invitations(parts: Components) -> int:
    """Send one batch of invitations. Returns how many were leased."""
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        leased = await uow.invitations.lease_due(now, LEASE, BATCH)
    slots = asyncio.Semaphore(CONCURRENCY)
    async with asyncio.TaskGroup() as sending:
        for invitation in leased:
            sending.create_task(_send(parts, invitation, slots))
    return len(leased)


async def _send(parts: Components, invitation: Invitation, slots: asyncio.Semaphore) -> None:
    """Send one mail and store the result. If the process ends between the two, it is sent again."""
    retry_at, error = None, None
    async with slots:
        try:
            error = await _mail(parts, invitation)
        except (AuthUnavailable, RateLimited, NotNow) as failure:
            pause = min(FIRST_RETRY * (1 << min(invitation.tries - 1, 10)), LAST_RETRY)
            retry_at = parts.clock.now() + pause
            error = f"not sent for {KEEP_TRYING.days} days: {failure}"
            if retry_at < invitation.created_at + KEEP_TRYING:
                error = None
        except (AuthError, NotSent, ValueError) as failure:
            error = str(failure)
    if retry_at or error:
        log.warning("invitation_not_sent", user_id=str(invitation.user_id), given_up=error is not None)
    async with unit_of_work(parts.engine) as uow:
        if error is not None:
            await uow.invitations.give_up(invitation.user_id, error)
        elif retry_at is not None:
            await uow.invitations.postpone(invitation.user_id, retry_at)
        else:
            await uow.invitations.mark_sent(invitation.user_id, parts.clock.now())


async def _mail(parts: Components, invitation: Invitation) -> str | None:
    """Send the mail. Returns why nobody is to get it, or None."""
    async with reading(parts.engine) as reads:
        member = await reads.users.member(invitation.user_id)
    if member is None or not member.user.active or not member.user.email:
        return "the account is banned, deleted or without an address"
    user = member.user
    token = await parts.auth.recovery_token(user.email)
    subject, text, html = compose(user, password_link(parts, token))
    await parts.mailer.send(user.email, subject, text, html)
    return None


def password_link(parts: Components, token: str) -> str:
    """The page of the app that sets a password with this token."""
    query = urlencode({"token_hash": token, "type": "recovery"})
    return f"{parts.settings.app_url.rstrip('/')}/reset-password?{query}"


def compose(user: User, link: str) -> tuple[str, str, str]:
    """Subject, text and HTML of the mail."""
    values = {"name": greeting_name(user.name), "app_url": link, "topic": None, "unsubscribe_url": None}
    return render("invitation", language_of(user.language), values | {"address": user.email})
