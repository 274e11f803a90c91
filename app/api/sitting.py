"""What the routes of tests and of exam papers share: who holds which attempt, and how a paper is served."""

import re
from typing import Any
from uuid import UUID

from fastapi import Response

from app.api.deps import Holder
from app.core.errors import Invalid, NotFound, SessionRevoked
from app.schemas.attempts import ResponsesIn
from app.services.attempts.saving import Target
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading

ALLOWS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)

PAPER_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}}, "description": "The paper, without any key"},
    304: {"description": "The paper has not changed since the ETag you sent"},
}


def paper_answer(paper: FrozenPaper, if_none_match: str | None, accept_encoding: str) -> Response:
    """The candidates' document as it is kept in memory, or 304."""
    headers = {"ETag": paper.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if if_none_match is not None and _names(if_none_match, paper.etag):
        return Response(status_code=304, headers=headers)
    if ALLOWS_GZIP.search(accept_encoding):
        headers["Content-Encoding"] = "gzip"
        return Response(paper.document_gzipped, media_type="application/json", headers=headers)
    return Response(paper.document, media_type="application/json", headers=headers)


def _names(if_none_match: str, etag: str) -> bool:
    """Whether a client has this version already; ETags are compared weakly, as RFC 9110 says."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {"*", etag.removeprefix("W/")})


async def held_paper_id(
    reads: Reading, holder: Holder, test_id: UUID, exam_paper_id: UUID | None = None
) -> UUID:
    """The paper version of the attempt at this test or exam paper that the holder has."""
    if holder.grant is None:
        return (await reads.attempts.latest(holder.user_id, test_id, exam_paper_id)).paper_id
    if (holder.grant.test_id, holder.grant.exam_paper_id) != (test_id, exam_paper_id):
        raise NotFound("test")
    await refuse_banned(reads, holder)
    return holder.grant.paper_id


async def target_of(
    reads: Reading, holder: Holder, body: ResponsesIn, test_id: UUID, exam_paper_id: UUID | None = None
) -> Target:
    """Where answers go. An attempt token carries all of it; a signed-in person's attempt is looked up."""
    check_grant(holder, body.attempt_id, test_id, exam_paper_id)
    if holder.grant is not None:
        if body.lease > holder.grant.lease:
            raise Invalid.field("lease", f"the attempt token holds lease {holder.grant.lease}")
        paper_id = holder.grant.paper_id
    else:
        attempt = await reads.attempts.find(
            body.attempt_id, of=holder.user_id, test=test_id, exam_paper=exam_paper_id
        )
        paper_id = attempt.paper_id
    return Target(holder.user_id, test_id, exam_paper_id, body.attempt_id, paper_id, body.lease)


async def refuse_banned(reads: Reading, holder: Holder) -> None:
    """An attempt token outlives a session, but not a ban. Saving asks within its one statement."""
    if holder.grant is not None and not await reads.users.is_active(holder.user_id):
        raise SessionRevoked


def check_grant(holder: Holder, attempt_id: UUID, test_id: UUID, exam_paper_id: UUID | None = None) -> None:
    """An attempt token is good for its own attempt alone."""
    grant = holder.grant
    place = (attempt_id, test_id, exam_paper_id)
    if grant is not None and (grant.attempt_id, grant.test_id, grant.exam_paper_id) != place:
        raise NotFound("attempt")
