"""States of attempts that are answered directly: with an attempt token.

After an action of staff on a whole exam, all of its apps ask for the state of their attempt at once.
"""

from collections.abc import Sequence

from app.api.direct_routes import DirectRequest, DirectResponse, DirectRoute
from app.core.attempt_scope import AttemptScope
from app.repositories.attempts import RUNNING
from app.schemas.attempts import StandingAttemptOut
from app.services import attempts
from app.services.attempts import AttemptView


async def _of_test(request: DirectRequest) -> DirectResponse | None:
    [test_id] = request.ids
    view = await _view(request, AttemptScope(test_id))
    return None if view is None or view.attempt.status not in RUNNING else _response(request, view)


async def _of_exam(request: DirectRequest) -> DirectResponse | None:
    exam_id, paper_id = request.ids
    view = await _view(request, request.parts.placements.in_memory(exam_id, paper_id))
    return None if view is None else _response(request, view)


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("GET", "/v1/tests/{test_id}/attempt", _of_test),
    DirectRoute("GET", "/v1/exams/{exam_id}/papers/{paper_id}/attempt", _of_exam),
)


async def _view(request: DirectRequest, scope: AttemptScope | None) -> AttemptView | None:
    grant = request.grant_of(scope)
    if grant is None:
        return None
    async with request.turn():
        return await attempts.view_together(request.parts, grant.attempt)


def _response(request: DirectRequest, view: AttemptView) -> DirectResponse:
    return DirectResponse.of(200, StandingAttemptOut.of_state(view, request.parts.clock.now()))
