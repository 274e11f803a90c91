"""Downloads of the paper that are answered directly: with an attempt token, and at tests with a login."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.api.attempts import ALLOWS_GZIP, names_etag
from app.api.direct_answers import DirectAnswer, DirectRequest, DirectRoute, RawHeaders
from app.core.attempt_scope import AttemptScope
from app.services import attempts, users
from app.services.tests.papers import FrozenPaper


async def _of_test(request: DirectRequest) -> DirectAnswer | None:
    [test_id] = request.ids
    if request.has_attempt_token():
        return await _paper_of_token(request, AttemptScope(test_id))
    account = await request.account()
    paper_id = None if account is None else await attempts.paper_together(request.parts, account, test_id)
    paper = None if paper_id is None else request.parts.papers.kept(paper_id)
    return None if paper is None else _answer(request, paper)


async def _of_exam(request: DirectRequest) -> DirectAnswer | None:
    exam_id, paper_id = request.ids
    return await _paper_of_token(request, request.parts.placements.kept(exam_id, paper_id))


ROUTES: Sequence[DirectRoute] = (
    DirectRoute("GET", "/v1/tests/{test_id}/questions", _of_test),
    DirectRoute("GET", "/v1/exams/{exam_id}/papers/{paper_id}/questions", _of_exam),
)


async def _paper_of_token(request: DirectRequest, scope: AttemptScope | None) -> DirectAnswer | None:
    grant = request.grant()
    if grant is None or grant.attempt.scope != scope:
        return None
    paper = request.parts.papers.kept(grant.paper_id)
    if paper is None or not await users.is_active(request.parts, grant.attempt.user_id):
        return None
    return _answer(request, paper)


def _answer(request: DirectRequest, paper: FrozenPaper) -> DirectAnswer | None:
    known, encodings = request.header(b"if-none-match"), request.header(b"accept-encoding")
    if known is None or encodings is None:
        return None
    headers = _headers(paper.etag)
    if known and names_etag(known.decode("latin-1"), paper.etag):
        return DirectAnswer(304, headers.unchanged, b"")
    if ALLOWS_GZIP.search(encodings.decode("latin-1")):
        return DirectAnswer(200, headers.compressed, paper.document_gzipped)
    return DirectAnswer(200, headers.whole, paper.document)


@dataclass(frozen=True, slots=True)
class _Headers:
    """The headers of a 304, of the paper as it is, and of the compressed paper."""

    unchanged: RawHeaders
    whole: RawHeaders
    compressed: RawHeaders


@lru_cache(maxsize=128)
def _headers(etag: str) -> _Headers:
    unchanged = (
        (b"etag", etag.encode()),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"Accept-Encoding"),
    )
    whole = (*unchanged, (b"content-type", b"application/json"))
    return _Headers(unchanged, whole, (*whole, (b"content-encoding", b"gzip")))
