"""Taking an exam paper over HTTP: download, start, save and submit."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Request, Response

from app.api.attempts import (
    PAPER_ANSWERS,
    AcceptEncoding,
    attempt_of,
    paper_id_of,
    paper_response,
    refuse_banned,
    save_sent_to_paper,
    standing_attempt,
)
from app.api.deps import AttemptHolder, CurrentCandidate, KnownEtag, Now, Parts, Reads, Uow, personal_turn
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import (
    AttemptsExhausted,
    EntryClosed,
    Invalid,
    NotAvailable,
    NotFound,
    NotRegistered,
    PaperNotOpen,
    QuestionUnreadable,
    SessionTaken,
)
from app.core.saving_errors import AttemptNotInProgress, DeadlinePassed, SaveLimitReached, SectionClosed
from app.schemas.attempts import ResponsesIn, SavedOut, StandingAttemptOut, StartIn, SubmitIn
from app.schemas.exams.exams import StartedPaperOut
from app.schemas.results import SubmittedOut
from app.services import attempts, exams
from app.services.exams import StartPaper

router = PrefixRouter(prefix="/exams/{exam_id}/papers/{paper_id}", tags=["exams"])


@router.post(
    "/start",
    status_code=201,
    responses={
        200: {"model": StartedPaperOut, "description": "The attempt in progress, with a new lease"},
        **problems(
            NotFound,
            NotRegistered,
            PaperNotOpen,
            EntryClosed,
            AttemptsExhausted,
            SessionTaken,
            NotAvailable,
            QuestionUnreadable,
        ),
    },
)
async def start_paper(
    exam_id: UUID,
    paper_id: UUID,
    response: Response,
    candidate: CurrentCandidate,
    uow: Uow,
    parts: Parts,
    now: Now,
    body: Annotated[StartIn | None, Body()] = None,
) -> StartedPaperOut:
    """Start the paper (201), or resume the attempt in progress with a new lease (200).

    After the release of results the attempt is practice; 404 if you may not start the test. Store
    `attempt_token`: it outlives your session. 409 `paper_not_open` has `starts_at` and `Retry-After`, the
    seconds until then.
    """
    device = (body or StartIn()).device
    order = StartPaper(exam_id, paper_id, device, arrived_at=now, now=parts.clock.now())
    started = await exams.start(uow, parts, candidate, order)
    if not started.started.is_new:
        response.status_code = 200
    return StartedPaperOut.of_paper(started, parts.clock)


@router.get("/questions", response_class=Response, responses={**PAPER_ANSWERS, **problems(NotFound)})
async def get_paper_questions(
    exam_id: UUID,
    paper_id: UUID,
    holder: AttemptHolder,
    reads: Reads,
    parts: Parts,
    if_none_match: KnownEtag = None,
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """The paper of your attempt, in all languages and in the author's order. Your order is in `start`."""
    scope = await parts.placements.get(reads, exam_id, paper_id)
    paper = await parts.papers.get(reads, await paper_id_of(reads, holder, scope))
    return paper_response(paper, if_none_match, accept_encoding)


@router.get(
    "/package",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "Nonce, ciphertext, tag"},
        **problems(NotFound, NotRegistered, PaperNotOpen, NotAvailable),
    },
)
async def get_package(
    exam_id: UUID, paper_id: UUID, candidate: CurrentCandidate, reads: Reads, parts: Parts, now: Now
) -> Response:
    """The encrypted paper, for download from 30 minutes before the start. `start` returns the decryption key.

    The format is 12 bytes of nonce, the ciphertext, 16 bytes of tag: AES-256-GCM over the bytes of
    `…/questions`, without additional data. 409 `paper_not_open` has `starts_at`, when the paper begins,
    `opens_at`, from when it can be downloaded, and `Retry-After`, the seconds until `opens_at`.
    """
    content = await exams.package(reads, parts, candidate, exam_id, paper_id, now)
    headers = {"Cache-Control": "private, no-cache"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/attempt", responses=problems(NotFound))
async def get_attempt(
    exam_id: UUID, paper_id: UUID, holder: AttemptHolder, reads: Reads, parts: Parts
) -> StandingAttemptOut:
    """The current state of your attempt with its answers, even if it has ended or is void. No new lease.

    Read it after every message about the attempt. With an attempt token it is the attempt of the token.
    """
    scope = await parts.placements.get(reads, exam_id, paper_id)
    attempt = await standing_attempt(reads, holder, scope)
    return StandingAttemptOut.of_state(await attempts.view(reads, parts, attempt), parts.clock.now())


@router.post(
    "/responses",
    responses=problems(
        NotFound,
        AttemptNotInProgress,
        DeadlinePassed,
        SectionClosed,
        SaveLimitReached,
        QuestionUnreadable,
        Invalid,
    ),
)
async def save_paper_responses(
    request: Request,
    exam_id: UUID,
    paper_id: UUID,
    body: ResponsesIn,
    holder: AttemptHolder,
    parts: Parts,
    now: Now,
) -> SavedOut:
    """Save answers, as for tests. After a 200 they are stored and will be graded."""
    async with personal_turn(request, parts):
        return await save_sent_to_paper(parts, holder, exam_id, paper_id, body, now)


@router.post("/submit", responses=problems(NotFound))
async def submit_paper(
    exam_id: UUID, paper_id: UUID, body: SubmitIn, holder: AttemptHolder, uow: Uow, parts: Parts, now: Now
) -> SubmittedOut:
    """Submit the attempt. It stays `submitted` until the results are released. Idempotent.

    `result` is null until then. Practice after the release is graded at once, as at tests.
    """
    scope = await parts.placements.get(uow, exam_id, paper_id)
    attempt = attempt_of(holder, body.attempt_id, scope)
    await refuse_banned(uow, holder)
    submitted = await exams.submit(uow, parts, attempt, now)
    return SubmittedOut.of_submit(submitted, await attempts.submitted_result(uow, parts, submitted))
