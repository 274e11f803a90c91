"""Saves that are answered directly: an attempt token and a valid body. See docs/decisions/0089."""

from collections.abc import Sequence

from app.api.attempts import save_sent, scope_of
from app.api.deps import Holder
from app.api.direct_answers import DirectAnswer, DirectRequest, DirectRoute, plain_body
from app.core.attempt_scope import AttemptScope
from app.schemas.attempts import ResponsesIn

_MOST_BYTES = 16_000


async def _save(request: DirectRequest) -> DirectAnswer | None:
    if request.header(b"content-type") != b"application/json":
        return None
    grant, body = request.grant(), valid_body(request.body)
    if grant is None or body is None:
        return None
    holder = Holder(grant.attempt.user_id, grant, None)
    scope = await _scope_of(request)
    return DirectAnswer.of(
        200, await save_sent(request.parts, holder, scope, body, request.scope["state"]["arrived_at"])
    )


async def _scope_of(request: DirectRequest) -> AttemptScope:
    if len(request.ids) == 1:
        return AttemptScope(request.ids[0])
    return await scope_of(request.parts, *request.ids)


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("POST", "/v1/tests/{test_id}/responses", _save, most_bytes=_MOST_BYTES),
    DirectRoute("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses", _save, most_bytes=_MOST_BYTES),
)


def valid_body(content: bytes) -> ResponsesIn | None:
    """The body if the documented model accepts each response."""
    body = plain_body(ResponsesIn, content)
    return None if body is None or body.wrong else body
