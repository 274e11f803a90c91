"""Profiles, progress, and the management of accounts."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from app.api.deps import CurrentAdmin, CurrentUser, Now, Paging, Parts, Reads, Uow, takes_nothing
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Conflict, Invalid, NotFound
from app.models import AttemptStatus, Role
from app.repositories.analytics.progress import AttemptFilter
from app.schemas.analytics.progress import MyAttemptOut, ProgressOut
from app.schemas.common import PageOut
from app.schemas.users import MemberOut, ProfileIn, ProfileOut, RoleIn, StatusIn
from app.services import accounts, users
from app.services.analytics import progress
from app.services.users import ProfileUpdate

router = PrefixRouter(prefix="/users", tags=["users"])

NEVER_NULL = ("name", "category", "language", "timezone", "preferences")


@router.get("/profile")
async def profile(user: CurrentUser, reads: Reads) -> ProfileOut:
    """Your own profile."""
    return ProfileOut.model_validate(await users.profile(reads, user))


@router.put("/profile")
async def change_profile(body: ProfileIn, user: CurrentUser, uow: Uow, now: Now) -> ProfileOut:
    """Change your profile. Fields that are left out do not change; `null` clears optional fields."""
    changes = body.model_dump(exclude_unset=True, mode="json")
    for name in NEVER_NULL:
        if name in changes and changes[name] is None:
            raise Invalid.field(name, "This field cannot be empty. Leave it out to keep its value.")
    return ProfileOut.model_validate(await users.change_profile(uow, user, ProfileUpdate(**changes), now))


@router.get("/attempts", responses=problems(Invalid))
async def list_my_attempts(
    user: CurrentUser,
    reads: Reads,
    paging: Paging,
    test_id: Annotated[UUID | None, Query(description="Attempts at this test")] = None,
    status: Annotated[list[AttemptStatus] | None, Query(max_length=10, description="Any of these")] = None,
) -> PageOut[MyAttemptOut]:
    """Your attempts, newest first, including void ones.

    Rank and percentile are in the result of each attempt.
    """
    page = await progress.attempts(reads, user, AttemptFilter(test_id, status or ()), paging)
    return PageOut(items=[MyAttemptOut.of(listed) for listed in page.items], next_cursor=page.next_cursor)


@router.get("/progress")
async def read_progress(user: CurrentUser, reads: Reads, now: Now) -> ProgressOut:
    """Your progress, in total and by subject.

    All graded attempts count that are not void, including practice. Tests under embargo are left out until
    the exam is released. A question that you answered in several attempts counts once, by its latest marked
    answer; its time is the sum over all attempts.

    Tests without a subject, such as full mocks, count in the total only. Their questions count under the
    questions' own subjects.

    `streak_days` is the number of consecutive days, in the time zone of your profile, on which you started an
    attempt, saved an answer or submitted. The streak ends today, or yesterday if there is no activity today
    yet. `last_activity_at` is the time of the latest such activity. Both include attempts that do not count
    yet, but no void ones.
    """
    return ProgressOut.of(await progress.overall(reads, user, now))


@router.get("")
async def list_users(
    _admin: CurrentAdmin,
    reads: Reads,
    paging: Paging,
    now: Now,
    query: Annotated[str | None, Query(max_length=200, description="Part of the name or address")] = None,
    role: Annotated[Role | None, Query(description="Only users of this role")] = None,
) -> PageOut[MemberOut]:
    """Users of the institute, with role, status and enrolment."""
    page = await accounts.page(reads, query, role, paging)
    return PageOut(items=[MemberOut.of(member, now) for member in page.items], next_cursor=page.next_cursor)


@router.put("/{user_id}/role", responses=problems(Conflict))
async def change_role(user_id: UUID, body: RoleIn, admin: CurrentAdmin, uow: Uow, now: Now) -> MemberOut:
    """Change a user's role. It takes effect with the user's next request.

    An attempt of a user who is staff when it is graded, or was since its start, is practice.
    """
    return MemberOut.of(await accounts.set_role(uow, admin, user_id, body.role, now), now)


@router.put("/{user_id}/status", responses=problems(Conflict))
async def change_status(
    user_id: UUID, body: StatusIn, admin: CurrentAdmin, parts: Parts, now: Now
) -> MemberOut:
    """Ban a user, which ends all sessions at once, or lift the ban.

    If the auth server does not answer, the response is 503. The change is stored; send the request again to
    complete it.
    """
    return MemberOut.of(await accounts.set_active(parts, admin, user_id, active=body.active), now)


@router.post(
    "/{user_id}/sign-out",
    status_code=204,
    dependencies=[Depends(takes_nothing)],
    responses=problems(NotFound),
)
async def sign_out(user_id: UUID, admin: CurrentAdmin, parts: Parts) -> None:
    """End every session of a user at once. The user may sign in again, and running attempts continue."""
    await accounts.sign_out(parts, admin, user_id)
