"""The attempts at a test, for its staff."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.api.deps import CurrentBankReader, Now, Paging, Parts, Reads, ReadsWithLag
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, NotFound, NotPossible
from app.models import AttemptStatus
from app.repositories.analytics.candidates import CandidateFilter
from app.schemas.analytics.candidates import CandidateAttemptOut, CandidateSheetOut
from app.schemas.common import PageOut
from app.services.analytics import candidates

router = PrefixRouter(prefix="/tests", tags=["tests"])


@router.get("/{test_id}/attempts", responses=problems(Forbidden, NotFound))
async def list_test_attempts(
    test_id: UUID,
    staff: CurrentBankReader,
    reads: ReadsWithLag,
    paging: Paging,
    query: Annotated[
        str | None, Query(max_length=200, description="Part of the name, or the beginning of the roll number")
    ] = None,
    status: Annotated[list[AttemptStatus] | None, Query(max_length=10, description="Any of these")] = None,
) -> PageOut[CandidateAttemptOut]:
    """The attempts at a test, in exams and outside, newest first: for its author, evaluators and admins.

    The list includes practice and void attempts, and attempts of staff.
    """
    wanted = CandidateFilter(status or (), query)
    page = await candidates.candidates(reads, staff, test_id, wanted, paging)
    return PageOut(
        items=[CandidateAttemptOut.of(listed) for listed in page.items], next_cursor=page.next_cursor
    )


@router.get(
    "/{test_id}/attempts/{attempt_id}/response-sheet", responses=problems(Forbidden, NotFound, NotPossible)
)
async def get_response_sheet(
    test_id: UUID, attempt_id: UUID, staff: CurrentBankReader, reads: Reads, parts: Parts, now: Now
) -> CandidateSheetOut:
    """What a candidate answered to each question, for the author of the test, evaluators and admins.

    The sheet can be read once the attempt has ended and, in an exam, all papers are over (409 before). That
    of an attempt in an exam is not for evaluators (403), and the reading is in the audit log. The texts are
    in the paper of the attempt's `paper_version`.
    """
    return CandidateSheetOut.of(
        await candidates.response_sheet(reads, parts, staff, test_id, attempt_id, now)
    )
