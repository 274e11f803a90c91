"""Enrolments and rosters, managed by admins."""

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import CurrentAdmin, Now, Uow
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core.errors import Invalid, NotFound
from app.schemas.users import EnrolmentIn, MemberOut
from app.services import enrolments

router = APIRouter(prefix="/users", tags=["users"], route_class=PermissionFirstRoute)


@router.put("/{user_id}/enrolment", responses=problems(NotFound, Invalid))
async def change_enrolment(
    user_id: UUID, body: EnrolmentIn, admin: CurrentAdmin, uow: Uow, now: Now
) -> MemberOut:
    """Replace the enrolment of a user. It takes effect with the user's next request.

    Enrolled users see and start the tests whose `access` is `enrolled`, until `valid_until`. The end of an
    enrolment, by this call or by its date, decides about starts only: an attempt in progress goes on, and can
    be resumed, saved, submitted and reviewed. Exams do not ask for an enrolment: their registration decides.
    Batches are names for staff and give no access of their own.

    The change is in the audit log, and the user gets the notification `enrolment_changed` if access begins,
    ends, or has another end. The same request again changes nothing.
    """
    return MemberOut.of(await enrolments.enrol(uow, admin, user_id, body.order(), now), now)
