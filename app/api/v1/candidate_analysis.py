"""What candidates learn from their own results."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.api.deps import CurrentUser, Now, Parts, ReadsWithLag
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import NotFound, NotGradedYet
from app.schemas.analytics.overview import OverviewOut
from app.schemas.analytics.test_analysis import TestAnalysisOut
from app.services.analytics.overview import overview
from app.services.analytics.test_analysis import analyze

router = PrefixRouter(prefix="/analytics", tags=["analytics"])


@router.get("/overview")
async def read_overview(user: CurrentUser, reads: ReadsWithLag, parts: Parts, now: Now) -> OverviewOut:
    """What your results say altogether: of your graded attempts that are not void and not withheld.

    An estimate has its 90 % interval (`low`, `high`) and `n`. With too little behind it, its value is null
    and `reason` says what is missing.
    """
    return OverviewOut.of_overview(await overview(reads, parts, user, now))


@router.get("/test/{test_id}", responses=problems(NotFound, NotGradedYet))
async def read_test_analysis(
    test_id: UUID,
    user: CurrentUser,
    reads: ReadsWithLag,
    parts: Parts,
    attempt_id: Annotated[UUID | None, Query(description="Default: the latest that is not void")] = None,
) -> TestAnalysisOut:
    """The analysis of one of your attempts at a test, in an exam or outside.

    It can be read when the result of the attempt can (409 `not_graded_yet` before).
    """
    return TestAnalysisOut.of(await analyze(reads, parts, user, test_id, attempt_id))
