"""Registrations over HTTP: candidates register and withdraw, staff search, correct and assign."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response, status

from app.api.deps import (
    CurrentProctor,
    CurrentUser,
    Now,
    Paging,
    Parts,
    Reads,
    Uow,
    personal_turn,
    takes_nothing,
)
from app.api.pdf_files import PDF_CONTENT, Language, pdf_response
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import (
    Conflict,
    EntryClosed,
    Forbidden,
    Invalid,
    NotAvailable,
    NotFound,
    NotPossible,
    TooComplex,
    Unavailable,
)
from app.schemas.common import PageOut
from app.schemas.exams.exams import ClaimIn, RegistrationOut
from app.schemas.exams.registrations import CorrectedRegistrationOut, NoShowsOut, RegistrationChangesIn
from app.schemas.exams.response_sheets import CandidateSheetsOut
from app.services import exams, result_documents
from app.services.unit_of_work import reading

router = PrefixRouter(prefix="/exams/{exam_id}", tags=["exams"])

Search = Annotated[
    str | None,
    Query(
        max_length=254,
        description="The beginning of a roll number or of an email address, or a part of a name",
        examples=["4812", "asha@", "राव"],
    ),
]


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(takes_nothing)],
    responses={
        200: {"model": RegistrationOut, "description": "You are registered already"},
        **problems(NotFound, EntryClosed, NotAvailable, Forbidden),
    },
)
async def register_for_exam(
    exam_id: UUID, response: Response, user: CurrentUser, uow: Uow, now: Now
) -> RegistrationOut:
    """Register for the exam, with the category and disability of your profile. Idempotent.

    If you had withdrawn, you get your earlier roll number again.
    """
    registration, is_new = await exams.register(uow, user, exam_id, now)
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return RegistrationOut.of(registration)


@router.delete(
    "/register",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, NotPossible, NotAvailable),
)
async def withdraw(exam_id: UUID, user: CurrentUser, uow: Uow, now: Now) -> None:
    """Withdraw your registration. This is possible until the first paper opens.

    Nobody else gets your roll number, and you get it again if you register again. Extra time that was granted
    to you stays granted. Idempotent.
    """
    await exams.withdraw(uow, user, exam_id, now)


@router.get("/registrations", responses=problems(NotFound, Invalid))
async def list_registrations(
    exam_id: UUID, staff: CurrentProctor, reads: Reads, paging: Paging, query: Search = None
) -> PageOut[RegistrationOut]:
    """The registrations of the exam, the oldest first: those that match `query`, or all."""
    wanted = (query or "").strip() or None
    page = await exams.registrations(reads, staff, exam_id, wanted, paging)
    return PageOut(items=[RegistrationOut.of(row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/no-shows", responses=problems(NotFound, Invalid))
async def list_no_shows(
    exam_id: UUID,
    staff: CurrentProctor,
    reads: Reads,
    paging: Paging,
    paper_id: Annotated[
        UUID | None, Query(description="Who has not started this paper; by default, who has started none")
    ] = None,
    query: Annotated[
        str | None, Query(max_length=254, description="The beginning of a roll number, or a part of a name")
    ] = None,
) -> NoShowsOut:
    """Candidates who are registered and have not started the paper. A void attempt counts as started."""
    wanted = (query or "").strip() or None
    found = await exams.no_shows(reads, staff, exam_id, paper_id, wanted, paging)
    items = [RegistrationOut.of(row) for row in found.page.items]
    return NoShowsOut(items=items, next_cursor=found.page.next_cursor, count=found.count)


@router.post("/registrations/{roll_number:path}/claim", responses=problems(NotFound, Conflict, Invalid))
async def claim(
    exam_id: UUID, roll_number: str, body: ClaimIn, staff: CurrentProctor, uow: Uow
) -> RegistrationOut:
    """Assign a registration without an account, and its attempts, to this account."""
    return RegistrationOut.of(await exams.claim(uow, staff, exam_id, roll_number, body.user_id))


@router.get(
    "/registrations/{roll_number:path}/response-sheet",
    response_model=CandidateSheetsOut,
    responses={
        200: {"content": PDF_CONTENT, "description": "The sheets as JSON or PDF"},
        **problems(NotFound, NotPossible, TooComplex, Unavailable),
    },
)
async def get_candidate_response_sheets(
    exam_id: UUID,
    roll_number: str,
    staff: CurrentProctor,
    request: Request,
    parts: Parts,
    now: Now,
    format: Annotated[  # noqa: A002 -- the name of the API's parameter
        Literal["json", "pdf"], Query(description="JSON, or a PDF for print")
    ] = "json",
    language: Language = "both",
) -> CandidateSheetsOut | Response:
    """What a candidate answered in each paper, after all papers are over. It has no key and no marks.

    The reading is in the audit log. `format=pdf` has the answers, times and the number of starts, and prints
    the letters of options in the paper's order.
    """
    # Separate transactions: typesetting is slow, and other requests need the connection in the meantime.
    async with personal_turn(request, parts), reading(parts.engine) as reads:
        found = await exams.response_sheets(reads, parts, staff, exam_id, roll_number, now)
        if format == "json":
            return CandidateSheetsOut.of_candidate(found)
        document = await result_documents.response_document(reads, parts, found, language, now)
    return await pdf_response(request, parts, document, staff, now)


@router.patch("/registrations/{roll_number:path}", responses=problems(NotFound, NotPossible, Invalid))
async def correct_registration(
    exam_id: UUID,
    roll_number: str,
    body: RegistrationChangesIn,
    staff: CurrentProctor,
    uow: Uow,
    parts: Parts,
    now: Now,
) -> CorrectedRegistrationOut:
    """Correct the name, the category or the disability of a registration, until the results are released.

    The candidate is notified. The release ranks by the corrected category and compares with its cut-offs.
    A disability also decides about the extra time of the group `pwbd`: it applies to later starts and at once
    to running attempts, which `attempts` lists. The candidate's profile and other exams do not change.
    """
    done = await exams.correct(uow, parts, staff, exam_id, roll_number, body.correction(), now)
    return CorrectedRegistrationOut.of_correction(done)
