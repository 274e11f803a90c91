"""The purge of deleted accounts after their legal hold, in two steps which a worker repeats if they fail.

First the account is deleted at the auth server. A day later, when no access token is valid any more, files
and rows follow. Each step may be repeated, also after a crash in the middle of it.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from app.core.ids import uuid7
from app.core.supabase_errors import UserNotFound
from app.models import PSEUDONYM, AccountDeletion
from app.services import account_exports, audit, avatars
from app.services.account_deletion.deleting import hold_of
from app.services.account_deletion.rules import PURGED_AFTER, Step, next_step
from app.services.audit import AuditSubject
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.services.users import operator

log = structlog.get_logger(__name__)

BATCH = 20
LEASE = timedelta(minutes=10)
"""After a failure, such as an auth server that is down, the account is tried again when the lease ends."""


async def purge_due(parts: Components) -> int:
    """Take the next step for one batch of accounts. Returns how many were leased."""
    async with unit_of_work(parts.engine) as uow:
        leased = await uow.deletions.lease_due(parts.clock.now(), LEASE, BATCH)
    for user_id in leased:
        try:
            await _take_step(parts, user_id)
        except Exception:
            log.warning("account_not_purged", user_id=str(user_id), exc_info=True)
    return len(leased)


async def _take_step(parts: Components, user_id: UUID) -> None:
    match await _begin(parts, user_id):
        case Step.AUTH_SERVER:
            await _delete_at_auth_server(parts, user_id)
        case Step.ROWS:
            await _delete_files(parts, user_id)
            await _delete_rows(parts, user_id)


async def _begin(parts: Components, user_id: UUID) -> Step | None:
    """The step that is due. Without one the account waits, because it was restored or the hold is longer now.

    From the first step on the account cannot be restored.
    """
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        await uow.users.lock(user_id)
        deletion = await uow.deletions.find(user_id)
        if deletion is None:
            return None
        step, due_at = _next_step(parts, deletion)
        if due_at > now:
            deletion.due_at = due_at
            return None
        deletion.purging_since = deletion.purging_since or now
        return step


def _next_step(parts: Components, deletion: AccountDeletion) -> tuple[Step, datetime]:
    return next_step(deletion.requested_at, deletion.auth_deleted_at, hold_of(parts.settings))


async def _delete_at_auth_server(parts: Components, user_id: UUID) -> None:
    try:
        await parts.auth.admin_delete(user_id)
    except UserNotFound:
        log.info("account_not_at_auth_server", user_id=str(user_id))
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        await uow.users.lock(user_id)
        if deletion := await uow.deletions.find(user_id):
            deletion.auth_deleted_at = deletion.auth_deleted_at or now
            deletion.due_at = _next_step(parts, deletion)[1]


async def _delete_files(parts: Components, user_id: UUID) -> None:
    """Delete the avatar, the files of exports, and old messages to the person in Redis."""
    await avatars.delete_file(parts, user_id)
    await account_exports.delete_files(parts, user_id)
    await parts.stream.trim(parts.clock.now() - PURGED_AFTER)


async def _delete_rows(parts: Components, user_id: UUID) -> None:
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        if await uow.purges.purge(user_id, uuid7(now), PSEUDONYM, now):
            audit.record(uow, operator(), "purge", AuditSubject("user", user_id))
