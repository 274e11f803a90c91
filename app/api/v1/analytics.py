"""What candidates learn from their own results."""

from fastapi import APIRouter

from app.api.deps import CurrentUser, Now, Parts, Reads
from app.api.routing import PermissionFirstRoute
from app.schemas.analytics.overview import OverviewOut
from app.services.analytics.overview import overview

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=PermissionFirstRoute)


@router.get("/overview")
async def read_overview(user: CurrentUser, reads: Reads, parts: Parts, now: Now) -> OverviewOut:
    """What your results say altogether: of your graded attempts that are not void and not withheld.

    An estimate has its 90 % interval (`low`, `high`) and `n`. With too little behind it, its value is null
    and `reason` says what is missing.
    """
    return OverviewOut.of_overview(await overview(reads, parts, user, now))
