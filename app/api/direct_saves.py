"""Saves that are answered directly: a valid token and a valid body. See docs/decisions/0089."""

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
    body = valid_body(request.body)
    holder = None if body is None else await _holder(request)
    if body is None or holder is None:
        return None
    scope = await _scope_of(request)
    return DirectAnswer.of(
        200, await save_sent(request.parts, holder, scope, body, request.scope["state"]["arrived_at"])
    )


async def _holder(request: DirectRequest) -> Holder | None:
    """Who sends it. The statement that saves refuses banned people."""
    if request.has_attempt_token():
        grant = request.grant()
        return None if grant is None else Holder(grant.attempt.user_id, grant, None)
    account = await request.account()
    return None if account is None else Holder(account.id, None, None)


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
