"""Tests: found, composed and published; taken, answered and submitted."""

import re
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from pydantic import Field

from app.api.deps import (
    AttemptHolder,
    CurrentAuthor,
    CurrentCandidate,
    Holder,
    Now,
    Paging,
    Parts,
    Reads,
    Uow,
    takes_nothing,
)
from app.api.problems import problems
from app.core.errors import (
    AttemptNotInProgress,
    AttemptsExhausted,
    DeadlinePassed,
    Invalid,
    NotAvailable,
    NotFound,
    NotGradedYet,
    NotPublishable,
    SectionClosed,
    SessionRevoked,
)
from app.repositories.tests import TestFilter
from app.schemas.attempts import (
    AttemptOut,
    ResponsesIn,
    ResultOut,
    SavedOut,
    StartedOut,
    StartIn,
    SubmitIn,
)
from app.schemas.common import PageOut
from app.schemas.tests import (
    Kind,
    PreviewOut,
    PublishedOut,
    StaffTestOut,
    TestChangesIn,
    TestDraftOut,
    TestIn,
    TestOut,
)
from app.services import attempts, tests
from app.services.attempts.saving import Target
from app.services.printing import PrintLanguage
from app.services.tests import Printout, PrintPart
from app.services.unit_of_work import Reading, reading

router = APIRouter(prefix="/tests", tags=["tests"])

PaperVersion = Annotated[int, Field(ge=1, le=2**31 - 1)]
ALLOWS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)


@router.get("")
async def list_tests(
    user: CurrentCandidate,
    reads: Reads,
    now: Now,
    paging: Paging,
    subject_id: UUID | None = None,
    kind: Kind | None = None,
    query: Annotated[str | None, Query(max_length=200, description="Part of the title")] = None,
) -> PageOut[TestOut]:
    """The tests that you may take now, newest first. Staff see drafts and archived ones too."""
    wanted = TestFilter(subject_id, kind, query)
    page = await tests.page(reads, user, now, wanted, paging)
    return PageOut(items=[TestOut.of(listed) for listed in page.items], next_cursor=page.next_cursor)


@router.get("/{test_id}")
async def get_test(test_id: UUID, user: CurrentCandidate, reads: Reads, now: Now) -> StaffTestOut | TestOut:
    """One test that you may take, or have taken. Staff see its `draft` too, where that differs."""
    listed = await tests.find(reads, user, test_id, now)
    if not user.is_staff:
        return TestOut.of(listed)
    return StaffTestOut.of_both(listed, await tests.pending_draft(reads, user, listed))


@router.post("", status_code=201)
async def create_test(body: TestIn, author: CurrentAuthor, uow: Uow) -> TestDraftOut:
    """Compose a test. Candidates see it once it is published."""
    return TestDraftOut.of(await tests.create(uow, author, body.draft()))


@router.patch("/{test_id}")
async def change_test(test_id: UUID, body: TestChangesIn, author: CurrentAuthor, uow: Uow) -> TestDraftOut:
    """Change the draft. Texts, sections, marks, duration and languages hold with the next publication;
    kind, subject, access, availability, attempts allowed and review hold at once."""
    return TestDraftOut.of(await tests.change(uow, author, test_id, body.changes()))


@router.post("/{test_id}/publish", dependencies=[Depends(takes_nothing)], responses=problems(NotPublishable))
async def publish_test(test_id: UUID, author: CurrentAuthor, uow: Uow, now: Now) -> PublishedOut:
    """Freeze the draft as the next paper version. Attempts under way keep theirs."""
    return PublishedOut.of_published(await tests.publish(uow, author, test_id, now))


@router.post("/{test_id}/archive", dependencies=[Depends(takes_nothing)])
async def archive_test(test_id: UUID, author: CurrentAuthor, uow: Uow) -> TestDraftOut:
    """Take a test out of the lists. Attempts under way go on; results stay."""
    return TestDraftOut.of(await tests.archive(uow, author, test_id))


@router.post("/{test_id}/clone", status_code=201, dependencies=[Depends(takes_nothing)])
async def clone_test(test_id: UUID, author: CurrentAuthor, uow: Uow) -> TestDraftOut:
    """A new draft with the same sections, marks and options, whose title says that it is a copy."""
    return TestDraftOut.of(await tests.clone(uow, author, test_id))


@router.get("/{test_id}/preview")
async def preview_test(test_id: UUID, author: CurrentAuthor, reads: Reads) -> PreviewOut:
    """The draft as candidates would be served it if you published it now, and what stands in the way."""
    return PreviewOut.of(await tests.preview(reads, author, test_id))


async def _printout(
    test_id: UUID,
    author: CurrentAuthor,
    parts: Parts,
    part: PrintPart = "paper",
    language: PrintLanguage = "en",
    version: Annotated[
        PaperVersion | Literal["draft"] | None, Query(description="By default the published one")
    ] = None,
) -> Printout:
    # In a transaction of its own: typesetting takes its time, and answers need the connections meanwhile.
    async with reading(parts.engine) as reads:
        return await tests.printout(reads, author, test_id, part, language, version)


@router.get(
    "/{test_id}/print",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}}, "description": "The paper or its solutions, for A4"},
        **problems(NotAvailable, NotPublishable, Invalid),
    },
)
async def print_test(printout: Annotated[Printout, Depends(_printout)], parts: Parts, now: Now) -> Response:
    """The paper for printing, or its key with explanations.

    The paper holds no key. While an exam that is not released holds its questions, solutions are for the
    author of the exam's test and admins (403 for others).
    """
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{printout.file_name}"',
    }
    content = await tests.pdf(printout, parts.media, now)
    return Response(content, media_type="application/pdf", headers=headers)


