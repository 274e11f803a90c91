"""Shared by the routes of tests and of exam papers: finding the attempt, saving, serving the paper."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Response

from app.api.deps import Holder
from app.api.direct_routes import DirectResponse, RawHeaders
from app.api.payloads import response_errors
from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.errors import Invalid, NotFound, SessionRevoked
from app.core.saving_errors import DeadlinePassed
from app.models import Attempt
from app.schemas.attempts import ResponsesIn, SavedOut, WrongResponse
from app.schemas.papers import Paper
from app.sentences import Sentence
from app.services import attempts
from app.services.attempts import LateSave, SaveTarget, SentResponse, UnreadableResponse
from app.services.components import Components
from app.services.exams.placements import placement_together
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading

_ALLOWS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)

AcceptEncoding = Annotated[str, Header(include_in_schema=False)]

PAPER_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Paper, "description": "The paper, without any key"},
    304: {"description": "The paper has not changed since the ETag you sent"},
}


def direct_paper_response(paper: FrozenPaper, if_none_match: str, accept_encoding: str) -> DirectResponse:
    """The candidates' document from memory, or 304 if the client has it.

    A header that the client has not sent is empty.
    """
    headers = _paper_headers(paper.etag)
    if if_none_match and _names_etag(if_none_match, paper.etag):
        return DirectResponse(304, headers.unchanged, b"")
    if _ALLOWS_GZIP.search(accept_encoding):
        return DirectResponse(200, headers.compressed, paper.document_gzipped)
    return DirectResponse(200, headers.whole, paper.document)


def paper_response(paper: FrozenPaper, if_none_match: str | None, accept_encoding: str) -> Response:
    """The same response for FastAPI."""
    response = direct_paper_response(paper, if_none_match or "", accept_encoding)
    headers = {name.decode(): value.decode() for name, value in response.headers}
    return Response(response.body, response.status, headers)


@dataclass(frozen=True, slots=True)
class _PaperHeaders:
    """The headers of a 304, of the paper as it is, and of the compressed paper."""

    unchanged: RawHeaders
    whole: RawHeaders
    compressed: RawHeaders


@lru_cache(maxsize=128)
def _paper_headers(etag: str) -> _PaperHeaders:
    unchanged = (
        (b"etag", etag.encode()),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"Accept-Encoding"),
    )
    whole = (*unchanged, (b"content-type", b"application/json"))
    return _PaperHeaders(unchanged, whole, (*whole, (b"content-encoding", b"gzip")))


def _names_etag(if_none_match: str, etag: str) -> bool:
    """Whether the client has this version. ETags are compared weakly, as RFC 9110 requires."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {"*", etag.removeprefix("W/")})


async def paper_id_of(reads: Reading, holder: Holder, scope: AttemptScope) -> UUID:
    """The paper version of the holder's attempt in this scope."""
    if holder.grant is None:
        return (await reads.attempts.latest(holder.user_id, scope)).paper_id
    if holder.grant.attempt.scope != scope:
        raise NotFound("test")
    await refuse_banned(reads, holder)
    return holder.grant.paper_id


async def paper_id_at_test(reads: Reading, holder: Holder, test_id: UUID, attempt_id: UUID | None) -> UUID:
    """The paper version of the holder's attempt at a test, which may be an attempt in a released exam.

    Staff read the papers of their own previews before the release too.
    """
    if holder.grant is None:
        staff = holder.principal is not None and holder.principal.is_staff
        attempt = await reads.attempt_reviews.with_paper(
            holder.user_id, test_id, attempt_id, before_release=staff
        )
        return attempt.paper_id
    if attempt_id not in (None, holder.grant.attempt.id):
        raise NotFound("attempt")
    return await paper_id_of(reads, holder, AttemptScope(test_id))


async def standing_attempt(reads: Reading, holder: Holder, scope: AttemptScope) -> Attempt:
    """The attempt of the token, or the latest in this scope. A void one only if there is no other."""
    if holder.grant is None:
        return await reads.attempts.current(holder.user_id, scope)
    attempt = attempt_of(holder, holder.grant.attempt.id, scope)
    await refuse_banned(reads, holder)
    return await reads.attempts.find(attempt)


def attempt_of_token(holder: Holder) -> AttemptRef:
    """The attempt of a request that came with an attempt token."""
    assert holder.grant is not None  # noqa: S101 -- a holder has a login or an attempt token
    return holder.grant.attempt


def attempt_of(holder: Holder, attempt_id: UUID, scope: AttemptScope) -> AttemptRef:
    """The attempt that a request names. An attempt token is valid for its own attempt only."""
    named = AttemptRef(attempt_id, holder.user_id, scope)
    if holder.grant is not None and holder.grant.attempt != named:
        raise NotFound("attempt")
    return named


def sent_of(body: ResponsesIn) -> list[SentResponse]:
    """The responses of a request in the order sent.

    The service reports those that the schema refuses, together with those that the paper does not allow.
    """
    if not (wrong := body.wrong):
        return [response.command() for response in body.responses]
    readable = iter(body.responses)
    return [
        _unreadable(wrong[place]) if place in wrong else next(readable).command()
        for place in range(len(body.responses) + len(wrong))
    ]


def _unreadable(wrong: WrongResponse) -> UnreadableResponse:
    errors = response_errors(wrong.errors, wrong.sent)
    return UnreadableResponse(tuple(replace(error, question_id=wrong.question_id) for error in errors))


async def save_sent(
    parts: Components, holder: Holder, scope: AttemptScope, body: ResponsesIn, now: datetime
) -> SavedOut:
    """Save answers at a test. The caller has a turn of the person.

    Late ones are stored; then this raises DeadlinePassed.
    """
    target = await _target_of(parts, holder, scope, body)
    outcome = await attempts.save_and_commit(parts, target, sent_of(body), now)
    if isinstance(outcome, LateSave):
        raise DeadlinePassed(outcome.deadline_at, recorded=outcome.recorded, known=outcome.known)
    return SavedOut.of(outcome)


async def save_sent_to_paper(
    parts: Components, holder: Holder, exam_id: UUID, paper_id: UUID, body: ResponsesIn, now: datetime
) -> SavedOut:
    """The same at an exam paper.

    The look-up is within the turn too, so that one person cannot fill the queue of look-ups.
    """
    scope = await placement_together(parts, exam_id, paper_id)
    return await save_sent(parts, holder, scope, body, now)


async def _target_of(parts: Components, holder: Holder, scope: AttemptScope, body: ResponsesIn) -> SaveTarget:
    """Where the answers of a request are saved."""
    attempt = attempt_of(holder, body.attempt_id, scope)
    if holder.grant is None:
        paper_id = await parts.attempt_papers.get(parts.engine, attempt)
    elif body.lease > holder.grant.lease:
        lease = holder.grant.lease
        raise Invalid.field("lease", Sentence("The attempt token holds lease {lease}. Send it.", lease=lease))
    else:
        paper_id = holder.grant.paper_id
    return SaveTarget(attempt, paper_id, body.lease)


async def refuse_banned(reads: Reading, holder: Holder) -> None:
    """Raise SessionRevoked if the user is banned: attempt tokens outlive sessions.

    Saving checks this itself.
    """
    if holder.grant is not None and not await reads.users.is_active(holder.user_id):
        raise SessionRevoked
