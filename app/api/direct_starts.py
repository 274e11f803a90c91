"""Starts of candidates with a login that are answered directly: new, resumed, or refused by an exam paper."""

from collections.abc import Sequence

from app.api.direct_bodies import plain_body
from app.api.direct_routes import DirectRequest, DirectResponse, DirectRoute
from app.schemas.attempts import StartedOut, StartIn
from app.schemas.exams.exams import StartedPaperOut
from app.services import attempts, exams
from app.services.attempts import StartRequest
from app.services.users import account_of


async def _start_test(request: DirectRequest) -> DirectResponse | None:
    start = await _start_of(request)
    if start is None:
        return None
    [test_id] = request.ids
    async with request.turn():
        started = await attempts.start_together(request.parts, test_id, start)
    if started is None:
        return None
    await request.note_write()
    return DirectResponse.of(
        201 if started.is_new else 200, StartedOut.of_start(started, request.parts.clock)
    )


async def _start_paper(request: DirectRequest) -> DirectResponse | None:
    start = await _start_of(request)
    if start is None:
        return None
    exam_id, paper_id = request.ids
    async with request.turn():
        started = await exams.start_together(request.parts, exam_id, paper_id, start)
    if started is None:
        return None
    await request.note_write()
    status = 201 if started.started.is_new else 200
    return DirectResponse.of(status, StartedPaperOut.of_paper(started, request.parts.clock))


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("POST", "/v1/tests/{test_id}/start", _start_test, always_admitted=True),
    DirectRoute("POST", "/v1/exams/{exam_id}/papers/{paper_id}/start", _start_paper, always_admitted=True),
)


async def _start_of(request: DirectRequest) -> StartRequest | None:
    body = _body_of(request)
    login = None if body is None else await request.login()
    if body is None or login is None:
        return None
    return StartRequest(account_of(login), login.session_id, body.device, request.arrived_at)


def _body_of(request: DirectRequest) -> StartIn | None:
    if not request.body:
        return StartIn()
    return (
        plain_body(StartIn, request.body) if request.header(b"content-type") == b"application/json" else None
    )
