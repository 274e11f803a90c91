"""Results, analyses and boards of candidates, answered directly.

The version of a response is read before it is built, and again for each request. If it is the same, the kept
response is sent (docs/decisions/0096). Otherwise the services build it, as for the documented routes.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.api.direct_routes import JSON_HEADERS, DirectRequest, DirectResponse, DirectRoute
from app.core.errors import Unavailable
from app.core.response_memory import KeptBody
from app.schemas.analytics.leaderboards import LeaderboardOut
from app.schemas.analytics.overview import OverviewOut
from app.schemas.analytics.test_analysis import TestAnalysisOut
from app.schemas.common import Out
from app.schemas.results import ResultOut
from app.services import attempts
from app.services.analytics import leaderboards
from app.services.analytics.leaderboards import PLACES, LeaderboardRequest
from app.services.analytics.overview import overview
from app.services.analytics.read_versions import are_profiles_at, version_of
from app.services.analytics.test_analysis import analyze
from app.services.unit_of_work import reading
from app.services.users import Principal

_BOARD_OF_TEST = re.compile(
    rb"test_id=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    rb"(?:&around_me=(true|false))?(?:&limit=([1-9][0-9]?|100))?"
)


@dataclass(frozen=True, slots=True)
class _Built:
    """A response, and the versions of the profiles of other people whom it shows."""

    content: Out
    profiles: Mapping[UUID, str] = field(default_factory=dict)


_Build: TypeAlias = Callable[[Principal], Awaitable[_Built]]


async def _result(request: DirectRequest) -> DirectResponse | None:
    [test_id] = request.ids

    async def build(user: Principal) -> _Built:
        return _Built(ResultOut.of(await attempts.result_together(request.parts, user, test_id)))

    return await _respond(request, test_id, build, by_minute=False)


async def _analysis(request: DirectRequest) -> DirectResponse | None:
    [test_id] = request.ids

    async def build(user: Principal) -> _Built:
        async with reading(request.parts.engine) as reads:
            found = await analyze(reads, request.parts, user, test_id, None)
        return _Built(TestAnalysisOut.of(found))

    return await _respond(request, test_id, build, by_minute=True)


async def _overview(request: DirectRequest) -> DirectResponse | None:
    async def build(user: Principal) -> _Built:
        async with reading(request.parts.engine) as reads:
            found = await overview(reads, request.parts, user, request.arrived_at)
        return _Built(OverviewOut.of_overview(found))

    return await _respond(request, None, build, by_minute=True)


async def _board(request: DirectRequest) -> DirectResponse | None:
    """The board of a test. Those of exams are left to the documented route, and those of a category: their
    histogram is a minute old already."""
    asked = _asked_board(request.scope["query_string"])
    if asked is None:
        return None
    test_id, wanted = asked

    async def build(user: Principal) -> _Built:
        now = request.arrived_at
        async with reading(request.parts.engine) as reads:
            board = await leaderboards.of_test(reads, request.parts, user, test_id, wanted, now)
        return _Built(LeaderboardOut.of(board), board.profiles)

    return await _respond(request, test_id, build, by_minute=True)


def _asked_board(query: bytes) -> tuple[UUID, LeaderboardRequest] | None:
    """The test and the part of its board that a query asks for. None if it asks for anything else."""
    found = _BOARD_OF_TEST.fullmatch(query)
    if found is None:
        return None
    test_id, around_me, limit = found.groups()
    return UUID(test_id.decode()), LeaderboardRequest(int(limit or PLACES), around_me=around_me == b"true")


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("GET", "/v1/tests/{test_id}/results", _result),
    DirectRoute("GET", "/v1/analytics/test/{test_id}", _analysis),
    DirectRoute("GET", "/v1/analytics/overview", _overview),
    DirectRoute("GET", "/v1/analytics/leaderboard", _board, takes_query=True),
)


async def _respond(
    request: DirectRequest, test_id: UUID | None, build: _Build, *, by_minute: bool
) -> DirectResponse | None:
    """The kept response if its version is the present one, otherwise a new one, which is kept.

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
    kept = parts.sent_responses.get(key)
    try:
        current = await version_of(parts, account, test_id)
        if current is None:
            return None
        version = f"{request.arrived_at:%Y-%m-%d %H:%M} {current.digest}" if by_minute else current.digest
        if kept is not None and kept.version == version and await are_profiles_at(parts, kept.profiles):
            return DirectResponse(200, JSON_HEADERS, kept.body)
    except (Unavailable, SQLAlchemyError):
        return None  # The documented route may be able to answer.
    async with request.turn():
        built = await build(current.candidate)
    response = DirectResponse.of(200, built.content)
    parts.sent_responses.put(key, KeptBody(version, response.body, built.profiles))
    return response
