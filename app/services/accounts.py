"""Management of accounts by administrators and operators: creation, roles, bans.

`users.active` decides whether a user is banned. The auth server is informed afterwards, outside the
transaction and its locks.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.names import MAX_NAME_LENGTH, checked_field, email_address, person_name
from app.core.passwords import check_password
from app.core.supabase_errors import UserNotFound
from app.models import Revocation, Role
from app.repositories.base import Page, PageRequest
from app.repositories.users import Member
from app.services import audit
from app.services.audit import AuditSubject
from app.services.auth import auth_errors
from app.services.auth.revocations import SIGNED_OUT_FOR, end_tokens, enforce
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, reading, unit_of_work
from app.services.users import OPERATOR_ID, Account, Principal, ensure_profile, operator


async def page(reads: Reading, query: str | None, role: str | None, request: PageRequest) -> Page[Member]:
    """Users, filtered by part of their name or address and by role."""
    return await reads.users.page(query, role, request)


async def set_role(uow: UnitOfWork, admin: Principal, user_id: UUID, role: Role, now: datetime) -> Member:
    """Change a user's role, effective with the next request. Admins cannot demote themselves.

    Raises Forbidden if the actor is no longer an admin, and Conflict if no admin would be left.
    """
    if user_id == admin.id and role is not Role.ADMIN:
        raise Conflict("Another administrator must do this: you would lock yourself out.")
    await _lock_and_check(uow, admin, user_id, keeps_admin=role is Role.ADMIN)
    before = (await _member(uow, user_id)).role
    await uow.users.set_role(user_id, role, now)
    audit.record(uow, admin, "change_role", AuditSubject("user", user_id), before=before, after=role)
    return await _member(uow, user_id)


async def set_active(parts: Components, admin: Principal, user_id: UUID, *, active: bool) -> Member:
    """Ban a user, which ends every session for good, or lift the ban. Admins cannot ban themselves.

    The change commits first, and a ban is enforced here whatever the auth server answers. If the auth server
    does not answer, this raises Unavailable. The change is stored nevertheless, and repeating the request
    informs the auth server again. Until then the user cannot sign in, even if the ban was lifted.
    """
    async with unit_of_work(parts.engine) as uow:
        member, revocation = await change_active(uow, admin, user_id, parts.clock.now(), active=active)
    if revocation is not None:
        await enforce(parts, revocation)
    await inform_auth_server(parts, user_id)
    return member


async def change_active(
    uow: UnitOfWork, admin: Principal, user_id: UUID, now: datetime, *, active: bool
) -> tuple[Member, Revocation | None]:
    """Store a ban together with the revocation of the user's tokens, or lift the ban.

    Raises Forbidden if the actor is no longer an admin, and Conflict if no admin would be left.
    """
    if user_id == admin.id and not active:
        raise Conflict("Another administrator must do this: you would lock yourself out.")
    await _lock_and_check(uow, admin, user_id, keeps_admin=active)
    await uow.users.change(user_id, {"active": active})
    audit.record(uow, admin, "change_status", AuditSubject("user", user_id), active=active)
    # The auth server keeps the sessions of a banned account, and refreshes them after the ban is lifted.
    revocation = None if active else await end_tokens(uow, user_id, now, remember_for=SIGNED_OUT_FOR)
    return await _member(uow, user_id), revocation


async def inform_auth_server(parts: Components, user_id: UUID) -> None:
    """Tell the auth server whether the user may sign in, and repeat until that equals the current row.

    No lock is held, so another admin may change the row in the meantime.
    """
    sent: bool | None = None
    while (active := await _is_active(parts, user_id)) != sent:
        async with auth_errors():
            try:
                await parts.auth.admin_ban(user_id, banned=not active)
            except UserNotFound:
                return  # A user without an account at the auth server cannot sign in.
        sent = active


async def _is_active(parts: Components, user_id: UUID) -> bool:
    async with reading(parts.engine) as reads:
        return await reads.users.is_active(user_id)


async def sign_out(parts: Components, admin: Principal, user_id: UUID) -> None:
    """End every session of a user at once. The user may sign in again, and running attempts continue."""
    async with unit_of_work(parts.engine) as uow:
        await _member(uow, user_id)
        audit.record(uow, admin, "sign_out", AuditSubject("user", user_id))
        now = parts.clock.now()
        revocation = await end_tokens(uow, user_id, now, remember_for=SIGNED_OUT_FOR)
    await enforce(parts, revocation)


async def create(
    uow: UnitOfWork, parts: Components, email: str, password: str, name: str, role: Role
) -> Member:
    """Create an account with a role and a confirmed address, for operators. Raises EmailTaken."""
    email = _checked_email(email)
    name = checked_field("name", name, MAX_NAME_LENGTH) if name else person_name(None, email)
    check_password(password, email=email, name=name)
    async with auth_errors():
        user = await parts.auth.admin_create(email, password=password, name=name)
    await ensure_profile(uow, Account(user.id, user.email, name, user.created_at.replace(microsecond=0)))
    await uow.users.set_role(user.id, role, parts.clock.now())
    audit.record(uow, operator(), "create", AuditSubject("user", user.id), role=role)
    return await _member(uow, user.id)


async def _lock_and_check(uow: UnitOfWork, admin: Principal, user_id: UUID, *, keeps_admin: bool) -> None:
    """Lock the roles, then check them. If two admins demote each other, only the first succeeds."""
    await uow.users.lock_roles(user_id)
    if admin.id != OPERATOR_ID:
        actor = await _member(uow, admin.id)
        if not actor.user.active or actor.role != Role.ADMIN:
            raise Forbidden("You are no longer an administrator.")
    member = await _member(uow, user_id)
    if member.role == Role.ADMIN and not keeps_admin and not await uow.users.has_other_admin(user_id):
        raise Conflict("This is the only administrator. Make another one first.")


async def promote(uow: UnitOfWork, user_id: UUID, role: Role, now: datetime) -> Member:
    """Give a role to an existing account, for operators. Raises Conflict if no admin would be left."""
    return await set_role(uow, operator(), user_id, role, now)


async def staff(reads: Reading) -> Sequence[Member]:
    """The accounts of staff, for operators."""
    return await reads.users.staff()


async def reset_password(parts: Components, email: str) -> str:
    """End every session of an account, and return a one-time token to set its password, for operators.

    The password of before works until the token is used. Raises NotFound, and Conflict for an account that
    cannot be used.
    """
    address = _checked_email(email)
    async with unit_of_work(parts.engine) as uow:
        found = await uow.rosters.members([address], [])
        if not found:
            raise NotFound("account")
        if len(found) > 1:
            raise Conflict("Several accounts have this address.")
        user = found[0].user
        if not user.active:
            raise Conflict("The account is banned or deleted. Lift the ban first.")
        async with auth_errors():
            token = await parts.auth.recovery_token(address)
        audit.record(uow, operator(), "reset_password", AuditSubject("user", user.id))
        now = parts.clock.now()
        revocation = await end_tokens(uow, user.id, now, remember_for=SIGNED_OUT_FOR)
    await enforce(parts, revocation)
    return token


def _checked_email(email: str) -> str:
    try:
        return email_address(email)
    except ValueError as error:
        raise Invalid.field("email", str(error)) from error


async def _member(reads: Reading, user_id: UUID) -> Member:
    member = await reads.users.member(user_id)
    if member is None or member.user.deleted_at is not None:
        raise NotFound("account")
    return member
