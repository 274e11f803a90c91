"""Profiles."""

from fastapi import APIRouter

from app.api.deps import CurrentUser, Reads, Uow
from app.core.errors import Invalid
from app.schemas.users import ProfileIn, ProfileOut
from app.services import users

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
