"""Accounts as administrators and operators see them: made, given roles, banned."""

from contextlib import suppress
from uuid import UUID

from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.names import LONGEST_NAME, checked_field, email_address, person_name
from app.core.passwords import check_password
from app.core.supabase_auth import UserNotFound
from app.models import Role
from app.repositories.base import Page, PageRequest
from app.repositories.users import Member
from app.services import audit
from app.services.audit import Subject
from app.services.auth import auth_errors
from app.services.auth.revocations import SIGNED_OUT_FOR, end_tokens
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import OPERATOR_ID, Principal, ensure_profile, operator


async def page(reads: Reading, query: str | None, role: str | None, request: PageRequest) -> Page[Member]:
    """People by part of their name or address, and by role."""
    return await reads.users.page(query, role, request)


async def set_role(uow: UnitOfWork, admin: Principal, user_id: UUID, role: Role) -> Member:
    """Change what somebody may do; it holds with their next request. Nobody demotes themselves.

    Raises Forbidden for who is no admin any more, and Conflict where no admin would be left.
    """
    if user_id == admin.id and role is not Role.ADMIN:
        raise Conflict("Another administrator must do this: you would lock yourself out.")
    await _to_change(uow, admin, user_id, keeps_admin=role is Role.ADMIN)
    before = (await _member(uow, user_id)).role
    await uow.users.set_role(user_id, role)
    audit.record(uow, admin, "change_role", Subject("user", user_id), before=before, after=role)
    return await _member(uow, user_id)


async def set_active(
    uow: UnitOfWork, parts: Components, admin: Principal, user_id: UUID, *, active: bool
) -> Member:
    """Ban somebody, which ends every session for good, or let them in again. Nobody bans themselves.

    Raises Forbidden for who is no admin any more, and Conflict where no admin would be left.
    """
    if user_id == admin.id and not active:
        raise Conflict("Another administrator must do this: you would lock yourself out.")
    await _to_change(uow, admin, user_id, keeps_admin=active)
    # Without an account at the auth server nobody can sign in; tokens that are out are refused all the same.
    async with auth_errors():
        with suppress(UserNotFound):
            await parts.auth.admin_ban(user_id, banned=not active)
    await uow.users.change(user_id, {"active": active})
    audit.record(uow, admin, "change_status", Subject("user", user_id), active=active)
    if not active:
        # The auth server keeps the sessions of a banned account, and refreshes them once the ban is lifted.
        await end_tokens(uow, parts, user_id, remember_for=SIGNED_OUT_FOR)
    return await _member(uow, user_id)


async def sign_out(uow: UnitOfWork, parts: Components, admin: Principal, user_id: UUID) -> None:
    """End every session of somebody at once; they may sign in again. Attempts under way go on."""
    await _member(uow, user_id)
    audit.record(uow, admin, "sign_out", Subject("user", user_id))
    await end_tokens(uow, parts, user_id, remember_for=SIGNED_OUT_FOR)


async def create(
    uow: UnitOfWork, parts: Components, email: str, password: str, name: str, role: Role
) -> Member:
    """An operator's way to make an account with a role, its address confirmed. Raises EmailTaken."""
    email = _checked_email(email)
    name = checked_field("name", name, LONGEST_NAME) if name else person_name(None, email)
    check_password(password, email=email, name=name)
    async with auth_errors():
        user = await parts.auth.admin_create(email, password=password, name=name)
    await ensure_profile(uow, user.id, user.email, name)
    await uow.users.set_role(user.id, role)
    audit.record(uow, operator(), "create", Subject("user", user.id), role=role)
    return await _member(uow, user.id)


async def _to_change(uow: UnitOfWork, admin: Principal, user_id: UUID, *, keeps_admin: bool) -> None:
    """Hold the roles, and look again: two admins who demote each other must not both succeed."""
    await uow.users.lock_roles(user_id)
    if admin.id != OPERATOR_ID:
        actor = await _member(uow, admin.id)
        if not actor.user.active or actor.role != Role.ADMIN:
            raise Forbidden("You are no administrator any more.")
    member = await _member(uow, user_id)
    if member.role == Role.ADMIN and not keeps_admin and not await uow.users.has_other_admin(user_id):
        raise Conflict("This is the only administrator. Make another one first.")


async def promote(uow: UnitOfWork, user_id: UUID, role: Role) -> Member:
    """An operator's way to give a role to an account that is there."""
    before = (await _member(uow, user_id)).role
    await uow.users.set_role(user_id, role)
    audit.record(uow, operator(), "change_role", Subject("user", user_id), before=before, after=role)
    return await _member(uow, user_id)


def _checked_email(email: str) -> str:
    try:
        return email_address(email)
    except ValueError as error:
        raise Invalid.field("email", str(error)) from error


async def _member(reads: Reading, user_id: UUID) -> Member:
    member = await reads.users.member(user_id)
    if member is None:
        raise NotFound("account")
    return member
