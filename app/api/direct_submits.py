"""Submits with an attempt token that are answered directly."""

from collections.abc import Sequence
from uuid import UUID

import orjson

from app.api.direct_answers import DirectAnswer, DirectRequest, DirectRoute
from app.core.attempt_scope import AttemptScope
from app.schemas.attempts import AttemptOut, SubmitIn
from app.services import attempts
from app.services.attempts import SubmitRequest


async def _of_test(request: DirectRequest) -> DirectAnswer | None:
    [test_id] = request.ids
    return await _submit(request, AttemptScope(test_id))


async def _of_exam(request: DirectRequest) -> DirectAnswer | None:
    exam_id, paper_id = request.ids
    return await _submit(request, request.parts.placements.kept(exam_id, paper_id))


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("POST", "/v1/tests/{test_id}/submit", _of_test),
    DirectRoute("POST", "/v1/exams/{exam_id}/papers/{paper_id}/submit", _of_exam),
)


async def _submit(request: DirectRequest, scope: AttemptScope | None) -> DirectAnswer | None:
    grant = request.grant() if request.header(b"content-type") == b"application/json" else None
    if grant is None or grant.attempt.scope != scope or submitted_id(request.body) != grant.attempt.id:
        return None
    arrived_at = request.scope["state"]["arrived_at"]
    attempt = await attempts.submit_in_crowd(request.parts, SubmitRequest(grant.attempt, arrived_at))
    return None if attempt is None else DirectAnswer.of(200, AttemptOut.of(attempt))


def submitted_id(content: bytes) -> UUID | None:
    """The attempt of a body that the documented model accepts, and that has no escapes."""
    if b"\\" in content:
        return None
    try:
        return SubmitIn.model_validate(orjson.loads(content)).attempt_id
    except ValueError:
        return None
