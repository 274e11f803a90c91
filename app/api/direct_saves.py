"""Saves that are answered directly: a valid token and a valid body. See docs/decisions/0089."""

from collections.abc import Sequence

from app.api.attempts import save_sent, scope_of
from app.api.deps import Holder
from app.api.direct_answers import DirectAnswer, DirectRequest, DirectRoute, plain_body
from app.core.attempt_scope import AttemptScope
from app.schemas.attempts import ResponsesIn

_MOST_BYTES = 16_000


async def _of_test(request: DirectRequest) -> DirectAnswer | None:
    sent = await _sent(request)
    if sent is None:
        return None
    [test_id] = request.ids
    return await _answer_save(request, AttemptScope(test_id), *sent)


async def _of_exam(request: DirectRequest) -> DirectAnswer | None:
    sent = await _sent(request)
    if sent is None:
        return None
    return await _answer_save(request, await scope_of(request.parts, *request.ids), *sent)


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("POST", "/v1/tests/{test_id}/responses", _of_test, most_bytes=_MOST_BYTES),
    DirectRoute("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses", _of_exam, most_bytes=_MOST_BYTES),
)


async def _sent(request: DirectRequest) -> tuple[Holder, ResponsesIn] | None:
    """Who saves, and what."""
    body = valid_body(request.body) if request.header(b"content-type") == b"application/json" else None
    holder = None if body is None else await _holder(request)
    return None if body is None or holder is None else (holder, body)


async def _holder(request: DirectRequest) -> Holder | None:
    """The person who saves. Bans are not checked here: the SAVE statement refuses banned people."""
    if request.has_attempt_token():
        grant = request.grant()
        return None if grant is None else Holder(grant.attempt.user_id, grant, None)
    account = await request.account()
    return None if account is None else Holder(account.id, None, None)


def valid_body(content: bytes) -> ResponsesIn | None:
    """The body if the documented model accepts each response."""
    body = plain_body(ResponsesIn, content)
    return None if body is None or body.wrong else body


async def _answer_save(
    request: DirectRequest, scope: AttemptScope, holder: Holder, body: ResponsesIn
) -> DirectAnswer:
    """Save and answer. Starts and submits note the write for reads from a replica; a save does not, as on the
    documented route: candidates read nothing from a replica that depends on answers which are not submitted.
    """
    return DirectAnswer.of(200, await save_sent(request.parts, holder, scope, body, request.arrived_at))
