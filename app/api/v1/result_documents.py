"""Results of tests as PDF, and the look-up of printed results."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.deps import CurrentStaff, CurrentUser, Now, Parts, Reads
from app.api.pdf_files import A_PDF, Language, pdf_response
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import (
    Forbidden,
    Invalid,
    NotFound,
    NotGradedYet,
    ResultsNotReleased,
    TooComplex,
    Unavailable,
)
from app.schemas.exams.result_documents import FoundResultOut
from app.services import result_documents
from app.services.result_documents import Document
from app.services.unit_of_work import reading

router = PrefixRouter(tags=["results"])


async def _sheet(
    test_id: UUID,
    user: CurrentUser,
    parts: Parts,
    now: Now,
    attempt_id: Annotated[
        UUID | None, Query(description="An attempt of yours; by default the latest")
    ] = None,
    language: Language = "both",
) -> Document:
    # A separate transaction: typesetting is slow, and other requests need the connection in the meantime.
    async with reading(parts.engine) as reads:
        return await result_documents.issue_test_sheet(reads, parts, user, test_id, attempt_id, language, now)


@router.get(
    "/tests/{test_id}/result-sheet",
    response_class=Response,
    responses={**A_PDF, **problems(NotFound, NotGradedYet, Invalid, TooComplex, Unavailable)},
)
async def get_test_result_sheet(
    document: Annotated[Document, Depends(_sheet)],
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
) -> Response:
    """The result of your attempt as PDF: marks and counts by section, rank and percentile as of today.

    It shows what `GET /tests/{id}/results` shows, under the same conditions. For the official result of an
    exam over all papers, see `GET /exams/{id}/result-sheet`.
    """
    return await pdf_response(request, parts, document, user, now)


@router.get("/result-sheets/{document_id}", responses=problems(Forbidden, NotFound, ResultsNotReleased))
async def look_up_result(
    document_id: UUID,
    staff: CurrentStaff,
    reads: Reads,
    parts: Parts,
    version: Annotated[int, Query(ge=1, le=100_000, description="The version on the document")],
    digest: Annotated[
        str, Query(min_length=4, max_length=64, description="The digest on the document, in any case")
    ],
) -> FoundResultOut:
    """Look up a result sheet or a certificate by what is printed on it, to find out whether it is genuine.

    Proctors, authors and admins look up results of exams; the author of a test, evaluators and admins those
    of its attempts. Others get 404. Looking up a result of an exam is in the audit log.
    """
    return FoundResultOut.of(
        await result_documents.look_up(reads, parts, staff, document_id, version, digest)
    )
