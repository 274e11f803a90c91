"""Official results over HTTP: release, results of candidates, merit list, export."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Query, Request, Response

from app.api.deps import (
    CurrentAuthor,
    CurrentProctor,
    CurrentUser,
    Now,
    Paging,
    Parts,
    Reads,
    Uow,
    personal_turn,
)
from app.api.pdf_files import PDF_CONTENT, Language, pdf_response
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.sheet_files import JSON_LINES, SHEET_CONTENT, lines_response, sheet_response
from app.core.errors import (
    Forbidden,
    Invalid,
    NotFound,
    NotPossible,
    ResultsNotReleased,
    TooComplex,
    Unavailable,
)
from app.core.release_errors import AttemptsInProgress, PapersNotOver
from app.schemas.common import PageOut
from app.schemas.exams.exams import ExamResultOut
from app.schemas.exams.merit import MeritRowOut
from app.schemas.exams.staff_actions import ReleasedOut, ReleaseDryRunOut, ReleaseIn
from app.services import exams, result_documents
from app.services.unit_of_work import reading
from app.sheets.writers import SheetFormat

router = PrefixRouter(prefix="/exams/{exam_id}", tags=["exams"])


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
        200: {
            "content": SHEET_CONTENT | PDF_CONTENT,
            "description": "A page of the list, or the whole list as a sheet or a PDF",
        },
        **problems(NotFound, ResultsNotReleased, NotPossible, Invalid, TooComplex, Unavailable),
    },
)
async def get_merit_list(
    exam_id: UUID,
    staff: CurrentProctor,
    request: Request,
    parts: Parts,
    paging: Paging,
    now: Now,
    format: Annotated[  # noqa: A002 -- the name of the API's parameter
        Literal["json", "csv", "xlsx", "pdf"],
        Query(description="A page as JSON, or the whole list as a sheet or a PDF"),
    ] = "json",
    include: Annotated[
        Literal["ranked", "all"],
        Query(description="The ranked candidates, or everybody who is registered, with the outcome"),
    ] = "ranked",
    language: Language = "both",
    version: Annotated[
        int | None, Query(ge=1, description="An older version of the results; without it, the current one")
    ] = None,
) -> PageOut[MeritRowOut] | Response:
    """The candidates with their marks by paper, best first. Equal ranks are ordered by roll number.

    `include=all` appends those without a rank, by roll number: not qualified, incomplete, absent, void,
    disqualified, or staff. `format=csv` or `xlsx` returns the whole list as a sheet: UTF-8 with a byte order
    mark, and no cell that a spreadsheet would execute. Excel drops leading zeros of roll numbers in CSV, so
    use XLSX for these. `format=pdf` returns it for print and the notice board, in `language`, with up to
    15,000 candidates (422 `too_complex` for more). `version` shows an older release.
    """
    everybody = include == "all"
    # Separate transactions: typesetting is slow, and other requests need the connection in the meantime.
    async with personal_turn(request, parts), reading(parts.engine) as reads:
        if format == "json":
            page = await exams.merit_list(reads, staff, exam_id, paging, everybody=everybody, version=version)
        elif format == "pdf":
            document = await result_documents.merit_document(
                reads, staff, exam_id, language, now, everybody=everybody, version=version
            )
        else:
            wanted = SheetFormat(format)
            file = await exams.merit_sheet(
                reads, staff, exam_id, wanted, everybody=everybody, version=version
            )
            return sheet_response(file, "merit-list", wanted)
    if format == "pdf":
        return await pdf_response(request, parts, document, staff, now)
    return PageOut(items=[MeritRowOut.of(row) for row in page.items], next_cursor=page.next_cursor)


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {
            "content": {JSON_LINES: {"schema": {"type": "string"}}},
            "description": "JSON lines: the exam, and then each candidate",
        },
        **problems(NotFound, Forbidden, ResultsNotReleased),
    },
)
async def export_exam(exam_id: UUID, author: CurrentAuthor, request: Request, parts: Parts) -> Response:
    """Marks, keys, answers and results of a released exam, from which anybody can compute the results again.

    For who made the exam, and admins. The first line is the exam, each further one a candidate by roll
    number; names are left out. All lines are of one version of the results. Each export is in the audit log.
    """
    async with personal_turn(request, parts), reading(parts.engine) as reads:
        return lines_response(await exams.export(reads, parts, author, exam_id), "exam")
