"""Results of exams as PDF: result sheets and certificates of one candidate, and of many as a ZIP file."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from app.api.deps import CurrentProctor, CurrentUser, Now, Parts, Reads, Uow
from app.api.pdf_files import A_PDF, Language, pdf_response
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotPossible,
    ResultsNotReleased,
    TooComplex,
    Unavailable,
)
from app.core.names import MAX_ROLL_NUMBER_LENGTH
from app.schemas.exams.result_documents import ResultFileIn, ResultFileOut
from app.services import result_documents
from app.services.result_documents import Document
from app.services.unit_of_work import reading

router = PrefixRouter(prefix="/exams/{exam_id}", tags=["exams"])

RollNumber = Annotated[
    str | None,
    Query(max_length=MAX_ROLL_NUMBER_LENGTH, description="For staff: the candidate. By default, yourself"),
]
ONE_PDF = {
    **A_PDF,
    **problems(Forbidden, NotFound, ResultsNotReleased, NotPossible, Invalid, TooComplex, Unavailable),
}


# Separate transactions: typesetting is slow, and other requests need the connection in the meantime.
async def _sheet(
    exam_id: UUID,
    user: CurrentUser,
    parts: Parts,
    now: Now,
    roll_number: RollNumber = None,
    language: Language = "both",
) -> Document:
    async with reading(parts.engine) as reads:
        return await result_documents.issue_exam_sheet(reads, user, exam_id, roll_number, language, now)


async def _certificate(
    exam_id: UUID,
    user: CurrentUser,
    parts: Parts,
    now: Now,
    roll_number: RollNumber = None,
    language: Language = "both",
) -> Document:
    async with reading(parts.engine) as reads:
        return await result_documents.issue_certificate(reads, user, exam_id, roll_number, language, now)


@router.get("/result-sheet", response_class=Response, responses=ONE_PDF)
async def get_exam_result_sheet(
    document: Annotated[Document, Depends(_sheet)],
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
) -> Response:
    """Your official result as PDF: marks by paper, total, ranks, percentile and cut-off, with its version.

    Proctors, authors and admins may name a roll number; this is in the audit log. After a revision the sheet
    says the total and rank before the revision. Staff check a printed sheet with
    `GET /v1/result-sheets/{document_id}`, by its id, version and digest.
    """
    return await pdf_response(request, parts, document, user, now)


@router.get("/certificate", response_class=Response, responses=ONE_PDF)
async def get_certificate(
    document: Annotated[Document, Depends(_certificate)],
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
) -> Response:
    """Your certificate as PDF, A4 landscape.

    Who gets one is the setting `certificates` of the exam: `ranked`, `qualified`, `all` who took part, or
    `none`. For others this is 404. Proctors, authors and admins may name a roll number; this is in the audit
    log.
    """
    return await pdf_response(request, parts, document, user, now)


@router.post(
    "/result-sheets",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(NotFound, ResultsNotReleased, NotPossible, Invalid),
)
async def request_result_sheets(
    exam_id: UUID, body: ResultFileIn, staff: CurrentProctor, uow: Uow, now: Now
) -> ResultFileOut:
    """Ask for the result sheets or certificates of many candidates, at most 10,000, as one ZIP file.

    The file is made in the background, from the results that are current now. Ask for its status every few
    seconds. Asking for the same again returns the same file until it is downloaded.
    """
    wanted = body.wanted()
    view = await result_documents.request_file(uow, staff, exam_id, body.kind, body.language, wanted, now)
    return ResultFileOut.of(view)


@router.get("/result-sheets/{file_id}", responses=problems(NotFound, ResultsNotReleased))
async def get_result_file(
    exam_id: UUID, file_id: UUID, staff: CurrentProctor, reads: Reads, now: Now
) -> ResultFileOut:
    """The progress of a file. A file that is downloaded or a week old is 404."""
    return ResultFileOut.of(await result_documents.find_file(reads, staff, exam_id, file_id, now))


@router.get(
    "/result-sheets/{file_id}/file",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {}}, "description": "A ZIP file with a PDF by roll number"},
        **problems(Conflict, NotFound, ResultsNotReleased),
    },
)
async def download_result_file(
    exam_id: UUID, file_id: UUID, staff: CurrentProctor, parts: Parts, now: Now
) -> Response:
    """Download the file once. If the connection breaks, fetch it again within 15 minutes of the first try.

    After that it is deleted, and after a week in any case. 409 while it is being made. Each download is in
    the audit log.
    """
    file = await result_documents.open_file(parts, staff, exam_id, file_id, now)
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Length": str(file.size_bytes),
        "Content-Disposition": f'attachment; filename="{file.name}"',
    }
    return StreamingResponse(file.pieces, media_type="application/zip", headers=headers)
