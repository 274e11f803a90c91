"""Downloads of the paper that are answered directly: with an attempt token, and at tests with a login."""

from collections.abc import Sequence
from uuid import UUID

from app.api.attempts import direct_paper_response
from app.api.direct_routes import DirectRequest, DirectResponse, DirectRoute
from app.core.attempt_scope import AttemptScope
from app.services import attempts, users


def _test_paper_without_task(request: DirectRequest) -> DirectResponse | None:
    [test_id] = request.ids
    return (
        _paper_of_token_without_task(request, AttemptScope(test_id)) if request.has_attempt_token() else None
    )


def _exam_paper_without_task(request: DirectRequest) -> DirectResponse | None:
    exam_id, paper_id = request.ids
    return _paper_of_token_without_task(request, request.parts.placements.in_memory(exam_id, paper_id))


async def _test_paper(request: DirectRequest) -> DirectResponse | None:
    [test_id] = request.ids
    if request.has_attempt_token():
        return await _paper_of_token(request, AttemptScope(test_id))
    account = await request.account()
    paper_id = None if account is None else await attempts.paper_together(request.parts, account, test_id)
    return None if paper_id is None else _paper_in_memory(request, paper_id)


async def _exam_paper(request: DirectRequest) -> DirectResponse | None:
    exam_id, paper_id = request.ids
    return await _paper_of_token(request, request.parts.placements.in_memory(exam_id, paper_id))


ROUTES: Sequence[DirectRoute] = (
    DirectRoute(
        "GET",
        "/v1/tests/{test_id}/questions",
        _test_paper,
        without_task=_test_paper_without_task,
        always_admitted=True,
    ),
    DirectRoute(
        "GET",
        "/v1/exams/{exam_id}/papers/{paper_id}/questions",
        _exam_paper,
        without_task=_exam_paper_without_task,
        always_admitted=True,
    ),
)


def _paper_of_token_without_task(request: DirectRequest, scope: AttemptScope | None) -> DirectResponse | None:
    """The paper of the token, if its candidate is remembered as active."""
    grant = request.grant_of(scope)
    if grant is None or not request.parts.active_users.include(grant.attempt.user_id):
        return None
    return _paper_in_memory(request, grant.paper_id)


async def _paper_of_token(request: DirectRequest, scope: AttemptScope | None) -> DirectResponse | None:
    """The paper of the token. If the candidate is not remembered as active, the database is asked."""
    grant = request.grant_of(scope)
    if grant is None or not await users.is_active(request.parts, grant.attempt.user_id):
        return None
    return _paper_in_memory(request, grant.paper_id)


def _paper_in_memory(request: DirectRequest, paper_id: UUID) -> DirectResponse | None:
    paper = request.parts.papers.in_memory(paper_id)
    if_none_match, accept_encoding = request.header(b"if-none-match"), request.header(b"accept-encoding")
    if paper is None or if_none_match is None or accept_encoding is None:  # None: the header was sent twice.
        return None
    return direct_paper_response(paper, if_none_match.decode("latin-1"), accept_encoding.decode("latin-1"))
