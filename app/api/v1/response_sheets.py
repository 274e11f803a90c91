"""Signed response sheets over HTTP, and the public keys that verify them (docs/proof.md)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.deps import CurrentUser, Now, Parts, Reads, personal_turn
from app.api.pdf_files import PDF_CONTENT, Language, pdf_response
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, NotFound, NotPossible, TooComplex, Unavailable
from app.schemas.response_sheets import SignedResponseSheetOut, SigningKeysOut
from app.services import proof, signing_keys
from app.services.proof import SignedSheet
from app.services.unit_of_work import reading

router = PrefixRouter(tags=["response sheets"])

Format = Annotated[
    Literal["json", "pdf"], Query(description="JSON, or a PDF that has the same JSON attached")
]
AttemptId = Annotated[
    UUID | None, Query(description="The attempt; by default your latest one. Staff name that of a candidate")
]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": SignedResponseSheetOut,
        "description": "The signed sheet as JSON or PDF",
        "content": PDF_CONTENT,
    },
}


# Separate transactions: typesetting is slow, and other requests need the connection in the meantime.
async def _of_test(
    test_id: UUID,
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
    attempt_id: AttemptId = None,
) -> SignedSheet:
    async with personal_turn(request, parts):
        signer = await parts.signers.signer_of_reading(parts.engine)
        async with reading(parts.engine) as reads:
            attempt = await proof.attempt_at_test(reads, user, test_id, attempt_id, now)
            return await proof.sign(reads, parts, signer, attempt)


async def _of_paper(
    exam_id: UUID,
    paper_id: UUID,
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
    attempt_id: AttemptId = None,
) -> SignedSheet:
    async with personal_turn(request, parts):
        signer = await parts.signers.signer_of_reading(parts.engine)
        async with reading(parts.engine) as reads:
            attempt = await proof.attempt_at_paper(reads, parts, user, exam_id, paper_id, attempt_id, now)
            return await proof.sign(reads, parts, signer, attempt)


@router.get("/response-sheets/keys")
async def list_signing_keys(reads: Reads) -> SigningKeysOut:
    """The public keys with which anybody verifies receipts of saves and signed response sheets.

    A key is here from its first use on and is never removed. Keep a copy before an exam.
    """
    return SigningKeysOut.of(await signing_keys.public_keys(reads))


@router.get(
    "/tests/{test_id}/response-sheet",
    response_class=Response,
    responses={**ANSWERS, **problems(Forbidden, NotFound, NotPossible, TooComplex, Unavailable)},
)
async def get_signed_response_sheet(
    signed: Annotated[SignedSheet, Depends(_of_test)],
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
    format: Format = "json",  # noqa: A002 -- the name of the API's parameter
    language: Language = "both",
) -> Response:
    """The signed response sheet of your closed attempt at a test: answers, times, devices and the whole log.

    409 while the attempt runs. With `attempt_id` it may be your attempt at a paper of an exam, as under the
    path of that paper. The author of the test, evaluators and admins may name a candidate's attempt; for one
    in an exam evaluators may not, all papers must be over, and the reading is in the audit log. The sheet is
    verified by `ias verify` or by the public keys; it has no key and no marks.
    """
    return await _response(signed, user, request, parts, now, format, language)


@router.get(
    "/exams/{exam_id}/papers/{paper_id}/response-sheet",
    response_class=Response,
    responses={**ANSWERS, **problems(NotFound, NotPossible, TooComplex, Unavailable)},
)
async def get_signed_response_sheet_of_paper(
    signed: Annotated[SignedSheet, Depends(_of_paper)],
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
    format: Format = "json",  # noqa: A002 -- the name of the API's parameter
    language: Language = "both",
) -> Response:
    """The signed response sheet of your closed attempt at a paper of an exam, also before the release.

    409 while the attempt runs. Proctors, authors and admins may name a candidate's attempt after all papers
    are over; this is in the audit log.
    """
    return await _response(signed, user, request, parts, now, format, language)


async def _response(
    signed: SignedSheet,
    user: CurrentUser,
    request: Request,
    parts: Parts,
    now: Now,
    wanted: str,
    language: Language,
) -> Response:
    if wanted == "pdf":
        return await pdf_response(request, parts, proof.sheet_document(signed, language, now), user, now)
    name = f"response-sheet-{signed.sheet['attempt']['id']}.json"
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return Response(signed.file, media_type="application/json", headers=headers)
