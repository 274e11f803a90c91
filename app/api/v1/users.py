"""Profiles, and people as administrators see them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.deps import CurrentAdmin, CurrentUser, Paging, Parts, Reads, Uow
from app.api.problems import problems
from app.core.errors import Conflict, Invalid
from app.models import Role
from app.schemas.common import PageOut
from app.schemas.users import MemberOut, ProfileIn, ProfileOut, RoleIn, StatusIn
from app.services import accounts, users

router = APIRouter(prefix="/users", tags=["users"])

NEVER_NULL = ("name", "category", "language", "timezone", "preferences")


@router.get("/profile")
async def profile(user: CurrentUser, reads: Reads) -> ProfileOut:
    """Your own profile."""
    return ProfileOut.model_validate(await users.profile(reads, user))


@router.put("/profile")
async def change_profile(body: ProfileIn, user: CurrentUser, uow: Uow) -> ProfileOut:
    """Change your profile: fields that you leave out stay, `null` clears what may be empty."""
    changes = body.model_dump(exclude_unset=True, mode="json")
    for name in NEVER_NULL:
        if name in changes and changes[name] is None:
            raise Invalid.field(name, "cannot be empty; leave it out to keep it")
    return ProfileOut.model_validate(await users.change_profile(uow, user, changes))


@router.get("")
async def list_users(
    _admin: CurrentAdmin,
    reads: Reads,
    paging: Paging,
    query: Annotated[str | None, Query(max_length=200, description="Part of the name or address")] = None,
    role: Role | None = None,
) -> PageOut[MemberOut]:
    """People of the institute."""
    page = await accounts.page(reads, query, role, paging)
    return PageOut(items=[MemberOut.of(member) for member in page.items], next_cursor=page.next_cursor)


@router.put("/{user_id}/role", responses=problems(Conflict))
async def change_role(user_id: UUID, body: RoleIn, admin: CurrentAdmin, uow: Uow) -> MemberOut:
    """Change what somebody may do; it holds with their next request."""
    return MemberOut.of(await accounts.set_role(uow, admin, user_id, body.role))


@router.put("/{user_id}/status", responses=problems(Conflict))
async def change_status(
    user_id: UUID, body: StatusIn, admin: CurrentAdmin, uow: Uow, parts: Parts
) -> MemberOut:
    """Ban somebody, which ends their sessions at once, or let them in again."""
    return MemberOut.of(await accounts.set_active(uow, parts, admin, user_id, active=body.active))
