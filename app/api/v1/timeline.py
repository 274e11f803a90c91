"""The timeline of an attempt over HTTP, for staff."""

from uuid import UUID

from app.api.deps import CurrentStaff, Now, Paging, Parts, ReadsWithLag
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid, NotFound, NotPossible
from app.schemas.common import PageOut
from app.schemas.timeline import TimelineEventOut
from app.services import proof

router = PrefixRouter(prefix="/attempts", tags=["response sheets"])


@router.get("/{attempt_id}/timeline", responses=problems(Forbidden, NotFound, NotPossible, Invalid))
async def get_timeline(
    attempt_id: UUID, staff: CurrentStaff, reads: ReadsWithLag, parts: Parts, now: Now, paging: Paging
) -> PageOut[TimelineEventOut]:
    """What happened in an attempt, in order: starts, each response that arrived, what staff did, the end.

    For an attempt in an exam: proctors, authors and admins, after all papers are over; the reading is in the
    audit log. For an attempt at a test: its author, evaluators and admins, once the attempt has ended. 409
    before. It has no key and no marks.
    """
    page = await proof.timeline(reads, parts, staff, attempt_id, now, paging)
    return PageOut(items=[TimelineEventOut.of(event) for event in page.items], next_cursor=page.next_cursor)
