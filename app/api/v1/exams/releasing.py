"""Official results over HTTP: release, results of candidates, merit list."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from app.api.deps import (
    CurrentAuthor,
    CurrentProctor,
    CurrentUser,
    Now,
    Paging,
    Parts,
    Reads,
    Uow,
    takes_nothing,
)
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core.errors import AttemptsInProgress, NotFound, NotPossible, ResultsNotReleased
from app.schemas.common import PageOut
from app.schemas.exams.exams import ExamResultOut, MeritRowOut
from app.schemas.exams.steering import ReleasedOut
from app.services import exams

router = APIRouter(prefix="/exams/{exam_id}", tags=["exams"], route_class=PermissionFirstRoute)


@router.post(
    "/release-results",
    dependencies=[Depends(takes_nothing)],
    responses=problems(NotFound, AttemptsInProgress, NotPossible),
)
async def release_results(
    exam_id: UUID, author: CurrentAuthor, uow: Uow, parts: Parts, now: Now
) -> ReleasedOut:
    """Release the results.

    Entry closes, candidates are ranked and notified, and the papers become practice tests. The response is
    409 `attempts_in_progress` while attempts are running. Idempotent. Only the exam's author and admins may
    do this.
    """
    return ReleasedOut.of_release(await exams.release(uow, parts, author, exam_id, now))


@router.get("/results", responses=problems(NotFound, ResultsNotReleased))
async def get_exam_results(exam_id: UUID, user: CurrentUser, reads: Reads, now: Now) -> ExamResultOut:
    """Your official result over all papers. `GET /tests/{id}/results` has the result by question."""
    return ExamResultOut.of(await exams.result(reads, user, exam_id, now))


@router.get(
    "/merit-list",
    response_model=PageOut[MeritRowOut],
    responses={
        200: {"content": {"text/csv": {}}, "description": "A page of the list, or the whole list as CSV"},
        **problems(NotFound, ResultsNotReleased),
    },
)
async def get_merit_list(
    exam_id: UUID,
    staff: CurrentProctor,
    reads: Reads,
    paging: Paging,
    format: Literal["json", "csv"] = "json",  # noqa: A002 -- the name of the API's parameter
) -> PageOut[MeritRowOut] | Response:
    """The ranked candidates, best first. `format=csv` returns the whole list as CSV."""
    if format == "csv":
        headers = {"Content-Disposition": 'attachment; filename="merit-list.csv"'}
        content = await exams.merit_csv(reads, staff, exam_id)
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
    page = await exams.merit_list(reads, staff, exam_id, paging)
    return PageOut(items=[MeritRowOut.of(row) for row in page.items], next_cursor=page.next_cursor)
