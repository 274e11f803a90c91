"""Saves that are answered directly: a valid token and a valid body. See docs/decisions/0089.

A save does not call `note_write`: nothing that a replica serves shows answers before the submit.
"""

from collections.abc import Sequence

from app.api.attempts import save_sent, save_sent_to_paper
from app.api.deps import Holder
from app.api.direct_bodies import plain_body
from app.api.direct_routes import DirectRequest, DirectResponse, DirectRoute
from app.core.attempt_scope import AttemptScope
from app.schemas.attempts import ResponsesIn

_MAX_BYTES = 16_000


async def _of_test(request: DirectRequest) -> DirectResponse | None:
    sent = await _sent(request)
    if sent is None:
        return None
    [test_id] = request.ids
    holder, body = sent
    async with request.turn():
        saved = await save_sent(request.parts, holder, AttemptScope(test_id), body, request.arrived_at)
    return DirectResponse.of(200, saved)


async def _of_exam(request: DirectRequest) -> DirectResponse | None:
    sent = await _sent(request)
    if sent is None:
        return None
    exam_id, paper_id = request.ids
    holder, body = sent
    async with request.turn():
        saved = await save_sent_to_paper(request.parts, holder, exam_id, paper_id, body, request.arrived_at)
    return DirectResponse.of(200, saved)


ROUTES: Sequence[DirectRoute] = (
    DirectRoute(
        "POST", "/v1/tests/{test_id}/responses", _of_test, most_bytes=_MAX_BYTES, always_admitted=True
    ),
    DirectRoute(
        "POST",
        "/v1/exams/{exam_id}/papers/{paper_id}/responses",
        _of_exam,
        most_bytes=_MAX_BYTES,
        always_admitted=True,
    ),
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
