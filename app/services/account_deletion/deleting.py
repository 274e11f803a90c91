"""Deleting one's own account, which hides it at once, and restoring it during the legal hold."""

from datetime import datetime, timedelta
from uuid import UUID

from app.config import Settings
from app.core.errors import Conflict, NotFound, SessionRevoked
from app.models import PSEUDONYM, AccountDeletion, Revocation, Role
from app.repositories.users import Member
from app.services import attempts, audit
from app.services.account_deletion.rules import next_step
from app.services.audit import AuditSubject
from app.services.auth import prove_password
from app.services.auth.revocations import SIGNED_OUT_FOR, end_tokens, enforce
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal


def hold_of(settings: Settings) -> timedelta:
    """How long a deleted account is kept."""
    return timedelta(days=settings.account_hold_days)


async def delete(
    parts: Components, user: Principal, password: str, client_address: str | None
) -> AccountDeletion:
    """Delete the user's own account. The password is checked before anything is changed."""
    await prove_password(parts, user, password, "password", client_address)
    async with unit_of_work(parts.engine, parts.new_messages) as uow:
        deletion, revocation = await hide(uow, parts, user, parts.clock.now())
    if revocation is not None:
        await enforce(parts, revocation)
    return deletion


async def hide(
    uow: UnitOfWork, parts: Components, user: Principal, now: datetime
) -> tuple[AccountDeletion, Revocation | None]:
    """Hide an account: end sessions and attempts, withdraw from unopened exams, replace the shown name.

    If another request has deleted it meanwhile, that deletion is returned. Raises Conflict for the
    only administrator. Call `enforce` after the commit.
    """
    await _require_other_admin(uow, user.id)
    await uow.deletions.lock_entries(user.id, now)
    if not await uow.users.lock(user.id):
        known = await uow.deletions.find(user.id)
        if known is None:
            raise SessionRevoked  # The user was banned meanwhile.
        return known, None
    revocation = await end_tokens(uow, user.id, now, remember_for=SIGNED_OUT_FOR)
    for registration in await uow.deletions.lock_unopened_registrations(user.id, now):
        await uow.registrations.withdraw(registration, now)
    names = await uow.deletions.rename_registrations(user.id, PSEUDONYM)
    await attempts.end_all(uow, parts, user.id, now)
    await uow.exports.expire(user.id, now)
    deletion = AccountDeletion(
        user_id=user.id,
        requested_at=now,
        due_at=next_step(now, None, hold_of(parts.settings))[1],
        names={str(registration_id): name for registration_id, name in names.items()},
    )
    await uow.deletions.add(deletion)
    audit.record(uow, user, "delete_account", AuditSubject("user", user.id))
    uow.jobs.add("inform_auth_server", user_id=str(user.id))
    return deletion, revocation


async def restore(uow: UnitOfWork, admin: Principal, user_id: UUID) -> Member:
    """Undo the deletion of an account. Sessions stay ended, attempts submitted and exams left.

    An account that is not deleted stays as it is. Raises NotFound, and Conflict once the purge has begun.
    """
    await uow.users.lock(user_id)
    deletion = await uow.deletions.find(user_id)
    if deletion is not None:
        await _restore(uow, deletion)
        audit.record(uow, admin, "restore", AuditSubject("user", user_id))
        uow.jobs.add("inform_auth_server", user_id=str(user_id))
    member = await uow.users.member(user_id)
    if member is None or member.user.deleted_at is not None:
        raise NotFound("account")
    return member


async def _restore(uow: UnitOfWork, deletion: AccountDeletion) -> None:
    if deletion.purging_since is not None:
        raise Conflict("The account is being purged. It cannot be restored any more.")
    await uow.deletions.restore_names(deletion.user_id, deletion.names)
    await uow.deletions.restore(deletion)


async def _require_other_admin(uow: UnitOfWork, user_id: UUID) -> None:
    """Raise Conflict if the user is the only administrator."""
    await uow.users.lock_roles(user_id)
    member = await uow.users.member(user_id)
    is_admin = member is not None and member.role == Role.ADMIN and member.user.active
    if is_admin and not await uow.users.has_other_admin(user_id):
        raise Conflict("You are the only administrator. Make another one first.")