@router.post(
    "/{test_id}/start",
    status_code=201,
    responses={
        200: {"model": StartedOut, "description": "The attempt in progress, with a new lease"},
        **problems(AttemptsExhausted, NotAvailable),
    },
)
async def start_test(
    test_id: UUID,
    response: Response,
    candidate: CurrentCandidate,
    uow: Uow,
    parts: Parts,
    now: Now,
    body: Annotated[StartIn | None, Body()] = None,
) -> StartedOut:
    """Start an attempt (201), or take up the one in progress with a new lease (200).

    Keep `attempt_token`: it is good for this attempt, also without your session, for a day past the deadline.
    """
    started = await attempts.start(uow, parts, candidate, test_id, (body or StartIn()).device, now)
    if not started.is_new:
        response.status_code = 200
    return StartedOut.of_start(started, parts.clock)


@router.get(
    "/{test_id}/questions",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {}}, "description": "The paper, without any key"},
        304: {"description": "The paper has not changed since the ETag you sent"},
    },
)
async def get_questions(
    test_id: UUID,
    holder: AttemptHolder,
    reads: Reads,
    parts: Parts,
    if_none_match: Annotated[str | None, Header()] = None,
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """The paper of your latest attempt: all languages, in the author's order; yours comes with `start`."""
    paper = await parts.papers.get(reads, await _paper_id(reads, holder, test_id))
    headers = {"ETag": paper.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if if_none_match is not None and _names(if_none_match, paper.etag):
        return Response(status_code=304, headers=headers)
    if ALLOWS_GZIP.search(accept_encoding):
        headers["Content-Encoding"] = "gzip"
        return Response(paper.document_gzipped, media_type="application/json", headers=headers)
    return Response(paper.document, media_type="application/json", headers=headers)


@router.post(
    "/{test_id}/responses",
    responses=problems(AttemptNotInProgress, DeadlinePassed, SectionClosed, Invalid),
)
async def save_responses(
    test_id: UUID, body: ResponsesIn, holder: AttemptHolder, uow: Uow, parts: Parts, now: Now
) -> SavedOut:
    """Save answers. Once this says 200 they are on disk and will be graded.

    Send a queue in any order, as often as you like: what is known is counted, what is older than what stands
    fills gaps only. `superseded` and `conflicts` show what stands instead of what you sent.
    """
    target = await _target(uow, holder, test_id, body)
    sent = [response.event() for response in body.responses]
    return SavedOut.of(await attempts.save(uow, parts, target, sent, now))


@router.post("/{test_id}/submit")
async def submit_test(
    test_id: UUID, body: SubmitIn, holder: AttemptHolder, uow: Uow, parts: Parts, now: Now
) -> AttemptOut:
    """Submit the attempt and grade it. Submitting again returns the same result."""
    _check_grant(holder, test_id, body.attempt_id)
    await _refuse_banned(uow, holder)
    return AttemptOut.of(await attempts.submit(uow, parts, body.attempt_id, holder.user_id, test_id, now))


@router.get("/{test_id}/results", responses=problems(NotGradedYet))
async def get_results(
    test_id: UUID, user: CurrentCandidate, reads: Reads, parts: Parts, attempt_id: UUID | None = None
) -> ResultOut:
    """The result of your attempt, by default the latest."""
    return ResultOut.of(await attempts.result(reads, parts, user.id, test_id, attempt_id))


def _names(if_none_match: str, etag: str) -> bool:
    """Whether a client has this version already; ETags are compared weakly, as RFC 9110 says."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {"*", etag.removeprefix("W/")})


async def _paper_id(reads: Reading, holder: Holder, test_id: UUID) -> UUID:
    if holder.grant is None:
        return (await reads.attempts.latest(holder.user_id, test_id, None)).paper_id
    if holder.grant.test_id != test_id or holder.grant.exam_paper_id is not None:
        raise NotFound("test")
    await _refuse_banned(reads, holder)
    return holder.grant.paper_id


async def _target(reads: Reading, holder: Holder, test_id: UUID, body: ResponsesIn) -> Target:
    """Where answers go. An attempt token carries all of it; a signed-in person's attempt is looked up."""
    _check_grant(holder, test_id, body.attempt_id)
    if holder.grant is not None:
        if body.lease > holder.grant.lease:
            raise Invalid.field("lease", f"the attempt token holds lease {holder.grant.lease}")
        paper_id = holder.grant.paper_id
    else:
        attempt = await reads.attempts.find(body.attempt_id, of=holder.user_id, test=test_id, exam_paper=None)
        paper_id = attempt.paper_id
    return Target(holder.user_id, test_id, None, body.attempt_id, paper_id, body.lease)


async def _refuse_banned(reads: Reading, holder: Holder) -> None:
    """An attempt token outlives a session, but not a ban. Saving asks within its one statement."""
    if holder.grant is not None and not await reads.users.is_active(holder.user_id):
        raise SessionRevoked


def _check_grant(holder: Holder, test_id: UUID, attempt_id: UUID) -> None:
    """An attempt token is good for its own attempt alone."""
    grant = holder.grant
    if grant is not None and (grant.attempt_id, grant.test_id, grant.exam_paper_id) != (
        attempt_id,
        test_id,
        None,
    ):
        raise NotFound("attempt")
