"""Submits with an attempt token that are answered directly."""

from collections.abc import Sequence
from uuid import UUID

from app.api.direct_bodies import plain_body
from app.api.direct_routes import DirectRequest, DirectResponse, DirectRoute
from app.core.attempt_scope import AttemptScope
from app.schemas.attempts import SubmitIn
from app.schemas.results import SubmittedOut
from app.services import attempts
from app.services.attempts import SubmitRequest


async def _of_test(request: DirectRequest) -> DirectResponse | None:
    [test_id] = request.ids
    return await _submit(request, AttemptScope(test_id))


async def _of_exam(request: DirectRequest) -> DirectResponse | None:
    exam_id, paper_id = request.ids
    return await _submit(request, request.parts.placements.in_memory(exam_id, paper_id))


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("POST", "/v1/tests/{test_id}/submit", _of_test, always_admitted=True),
    DirectRoute("POST", "/v1/exams/{exam_id}/papers/{paper_id}/submit", _of_exam, always_admitted=True),
)


async def _submit(request: DirectRequest, scope: AttemptScope | None) -> DirectResponse | None:
    grant = request.grant_of(scope) if request.header(b"content-type") == b"application/json" else None
    if grant is None or submitted_id(request.body) != grant.attempt.id:
        return None
    submit = SubmitRequest(grant.attempt, request.arrived_at)
    async with request.turn():
        submitted = await attempts.submit_together(request.parts, submit)
    if submitted is None:
        return None
    await request.note_write()
    return DirectResponse.of(200, SubmittedOut.of_submit(submitted.attempt, submitted.result))


def submitted_id(content: bytes) -> UUID | None:
    """The attempt that the body names."""
    body = plain_body(SubmitIn, content)
    return None if body is None else body.attempt_id
