"""Results, analyses and boards that were sent before and are still true, answered directly.

The version of an answer is read before the documented route builds it. It is read again for each request. If
it is the same, the kept answer is sent (docs/decisions/0096).
"""

from collections.abc import Sequence
from urllib.parse import parse_qs
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.api.direct_answers import JSON_HEADERS, DirectAnswer, DirectRequest, DirectRoute
from app.core.answer_memory import KeptAnswer
from app.core.errors import Unavailable
from app.services.analytics.read_versions import are_profiles_at, version_of

_LONGEST_QUERY = 200


async def _result(request: DirectRequest) -> DirectAnswer | None:
    return await _answer(request, request.ids[0], by_minute=False)


async def _analysis(request: DirectRequest) -> DirectAnswer | None:
    return await _answer(request, request.ids[0], by_minute=True)


async def _overview(request: DirectRequest) -> DirectAnswer | None:
    return await _answer(request, None, by_minute=True)


async def _board(request: DirectRequest) -> DirectAnswer | None:
    """The board of a test. Those of exams are left to the documented route, and those of a category: their
    histogram is a minute old already."""
    query = request.scope["query_string"]
    if len(query) > _LONGEST_QUERY:
        return None
    asked = parse_qs(query.decode("latin-1"))
    if "category" in asked:
        return None
    try:
        [test_id] = map(UUID, asked.get("test_id", ()))
    except ValueError:
        return None
    return await _answer(request, test_id, by_minute=True)


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("GET", "/v1/tests/{test_id}/results", _result),
    DirectRoute("GET", "/v1/analytics/test/{test_id}", _analysis),
    DirectRoute("GET", "/v1/analytics/overview", _overview),
    DirectRoute("GET", "/v1/analytics/leaderboard", _board, takes_query=True),
)


async def _answer(request: DirectRequest, test_id: UUID | None, *, by_minute: bool) -> DirectAnswer | None:
    """The kept answer if its version is the present one. Otherwise the route's answer will be kept.

    With `by_minute` it is kept until the minute ends: it also depends on the time, the syllabus and what is
    on offer.
    """
    parts, scope = request.parts, request.scope
    if parts.replica is not None:
        return None  # The documented route may read from it, and be behind the version.
    account = await request.account()
    if account is None:
        return None
    key = account.id, scope["path"], scope["query_string"]
    kept = parts.sent_answers.get(key)
    try:
        version = await version_of(parts, account, test_id)
        if version is None:
            return None
        if by_minute:
            version = f"{scope['state']['arrived_at']:%Y-%m-%d %H:%M} {version}"
        if kept is not None and kept.version == version and await are_profiles_at(parts, kept.profiles):
            return DirectAnswer(200, JSON_HEADERS, kept.body)
    except (Unavailable, SQLAlchemyError):
        return None  # The documented route may be able to answer.

    def keep(body: bytes) -> None:
        parts.sent_answers.put(key, KeptAnswer(version, body, scope["state"].get("profiles_shown", {})))

    request.keep = keep
    return None
