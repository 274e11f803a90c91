"""Official results over HTTP: release, results of candidates, merit list."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from app.api.deps import (
    CurrentAuthor,
    CurrentProctor,
    CurrentUser,
    Now,
    Paging,
    Parts,
    Reads,
    Uow,
)
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.api.sheet_files import SHEET_CONTENT, sheet_answer
from app.core.errors import Invalid, NotFound, NotPossible, ResultsNotReleased
from app.core.release_errors import AttemptsInProgress, PapersNotOver
from app.schemas.common import PageOut
from app.schemas.exams.exams import ExamResultOut
from app.schemas.exams.merit import MeritRowOut
from app.schemas.exams.orders import ReleasedOut, ReleaseDryRunOut, ReleaseIn
from app.services import exams
from app.sheets.writers import SheetFormat

router = APIRouter(prefix="/exams/{exam_id}", tags=["exams"], route_class=PermissionFirstRoute)


@router.post(
    "/release-results", responses=problems(NotFound, PapersNotOver, AttemptsInProgress, NotPossible, Invalid)
)
async def release_results(
    exam_id: UUID,
    author: CurrentAuthor,
    uow: Uow,
    parts: Parts,
    now: Now,
    body: Annotated[ReleaseIn | None, Body()] = None,
) -> ReleasedOut | ReleaseDryRunOut:
    """Release the results.

    Entry closes, candidates are ranked and notified, and the papers become practice tests. This cannot be
    undone: try it with `dry_run: true` first. The response is 409 `papers_not_over` while the window of a
    paper has not ended, unless `early` is true and a reason is given, and 409 `attempts_in_progress` while
    attempts are running. Idempotent. Only the exam's author and admins may do this.
    """
    wanted = body or ReleaseIn()
    if wanted.dry_run:
        seen = await exams.preview_release(uow, parts, author, exam_id, now, wanted.reason)
        return ReleaseDryRunOut.model_validate(seen)
    released = await exams.release(uow, parts, author, exam_id, now, wanted.reason)
    return ReleasedOut.of_release(released, await exams.view(uow, author, released.exam, now))


@router.get("/results", responses=problems(NotFound, ResultsNotReleased))
async def get_exam_results(exam_id: UUID, user: CurrentUser, reads: Reads) -> ExamResultOut:
    """Your official result over all papers. `GET /tests/{id}/results` has the result by question."""
    return ExamResultOut.of(await exams.result(reads, user, exam_id))


@router.get(
    "/merit-list",
    response_model=PageOut[MeritRowOut],
    responses={
        200: {"content": SHEET_CONTENT, "description": "A page of the list, or the whole list as a sheet"},
        **problems(NotFound, ResultsNotReleased, Invalid),
    },
)
async def get_merit_list(
    exam_id: UUID,
    staff: CurrentProctor,
    reads: Reads,
    paging: Paging,
    format: Annotated[  # noqa: A002 -- the name of the API's parameter
        Literal["json", "csv", "xlsx"], Query(description="A page as JSON, or the whole list as a sheet")
    ] = "json",
    include: Annotated[
        Literal["ranked", "all"],
        Query(description="The ranked candidates, or everybody who is registered, with the outcome"),
    ] = "ranked",
) -> PageOut[MeritRowOut] | Response:
    """The candidates with their marks by paper, best first. Equal ranks are ordered by roll number.

    `include=all` appends those without a rank, by roll number: not qualified, incomplete, absent, void,
    disqualified, or staff. `format=csv` or `xlsx` returns the whole list as a sheet: UTF-8 with a byte order
    mark, and no cell that a spreadsheet would execute. Excel drops leading zeros of roll numbers in CSV, so
    use XLSX for these.
    """
    everybody = include == "all"
    if format != "json":
        wanted = SheetFormat(format)
        file = await exams.merit_sheet(reads, staff, exam_id, wanted, everybody=everybody)
        return sheet_answer(file, "merit-list", wanted)
    page = await exams.merit_list(reads, staff, exam_id, paging, everybody=everybody)
    return PageOut(items=[MeritRowOut.of(row) for row in page.items], next_cursor=page.next_cursor)
