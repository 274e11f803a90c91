"""Statistics of tests: the item analysis, the summary, and their refresh, for the staff of a test."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, status

from app.api.deps import CurrentBankReader, Now, Parts, ReadsWithLag, Uow, takes_nothing
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, NotFound
from app.schemas.analytics.item_analysis import ItemAnalysisOut
from app.schemas.analytics.test_statistics import (
    Division,
    PaperStatisticsOut,
    RefreshOut,
    TestSummaryOut,
)
from app.services.analytics import test_statistics

router = PrefixRouter(prefix="/analytics/tests", tags=["analytics"])

By = Annotated[
    Division | None,
    Query(description="Also by language of the answers (those of at least 20 attempts), or by section"),
]


@router.get("/{test_id}/summary", responses=problems(Forbidden, NotFound))
async def get_test_summary(
    test_id: UUID, staff: CurrentBankReader, reads: ReadsWithLag, parts: Parts, by: By = None
) -> TestSummaryOut:
    """The statistics of a test: for its author, evaluators and admins.

    Each version of the paper, and each exam, has its own. They are of the first official attempts of
    candidates, also on paper, and are computed in the background: `rests_on` says when, from how many
    attempts and by which version of the key. A paper with a question whose key is withheld from you is left
    out.
    """
    found = await test_statistics.summary(reads, parts, staff, test_id)
    papers = [PaperStatisticsOut.of(analyzed, by) for analyzed in found]
    return TestSummaryOut(test_id=test_id, papers=papers)


@router.get("/{test_id}/items", responses=problems(Forbidden, NotFound))
async def get_item_analysis(
    test_id: UUID,
    staff: CurrentBankReader,
    reads: ReadsWithLag,
    parts: Parts,
    by: By = None,
    paper_version: Annotated[
        int | None, Query(ge=1, le=100_000, description="A version of the test; by default the newest")
    ] = None,
    exam_paper_id: Annotated[
        UUID | None, Query(description="A paper of an exam, for those who took the test there")
    ] = None,
) -> ItemAnalysisOut:
    """The item analysis of a test, question by question: for its author, evaluators and admins.

    A flag says in words what is unusual about a question, and names all papers that hold it, so that a wrong
    key can be corrected in each of them. Reading right options under embargo is recorded in the audit log.
    """
    found = await test_statistics.items(
        reads, parts, staff, test_id, paper_version=paper_version, exam_paper_id=exam_paper_id
    )
    return ItemAnalysisOut.of(test_id, found, by)


@router.post(
    "/{test_id}/refresh",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(takes_nothing)],
    responses=problems(Forbidden, NotFound),
)
async def refresh_test_statistics(test_id: UUID, staff: CurrentBankReader, uow: Uow, now: Now) -> RefreshOut:
    """Compute the statistics of a test again, in the background. As long as that waits or runs, this returns
    the same job.
    """
    return RefreshOut.of(await test_statistics.request_refresh(uow, staff, test_id, now))
